"""Records compare and hash by content, and hold nothing beyond their fields."""

import pytest

from lean_emulator.base.record import record


@record
class Place:
    name: str
    number: int = 0


def test_equal_content_is_equal_and_found_in_a_set() -> None:
    assert Place("a") == Place("a", 0) != Place("a", 1)
    assert Place("a") in {Place("a", 0)}


def test_other_attributes_are_refused() -> None:
    with pytest.raises(AttributeError):
        Place("a").nmae = "b"  # type: ignore[attr-defined]  # that it is no field is the point
