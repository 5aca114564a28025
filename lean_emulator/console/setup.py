"""What the settings page needs of the house: values and their origins, keys on demand, states."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lean_emulator.base.jsontext import Json
from lean_emulator.service.snapshots import Snapshots


@dataclass(frozen=True, slots=True)
class Effective:
    """One setting as it counts now. ``origin`` is ``default``, or the flag, variable or file that
    set it; ``None`` where a program did, which names none.
    """

    name: str
    value: Json
    origin: str | None
    default: Json
    doc: str
    unit: str = ""

    @property
    def changed(self) -> bool:
        return self.origin != "default"

    def to_json(self) -> dict[str, Json]:
        return {
            "name": self.name,
            "value": self.value,
            "origin": self.origin,
            "default": self.default,
            "unit": self.unit,
            "doc": self.doc,
        }


@dataclass(frozen=True, slots=True)
class KeyShown:
    """A key of the project without the key: ``shown`` is masked, unless it is no secret."""

    name: str
    shown: str
    origin: str | None
    secret: bool = True

    def to_json(self) -> dict[str, Json]:
        return {"name": self.name, "value": self.shown, "origin": self.origin}


@dataclass(frozen=True, slots=True)
class Setup:
    """``reveal`` gives a key by name, ``None`` for an unknown one: the one way to a whole key.
    ``reset`` forgets all objects, messages and traces.
    """

    settings: tuple[Effective, ...]
    keys: tuple[KeyShown, ...]
    reveal: Callable[[str], str | None]
    snapshots: Snapshots
    reset: Callable[[], Awaitable[None]]
