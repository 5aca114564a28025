"""Codes of short messages stay out of what is shown."""

import pytest

from lean_emulator.base.jsontext import Json
from lean_emulator.base.masking import Mask, shown_path


@pytest.mark.parametrize(
    ("path", "segments", "shown"),
    [
        ("/1.1/verifySmsCode/123456", ("verifySmsCode", "123456"), "/1.1/verifySmsCode/••••"),
        ("/1/verifySmsCode//1/", ("verifySmsCode", "1"), "/1.1/verifySmsCode/••••"),
        ("/1.1/classes/Post", ("classes", "Post"), "/1.1/classes/Post"),
        ("/1.1/verifySmsCode", ("verifySmsCode",), "/1.1/verifySmsCode"),
    ],
)
def test_a_path_is_shown_without_its_code(path: str, segments: tuple[str, ...], shown: str) -> None:
    assert shown_path(path, segments) == shown


@pytest.mark.parametrize("path", ["verifySmsCode", "verifyMobilePhone", "resetPasswordBySmsCode"])
def test_nor_does_a_text_show_one(path: str) -> None:
    mask = Mask()
    assert mask.text(f"PUT /1.1/{path}/123456 failed") == f"PUT /1.1/{path}/•••• failed"
    member: dict[str, Json] = {"method": "POST", "path": f"/1.1/{path}/123456?x=1"}
    assert mask.json(member) == {"method": "POST", "path": f"/1.1/{path}/••••?x=1"}


def test_a_code_beside_a_number_is_hidden_and_other_codes_are_not() -> None:
    mask = Mask()
    assert mask.json({"mobilePhoneNumber": "+8613800000000", "code": "123456"}) == {
        "mobilePhoneNumber": "+8613800000000",
        "code": "••••",
    }
    assert mask.json({"code": "ABC", "n": 1}) == {"code": "ABC", "n": 1}
    assert mask.json({"code": 211, "error": "x"}) == {"code": 211, "error": "x"}
    assert mask.json({"smsCode": "123456"}) == {"smsCode": "••••"}
