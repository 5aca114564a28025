"""What every storage promises. ``tests/contract/storage_suite.py`` holds each of them to it."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Protocol, TypeAlias

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.base.record import record
from lean_emulator.model.operations import Relate, Write
from lean_emulator.model.query import Query, Where
from lean_emulator.model.schema import ClassSchema


@record
class Insert:
    """A new document, complete with ``objectId``, ``createdAt`` and ``updatedAt``.

    ``relations`` are its first members, by column.
    """

    class_name: str
    document: dict[str, Json]
    relations: Mapping[str, Relate] = field(default_factory=dict)

    @property
    def object_id(self) -> str:
        return str(self.document["objectId"])


@record
class Update:
    """Operations on the document as it is when the commit happens, its relations included.

    ``updated_at`` becomes its ``updatedAt``; ``guard`` must match the document then.
    """

    class_name: str
    object_id: str
    write: Write
    updated_at: str
    guard: Where | None = None


@record
class Delete:
    """Remove a document; ``guard`` must match it then."""

    class_name: str
    object_id: str
    guard: Where | None = None


Change: TypeAlias = Insert | Update | Delete


@record
class Committed:
    """A change that happened; ``before`` and ``after`` are ``None`` where there is no document."""

    change: Change
    before: dict[str, Json] | None
    after: dict[str, Json] | None


class Storage(Protocol):
    """Documents by class and id.

    Promises:

    - ``commit`` is all or nothing, for all changes it is given, also over a crash.
    - Operations are applied inside the commit, so two increments never lose one.
    - Columns are checked and added inside the commit; a value that does not fit raises code 111.
    - Unique indexes are checked inside the commit, exactly; a value that is taken raises
      ``DuplicateValue``, its ``field`` naming the columns.
    - A new object gets its ``auto_increment`` numbers inside the commit, one above the largest that
      ever was; a number it brings along is kept. ``Committed.after`` has them.
    - Where limits are set, a column or class too many raises code 154.
    - A guard that does not match raises ``NoEffect``; an objectId that is taken raises
      ``DuplicateValue``; an update of an absent object raises code 1; a delete of one does nothing
      and gives ``Committed(change, None, None)``. A refused commit changes nothing.
    - Members of relations are committed with the document; they go when their owner is deleted.
    - What was returned never changes later, and must not be changed by whoever got it.
    - ``find`` without an order goes by creation; documents that sort equal do too.
    - A class that does not exist has no objects.
    """

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def get(self, class_name: str, object_id: str) -> dict[str, Json] | None: ...

    async def find(self, query: Query) -> list[dict[str, Json]]: ...

    async def count(self, query: Query) -> int:
        """How many match, whatever the query's skip and limit."""
        ...

    async def related(self, owner_class: str, owner_id: str, key: str) -> list[str]:
        """Ids of a relation's members, in the order they were added."""
        ...

    async def owners(self, owner_class: str, key: str, member_id: str) -> list[str]:
        """Ids of the objects whose relation ``key`` has the member."""
        ...

    async def commit(self, changes: Sequence[Change]) -> list[Committed]: ...

    def stamp(self, class_name: str) -> object:
        """Something that is another one (``is not``) after every write to objects of the class.

        So whoever has worked something out from a class sees at once whether it still holds.
        """
        ...

    def classes(self) -> Mapping[str, ClassSchema]:
        """The schemas as they are now."""
        ...

    async def save_class(self, schema: ClassSchema) -> None:
        """Replace a schema.

        Raises ``DuplicateValue``, and changes nothing, where objects break its unique columns.
        """
        ...

    async def drop_class(self, class_name: str) -> None:
        """Remove a class with its objects; an absent one is no error."""
        ...

    async def clear(self) -> None:
        """Remove everything."""
        ...


def absent(class_name: str, object_id: str) -> errors.ApiError:
    """The error for a write to an object that is not there (storage.md 3.3)."""
    return errors.OBJECT_ABSENT(
        f"Could not find object by id '{object_id}' for class '{class_name}'."
    )
