"""The catalogue: every row makes its own kind of error, with the platform's code and status."""

import pytest

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError, Hint, Kind

ROWS = {name: row for name, row in vars(errors).items() if isinstance(row, Kind)}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_makes_an_error_with_a_text(name: str) -> None:
    row = ROWS[name]
    made = row()
    assert isinstance(made, row.type)
    assert made.to_wire() == {"code": row.code, "error": row.message}
    assert made.message
    assert 400 <= made.status < 600


def test_a_text_of_its_own_replaces_the_usual_one() -> None:
    made = errors.OBJECT_NOT_FOUND("No such review.", hint=Hint("create it", "请先创建"))
    assert (made.code, made.message) == (101, "No such review.")
    assert made.hint == Hint("create it", "请先创建")
    assert str(made) == "No such review."


def test_hints_never_reach_clients() -> None:
    assert "create" not in str(errors.NOT_BUILT("Later.", hint=Hint("create", "")).to_wire())


@pytest.mark.parametrize(
    ("kind", "caught_as", "code", "status"),
    [
        (errors.HOOK_REJECTED, errors.HookRejected, 142, 400),
        (errors.HOOK_LOOP, errors.HookLoop, 431, 431),
        (errors.TIMED_OUT, errors.TimedOut, 124, 503),
        (errors.DUPLICATE_VALUE, errors.DuplicateValue, 137, 400),
        (errors.NO_EFFECT, errors.NoEffect, 305, 400),
        (errors.INVALID_QUERY, errors.InvalidQuery, 1, 400),
        (errors.NOT_BUILT, errors.NotBuilt, 1, 501),
        (errors.UNAUTHORIZED, ApiError, 401, 401),
        (errors.FORBIDDEN, ApiError, 403, 403),
        (errors.CLASS_NOT_FOUND, ApiError, 101, 404),
        (errors.TOO_LARGE_BODY, ApiError, 413, 413),
    ],
)
def test_codes_and_statuses(
    kind: Kind[ApiError], caught_as: type[ApiError], code: int, status: int
) -> None:
    with pytest.raises(caught_as) as caught:
        raise kind()
    assert (caught.value.code, caught.value.status) == (code, status)


def test_texts_that_sdks_look_at() -> None:
    assert errors.UNAUTHORIZED().message == "Unauthorized."
    assert errors.CLASS_NOT_FOUND().message == "Class or object doesn't exists."
    assert errors.NO_EFFECT().message == "No effect on updating/deleting a document."
    assert errors.TIMED_OUT().message == "The request timed out on the server."
    assert errors.ENGINE_ERROR().message == "Cloud Code script had an error."
    assert errors.USER_NOT_FOUND().message == "Could not find user."
