"""One hook call: what it is about, what the engine is told, and what its answer means.

Sources: engine.md 2.7 for bodies and answers, 4.2 and 4.6 for what becomes of them.
"""

from collections.abc import Mapping, Sequence

from lean_emulator.base import errors, jsontext
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.base.record import record
from lean_emulator.base.signing import hook_mark
from lean_emulator.model.access import Principal
from lean_emulator.model.document import AUTOMATIC, only, without
from lean_emulator.model.hooknames import AFTER_HOOKS, BEFORE_HOOKS, MARKS, HookKind, mark_names
from lean_emulator.model.operations import Relate, parse_operation
from lean_emulator.model.values import MISSING, normalise, type_of
from lean_emulator.service.engine import Answer, read_json, user_for_engine

HIDDEN = frozenset({"password", "salt"})
"""Members of a user that the engine never sees (engine.md 2.7)."""
_KEPT = HIDDEN | {"sessionToken"}


@record
class HookEvent:
    """A moment in the life of an object at which a hook may run."""

    kind: HookKind
    class_name: str
    document: dict[str, Json]
    updated_keys: Sequence[str] = ()

    @property
    def title(self) -> str:
        """How traces and loop errors call it: ``afterSave Post``."""
        return f"{self.kind.word} {self.class_name}"

    @property
    def name(self) -> str:
        """Its name in the metadata list."""
        return self.kind.metadata_name(self.class_name)

    @property
    def path(self) -> str:
        return self.kind.path(self.class_name)

    def mark(self, master_key: str, at_ms: int) -> dict[str, Json]:
        """The signed member that proves the call to engines before the hook key (engine.md 3.2)."""
        before = self.kind.is_before
        name, *_ = mark_names(BEFORE_HOOKS if before else AFTER_HOOKS, self.class_name)
        return {"__before" if before else "__after": hook_mark(master_key, name, at_ms)}

    def body(self, principal: Principal, marks: Mapping[str, Json]) -> bytes:
        """What the engine is sent, with ``marks`` in the object; a user's password is not in it."""
        shown = {**self.document, **marks} if marks else self.document
        if self.class_name == "_User":
            shown = without(shown, HIDDEN)
        if self.updated_keys:
            shown = {**shown, "_updatedKeys": [*self.updated_keys]}
        return jsontext.dumps({"object": shown, "user": user_for_engine(principal)})


def replacement(answer: Answer, class_name: str, document: dict[str, Json]) -> dict[str, Json]:
    """The document a beforeSave wants stored (engine.md 4.2).

    The whole answer, without marks and automatic fields, its operations applied but for those on
    relations, which belong to the write; the hook never saw a user's password,
    so that is kept. An answer that is no document leaves the given one. Raises what a write with
    such values raises.
    """
    value = read_json(answer)
    if not isinstance(value, dict) or value == {"result": "ok"}:
        return document
    if value.keys() <= {"object", "user"} and isinstance(value.get("object"), dict):
        value = value["object"]
    if not isinstance(value, dict) or not value:
        return document
    fields: dict[str, Json] = {}
    for name, raw in without(value, MARKS | AUTOMATIC | {"__type", "className"}).items():
        if isinstance(raw, dict) and "__op" in raw:
            operation = parse_operation(name, raw)
            applied = operation.apply(MISSING)
            if isinstance(operation, Relate):
                fields[name] = raw
            elif applied is not MISSING:
                fields[name] = applied  # type: ignore[assignment]  # Missing is ruled out above
        elif type_of(raw) != "Relation":
            fields[name] = normalise(raw)
    if class_name == "_User":
        fields |= only(document, _KEPT)
    return fields


def rejection(message: str, hint: errors.Hint | None = None) -> errors.HookRejected:
    """The refusal with the platform's exact prefix, blank before the colon (engine.md 4.6)."""
    return errors.HOOK_REJECTED(
        f"Cloud Code validation failed. Error detail : {message}", hint=hint
    )


def describe(e: ApiError) -> dict[str, Json]:
    """An error as a span keeps it."""
    said: dict[str, Json] = {"code": e.code, "message": e.message}
    if e.hint is not None:
        said["hint"] = {"en": e.hint.en, "zh": e.hint.zh}
    return said
