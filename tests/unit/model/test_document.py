"""Writes make new documents; names and dotted paths are checked before."""

import copy
from typing import Any

import pytest
from hypothesis import given

from lean_emulator.base.errors import ApiError
from lean_emulator.model.document import (
    apply_write,
    check_field_names,
    only,
    top_level_keys,
    without,
)
from lean_emulator.model.operations import Add, Increment, Set, Unset, parse_write
from tests.support.model_values import documents


def test_a_write_shares_what_it_does_not_touch() -> None:
    old: dict[str, Any] = {"kept": [1], "n": 1, "gone": True}
    new = apply_write(old, {"n": Increment(1), "gone": Unset(), "more": Set("x")})
    assert new == {"kept": [1], "n": 2, "more": "x"}
    assert old == {"kept": [1], "n": 1, "gone": True}
    assert new["kept"] is old["kept"]


@given(documents, documents)
def test_the_old_document_is_left_alone(old: dict[str, Any], body: dict[str, Any]) -> None:
    kept = copy.deepcopy(old)
    new = apply_write(old, parse_write(body))
    assert old == kept
    assert new == {**old, **body}


def test_automatic_fields_are_not_the_clients() -> None:
    write = parse_write({"objectId": "mine", "createdAt": "x", "updatedAt": "y", "a": 1})
    assert apply_write({"objectId": "o1"}, write) == {"objectId": "o1", "a": 1}
    assert top_level_keys(write) == ["a"]


def test_dotted_paths_reach_into_objects() -> None:
    old: dict[str, Any] = {"profile": {"age": 1, "tags": ["a"], "deep": {"x": 1}}}
    new = apply_write(
        old,
        {
            "profile.age": Increment(1),
            "profile.tags": Add(("b",)),
            "profile.deep.y": Set(2),
            "profile.deep.x": Unset(),
            "other.made.up": Set(3),
        },
    )
    assert new == {
        "profile": {"age": 2, "tags": ["a", "b"], "deep": {"y": 2}},
        "other": {"made": {"up": 3}},
    }
    assert old == {"profile": {"age": 1, "tags": ["a"], "deep": {"x": 1}}}


def test_unsetting_below_nothing_makes_nothing() -> None:
    assert apply_write({}, {"a.b.c": Unset()}) == {}
    assert apply_write({"a": {}}, {"a.b": Unset()}) == {"a": {}}


@pytest.mark.parametrize("holder", [5, "x", [1], True])
def test_a_path_through_what_is_no_object_is_code_111(holder: Any) -> None:
    with pytest.raises(ApiError, match=r"'a\.b' leads through") as caught:
        apply_write({"a": holder}, {"a.b": Set(1)})
    assert caught.value.code == 111


@pytest.mark.parametrize("name", ["a", "A", "a1_B", "id", "ACL", "objectId", "createdAt", "error"])
def test_field_names(name: str) -> None:
    check_field_names({name: Set(1)}, dotted=False)


@pytest.mark.parametrize(
    "name",
    [
        "", "invalid?", "1a", "_a", "__a", "a-b", "a b", "字段", "a$", "acl", "OBJECTID",
        "className", "ClassName", "updatedat", "a.b", "a\n",
    ],
)  # fmt: skip
def test_names_no_field_can_have(name: str) -> None:
    with pytest.raises(ApiError) as caught:
        check_field_names({"fine": Set(1), name: Set(1)}, dotted=False)
    assert (caught.value.code, caught.value.message) == (
        105,
        "Invalid key name. Keys are case-sensitive and 'a-zA-Z0-9_' are the only valid "
        f"characters. The column is: '{name}'.",
    )


@pytest.mark.parametrize("path", ["a.b", "a.b.c", "authData.weixin", "a.0", "a.b-c"])
def test_dotted_paths_are_for_updates(path: str) -> None:
    check_field_names({path: Set(1)}, dotted=True)
    with pytest.raises(ApiError):
        check_field_names({path: Set(1)}, dotted=False)


@pytest.mark.parametrize("path", [".", "a.", ".a", "a..b", "_a.b", "className.x", "a.$b", "a.b$c"])
def test_paths_no_field_can_have(path: str) -> None:
    with pytest.raises(ApiError) as caught:
        check_field_names({path: Set(1)}, dotted=True)
    assert caught.value.code in (105, 121)


def test_updated_keys_are_as_written() -> None:
    assert top_level_keys(parse_write({"b.c": 1, "a": 2, "updatedAt": 3})) == ["b.c", "a"]


def test_only_and_without() -> None:
    document = {"a": 1, "b": 2}
    assert only(document, ["b", "c"]) == {"b": 2}
    assert without(document, ["b", "c"]) == {"a": 1}
    assert document == {"a": 1, "b": 2}
