"""What counts as an address and as a phone number."""

import pytest

from lean_emulator.base.errors import ApiError
from lean_emulator.model.contact import check_email, check_phone, international, spellings


@pytest.mark.parametrize(
    "address", ["a@b.c", "ann.lee+x@mail.example.com", "安@例子.中国", "a" * 64 + "@b.cd"]
)
def test_addresses(address: str) -> None:
    check_email(address)


@pytest.mark.parametrize(
    "address",
    ["", "a", "a@", "@b.c", "a@b", "a@b.", "a@.c", "a@@b.c", "a b@c.d", "a@b.c\n",
     "a" * 65 + "@b.c", "a@" + "b" * 300 + ".c"],
)  # fmt: skip
def test_no_addresses(address: str) -> None:
    with pytest.raises(ApiError) as refused:
        check_email(address)
    assert refused.value.code == 125


@pytest.mark.parametrize("value", [None, 5, [], {}, True])
def test_other_types_are_for_the_schema(value: object) -> None:
    check_email(value)  # type: ignore[arg-type]  # anything JSON may come
    check_phone(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "full"),
    [("13800000000", "+8613800000000"), ("+8613800000000",) * 2, ("+14155550100",) * 2],
)
def test_numbers(number: str, full: str) -> None:
    assert international(number) == full
    check_phone(number)


@pytest.mark.parametrize(
    "number",
    ["", "1", "23800000000", "138000000001", "+", "+0123456", "+12345", "+1 415", "+١٢٣٤٥٦٧"],
)
def test_no_numbers(number: str) -> None:
    with pytest.raises(ApiError) as refused:
        check_phone(number)
    assert refused.value.code == 127


def test_spellings() -> None:
    assert spellings("13800000000") == ("13800000000", "+8613800000000")
    assert spellings("+8613800000000") == ("+8613800000000", "13800000000")
    assert spellings("+14155550100") == ("+14155550100",)
    assert spellings("nonsense") == ("nonsense",)
