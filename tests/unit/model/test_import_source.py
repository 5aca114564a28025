"""What files of an export are called, and what that says."""

import pytest

from lean_emulator.base.errors import ApiError
from lean_emulator.model.import_source import Join, Named, header_class, join_of, named
from lean_emulator.model.schema import ClassSchema, ColumnType, new_class


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("Post.0.jsonl", Named("lines", "Post")),
        ("Post.12.jsonl", Named("lines", "Post")),
        ("Post.jsonl", Named("lines", "Post")),
        ("Post.json", Named("json", "Post")),
        ("Post.population.json", Named("json", "Post")),
        ("_User.csv", Named("csv", "_User")),
        ("Post.bson", Named("bson", "Post")),
        ("Post.schema.json", Named("schema", "Post")),
        ("_Join:_Role:roles:_Role.population.json", Named("json", "_Join:_Role:roles:_Role")),
        ("_Join:roles:_Role.0.jsonl", Named("lines", "_Join:roles:_Role")),
        ("Post.metadata.json", None),
        ("notes.txt", None),
        (".Post.json", None),
        (".json", None),
        ("Post", None),
    ],
)
def test_names(name: str, what: Named | None) -> None:
    assert named(name) == what


def test_schemas_come_first_and_members_last() -> None:
    names = ["_Join:A:b:C.csv", "A.json", "A.schema.json"]
    ranks = [found.rank for name in names if (found := named(name))]
    assert ranks == [2, 1, 0]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b'#filetype:JSON-streaming {"type":"Class","class":"_User"}\n', "_User"),
        (b"# a comment", None),
        (b"#filetype:JSON-streaming {oops}", None),
        (b'#filetype:JSON-streaming {"class":5}', None),
    ],
)
def test_headers(line: bytes, name: str | None) -> None:
    assert header_class(line) == name


def test_a_relation_by_its_long_name_and_by_its_short_ones() -> None:
    classes = {
        "Post": ClassSchema("Post", {"likes": ColumnType("Relation", "Comment")}),
        "_Role": new_class("_Role"),
    }
    likes = Join("Post", "likes", "Comment")
    assert join_of("_Join:Post:likes:Comment", {}) == likes
    assert join_of("_Join:likes:Post", classes) == likes
    assert join_of("_Join:Post:likes", classes) == likes
    assert join_of("_Join:users:_Role", classes) == Join("_Role", "users", "_User")


@pytest.mark.parametrize(
    "name", ["_Join:", "_Join:a", "_Join:a:b", "_Join:a:b:c:d", "_Join::b:C", "_Join:1a:b:C"]
)
def test_names_of_no_relation(name: str) -> None:
    with pytest.raises(ApiError):
        join_of(name, {})
