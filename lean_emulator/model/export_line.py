"""Objects as a line each of an export, as the platform writes them (storage.md 10.1)."""

from lean_emulator.base import jsontext
from lean_emulator.base.jsontext import Json
from lean_emulator.model.access import PUBLIC_ACL
from lean_emulator.model.values import Document


def header_line(class_name: str) -> bytes:
    """What such a file starts with; importers pass over it."""
    kind = jsontext.dumps({"type": "Class", "class": class_name})
    return b"#filetype:JSON-streaming " + kind + b"\n"


def object_line(document: Document) -> bytes:
    """A stored object, all of it, with the ACL that it has or that none means."""
    return jsontext.dumps({"ACL": PUBLIC_ACL, **document}) + b"\n"


def member_line(owner_id: str, member_id: str) -> bytes:
    """That an object is in the relation of another."""
    row: dict[str, Json] = {"owningId": owner_id, "relatedId": member_id}
    return jsontext.dumps(row) + b"\n"


def join_name(owner_class: str, key: str, member_class: str) -> str:
    """The class that the members of a relation are exported as."""
    return f"_Join:{owner_class}:{key}:{member_class}"


def file_name(class_name: str, part: int = 0) -> str:
    """The file of a class in an export."""
    return f"{class_name}.{part}.jsonl"
