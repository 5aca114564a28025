"""The hooks there are: names on the wire, in metadata, and how they behave (engine.md 2.3, 4.1)."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class _Traits:
    word: str
    """Last part of the path, and the name in ``__ignore_hooks``."""
    prefix: str
    """What the metadata list puts before the class name."""
    before: bool
    """Runs before the write and can refuse it."""


class HookKind(Enum):
    """A class hook."""

    BEFORE_SAVE = _Traits("beforeSave", "__before_save_for_", True)
    AFTER_SAVE = _Traits("afterSave", "__after_save_for_", False)
    BEFORE_UPDATE = _Traits("beforeUpdate", "__before_update_for_", True)
    AFTER_UPDATE = _Traits("afterUpdate", "__after_update_for_", False)
    BEFORE_DELETE = _Traits("beforeDelete", "__before_delete_for_", True)
    AFTER_DELETE = _Traits("afterDelete", "__after_delete_for_", False)

    def __init__(self, traits: _Traits) -> None:
        self.word = traits.word
        self.prefix = traits.prefix
        self.is_before = traits.before

    def metadata_name(self, class_name: str) -> str:
        return self.prefix + class_name

    def path(self, class_name: str) -> str:
        return f"/1.1/functions/{class_name}/{self.word}"


BY_WORD = {kind.word: kind for kind in HookKind}
BEFORE_HOOKS = frozenset(kind for kind in HookKind if kind.is_before)
AFTER_HOOKS = frozenset(kind for kind in HookKind if not kind.is_before)

NEVER_HOOKED = frozenset({"_Installation"})
"""Classes whose writes fire nothing, whatever the engine registers (engine.md 4.1)."""

MARKS = frozenset(
    {"__ignore_hooks", "__before", "__after", "__after_update", "__sign", "_updatedKeys"}
)
"""Members of bodies that steer hooks and are never stored (engine.md 3.6)."""


MARKED_HOOKS = {"__before": BEFORE_HOOKS, "__after": AFTER_HOOKS}
"""Members that switch hooks off when they hold a signed mark."""


def mark_names(kinds: frozenset[HookKind], class_name: str) -> tuple[str, ...]:
    """Names a mark for these hooks may be signed under, the usual one first (engine.md 3.2)."""
    word = "before" if kinds == BEFORE_HOOKS else "after"
    return (
        f"__{word}_for_{class_name}",
        *sorted(kind.metadata_name(class_name) for kind in kinds),
    )


@dataclass(frozen=True, slots=True)
class Registered:
    """A name from the metadata list, understood."""

    name: str
    class_name: str | None = None
    hook: HookKind | None = None

    @property
    def is_function(self) -> bool:
        return not self.name.startswith("__")


def understand(name: str) -> Registered:
    """Tell a class hook from a function or another kind of hook (engine.md 2.3)."""
    for kind in HookKind:
        if name.startswith(kind.prefix):
            return Registered(name, name.removeprefix(kind.prefix), kind)
    return Registered(name)


def parse_ignored(raw: object) -> frozenset[HookKind]:
    """The hooks named by an ``__ignore_hooks`` member; unknown names mean nothing."""
    if not isinstance(raw, list):
        return frozenset()
    return frozenset(BY_WORD[word] for word in raw if isinstance(word, str) and word in BY_WORD)
