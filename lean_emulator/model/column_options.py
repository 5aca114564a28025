"""What a column asks for beside its type: required, default, hidden … (storage.md 2.4, 7.1)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.model.document import AUTOMATIC
from lean_emulator.model.values import MISSING, Document, Missing


@dataclass(frozen=True, slots=True)
class Options:
    """One column's options, as schema files spell them."""

    required: bool = False
    """Refuse a client's create that lacks it, once hooks and defaults have had their say."""
    read_only: bool = False
    """Refuse a client's update that names it."""
    hidden: bool = False
    """Show it to the master key alone."""
    user_private: bool = False
    """Of ``_User``: show it to that user and the master key alone."""
    auto_increment: bool = False
    """Number new objects one after the other."""
    default: Json | Missing = MISSING
    """Given to new objects without a value, and shown on old ones."""
    comment: str | None = None
    """For people; does nothing."""
    v: int | None = None
    """The platform's book-keeping; kept and written back."""


class _Column(Protocol):
    @property
    def type(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Rules:
    """The options of all columns of a class, turned round: which columns ask for what."""

    required: tuple[str, ...]
    locked: frozenset[str]
    """Columns that clients do not update."""
    hidden: frozenset[str]
    private: frozenset[str]
    """Columns that only the user they belong to sees."""
    numbered: tuple[str, ...]
    defaults: Mapping[str, Json]
    default_acl: Json | Missing

    def completed(self, document: Document) -> dict[str, Json]:
        """The document with the defaults of what it lacks."""
        return {**self.defaults, **document}

    def check_required(self, document: Document) -> None:
        """Raise code 113 for the first required column without a value."""
        for name in self.required:
            if document.get(name) is None:
                raise errors.REQUIRED_MISSING(f"{name} is required.")

    def check_update(self, paths: Iterable[str]) -> None:
        """Raise code 117 where a client's update names a column that is not its to change."""
        for path in paths:
            if path.partition(".")[0] in self.locked:
                raise errors.READ_ONLY(f"The column '{path.partition('.')[0]}' is read only.")


def rules_of(
    class_name: str, columns: Mapping[str, _Column], options: Mapping[str, Options]
) -> Rules | None:
    """The rules of a class; ``None`` when no column asks for anything.

    Fields that the server sets are never missing, and an ``objectId`` is never hidden. A user's
    name and password are asked for by sign-up, with codes of their own (project-files.md 3).
    """
    given = {*AUTOMATIC, "ACL"}
    if class_name == "_User":
        given |= {"username", "password"}

    def those(flag: str) -> list[str]:
        return [name for name, chosen in options.items() if getattr(chosen, flag)]

    numbered = those("auto_increment")
    required = {*those("required")} - given - {*numbered}
    defaults = {
        name: chosen.default
        for name, chosen in options.items()
        if not isinstance(chosen.default, Missing) and name not in given
    }
    acl = options.get("ACL", Options()).default
    rules = Rules(
        required=tuple(sorted(n for n in required if columns[n].type != "Relation")),
        locked=frozenset([*those("read_only"), *numbered]) - AUTOMATIC,
        hidden=frozenset(those("hidden")) - {"objectId"},
        private=frozenset(those("user_private")) - {"objectId"},
        numbered=tuple(numbered),
        defaults=defaults,
        default_acl=acl,
    )
    return None if rules == _NOTHING else rules


_NOTHING = Rules((), frozenset(), frozenset(), frozenset(), (), {}, MISSING)
