"""What the commits of a dry run come to in the end."""

from typing import Any

from lean_emulator.base.masking import Mask
from lean_emulator.model.operations import parse_write
from lean_emulator.service.rehearsal import effects
from lean_emulator.storage.contract import Committed, Delete, Insert, Update


def insert(object_id: str, **fields: Any) -> Committed:
    document = {"objectId": object_id, **fields}
    return Committed(Insert("Post", document), None, document)


def update(object_id: str, before: Any, after: Any, **body: Any) -> Committed:
    return Committed(Update("Post", object_id, parse_write(body), "t"), before, after)


def delete(object_id: str, before: Any) -> Committed:
    return Committed(Delete("Post", object_id), before, None)


def told(*commits: Committed) -> list[tuple[str, str, Any, Any]]:
    return [(e.object_id, e.change, e.before, e.after) for e in effects(commits)]


def test_an_object_is_told_once_with_its_first_and_last_image() -> None:
    first, last = {"objectId": "p1", "n": 1}, {"objectId": "p1", "n": 3}
    assert told(update("p1", first, {"n": 2}), insert("p2", n=0), update("p1", {"n": 2}, last)) == [
        ("p1", "updated", first, last),
        ("p2", "created", None, {"objectId": "p2", "n": 0}),
    ]


def test_created_and_updated_is_created() -> None:
    assert told(insert("p1", n=1), update("p1", {"n": 1}, {"n": 2})) == [
        ("p1", "created", None, {"n": 2})
    ]


def test_created_and_deleted_is_nothing() -> None:
    assert told(insert("p1"), delete("p1", {"objectId": "p1"})) == []


def test_deleted_and_created_again_is_updated() -> None:
    assert told(delete("p1", {"n": 1}), insert("p1", n=2)) == [
        ("p1", "updated", {"n": 1}, {"objectId": "p1", "n": 2})
    ]


def test_to_delete_what_is_not_there_is_nothing() -> None:
    assert told(delete("p1", None)) == []


def test_members_of_relations_are_kept_in_order() -> None:
    def member(word: str, name: str) -> dict[str, Any]:
        pointer = {"__type": "Pointer", "className": "Fan", "objectId": name}
        return {"__op": f"{word}Relation", "objects": [pointer]}

    (effect,) = effects(
        [
            update("p1", {"n": 1}, {"n": 1}, fans=member("Add", "a")),
            update("p1", {"n": 1}, {"n": 1}, fans=member("Remove", "b")),
        ]
    )
    assert effect.to_json(Mask(()))["relations"] == [
        {"key": "fans", "added": ["a"], "removed": []},
        {"key": "fans", "added": [], "removed": ["b"]},
    ]


def test_secrets_are_masked() -> None:
    (effect,) = effects([insert("p1", password="hunter2", key="master-key-0123")])
    shown = str(effect.to_json(Mask(("master-key-0123",))))
    assert "hunter2" not in shown
    assert "master-key-0123" not in shown
