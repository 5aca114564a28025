"""What a handler gets and gives, free of sockets: batch uses the same pair."""

from collections.abc import Callable, Mapping
from dataclasses import field

from lean_emulator.base import errors, jsontext
from lean_emulator.base.jsontext import Json
from lean_emulator.base.record import record
from lean_emulator.model.document import without
from lean_emulator.model.hooknames import (
    MARKED_HOOKS,
    MARKS,
    HookKind,
    mark_names,
    parse_ignored,
)
from lean_emulator.model.operations import Write, parse_write
from lean_emulator.model.where_json import truth
from lean_emulator.service.call import Call, Wish

MAX_OBJECT = 16 * 1024 * 1024
"""Bytes one object may have (storage.md 2.4)."""

CONTROL_MEMBERS = frozenset({"__internalId", "__children", "_fetchWhenSave", "_where"})
"""Members of a body that steer the request and are never stored (storage.md 1.3, 3.8)."""
_NOT_STORED = MARKS | CONTROL_MEMBERS


@record
class Request:
    """One API request after authentication.

    ``params`` are the query's members: texts from a URL, native JSON from a batch.
    """

    call: Call
    method: str
    path: tuple[str, ...]
    """Segments after the version, percent-encoding undone."""
    params: Mapping[str, Json]
    body: Json
    headers: Mapping[str, str] = field(default_factory=dict)
    in_batch: bool = False
    size: int = 0
    """Bytes of the whole HTTP body, for a member of a batch too."""
    proves: Callable[[tuple[str, ...], object], bool] = lambda names, mark: False
    """Whether a mark was made with the master key for one of the names (engine.md 3.2)."""

    def document(self) -> dict[str, Json]:
        """The body as an object; ``null`` and nothing count as empty. Raises code 107."""
        if self.body is None:
            return {}
        if self.body == []:
            return {}  # what PHP makes of an empty map
        if not isinstance(self.body, dict):
            raise errors.INVALID_JSON("The body must be a JSON object.")
        return self.body

    def flag(self, *names: str) -> bool:
        """Whether one of the query parameters is true."""
        return bool(self.params) and any(truth(self.params.get(name)) for name in names)

    def write(self) -> Write:
        """The body as operations, without marks and control members.

        Raises code 116 for an object over ``MAX_OBJECT``.
        """
        document = self.document()
        if self.size > MAX_OBJECT and len(jsontext.dumps(document)) > MAX_OBJECT:
            raise errors.TOO_LARGE_OBJECT(
                f"The object is larger than {MAX_OBJECT // 1024 // 1024} MB."
            )
        return parse_write(without(document, _NOT_STORED))

    def hooked_call(self, class_name: str) -> Call:
        """The call, with the hooks the body may switch off (engine.md 3.6).

        By name, only the engine's own requests and the master key may; by mark, whoever has one
        that was signed for this class. Everybody else's wish is ignored.
        """
        if not isinstance(self.body, dict):
            return self.call
        named = parse_ignored(self.body.get("__ignore_hooks"))
        marked = self._marked(self.body, class_name)
        if not named and not marked:
            return self.call
        call, principal = self.call, self.call.principal
        if call.span is not None:
            call.span.detail["ignored"] = sorted(kind.word for kind in named | marked)
        entitled = principal.from_engine or principal.is_master
        return call.ignoring(named | marked if entitled else marked, Wish(named, marked))

    def _marked(self, body: Mapping[str, Json], class_name: str) -> frozenset[HookKind]:
        marked: frozenset[HookKind] = frozenset()
        for member, kinds in MARKED_HOOKS.items():
            if member in body and self.proves(mark_names(kinds, class_name), body[member]):
                marked |= kinds
        return marked


@record
class Answer:
    """Status, JSON body and headers beyond the usual."""

    body: Json
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
