"""What became of every hook a write could have run: it ran, or why it did not.

A write leaves a *moment* in the detail of the step it belongs to: the event of its before hook,
the names registered then, what the request asked to leave out, and why the code was not loaded.
Everything else is worked out from the steps around it when somebody looks (engine.md 4.1).
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import Deferred, Span
from lean_emulator.model.hooknames import NEVER_HOOKED, HookKind, understand
from lean_emulator.service import fate_texts as texts
from lean_emulator.service.call import Wish
from lean_emulator.service.engine import Failure
from lean_emulator.service.fate_texts import Said
from lean_emulator.service.hook_event import HookEvent

Moment: TypeAlias = tuple[HookEvent, frozenset[str], Wish | None, Failure | None]

_OF_A_WRITE = {
    HookKind.BEFORE_SAVE: (HookKind.BEFORE_SAVE, HookKind.AFTER_SAVE),
    HookKind.BEFORE_UPDATE: (HookKind.BEFORE_UPDATE, HookKind.AFTER_UPDATE),
    HookKind.BEFORE_DELETE: (HookKind.BEFORE_DELETE, HookKind.AFTER_DELETE),
}
_OFTEN_EXPECTED = {
    HookKind.BEFORE_SAVE: (HookKind.BEFORE_UPDATE, HookKind.AFTER_UPDATE),
    HookKind.BEFORE_UPDATE: (HookKind.BEFORE_SAVE, HookKind.AFTER_SAVE),
    HookKind.BEFORE_DELETE: (),
}
"""A save in the SDK is a create or an update, and only one pair of hooks belongs to it."""

_BY_METHOD = {
    "POST": HookKind.BEFORE_SAVE,
    "PUT": HookKind.BEFORE_UPDATE,
    "DELETE": HookKind.BEFORE_DELETE,
}
_SHORT_PATH = re.compile(r"/1(?:\.1)?/(users|roles|installations)(?:/[^/]+)?/?")
_SHORT_FOR = {"users": "_User", "roles": "_Role", "installations": "_Installation"}
_ALIKE = 0.8

RAN = frozenset({"ran", "ran_anyway", "ran_old_code"})
"""Reasons of hooks that ran: as they should, though asked not to, with code that is outdated."""


@dataclass(frozen=True, slots=True)
class Fate:
    """``reason`` is one of ``RAN`` or why not; ``step`` the hook's own step, where it has one.

    Reasons for not running: ``excluded``, ``ignored``, ``not_registered``, ``other_write``,
    ``not_loaded`` and ``not_reached``.
    """

    kind: HookKind
    class_name: str
    object_id: str | None
    reason: str
    said: Said
    step: Span | None = None
    nearest: str | None = None

    def to_json(self) -> dict[str, Json]:
        return {
            "hook": self.kind.word,
            "className": self.class_name,
            "objectId": self.object_id,
            "ran": self.reason in RAN,
            "reason": self.reason,
            "step": None if self.step is None else self.step.name,
            "outcome": None if self.step is None else self.step.outcome,
            "nearest": self.nearest,
            "en": self.said.en,
            "zh": self.said.zh,
        }


class Fates(Deferred):
    """The ``hooks`` member of a request that writes.

    ``expected`` is true of hooks without a step that somebody may look for: their class has hooks
    for such writes, or nearly has, or has hooks for the other kind of save only.
    """

    __slots__ = ()

    def told(self, span: Span) -> Json:
        fates = [*fates_of(span)]
        own = {f.class_name for f in fates if f.reason not in ("not_registered", "other_write")}
        reached = "moments" in span.detail
        told: list[Json] = [
            {**fate.to_json(), "expected": reached and _is_expected(fate, own)} for fate in fates
        ]
        return told or None


def _is_expected(fate: Fate, own: set[str]) -> bool:
    if fate.step is not None:
        return False
    if fate.reason == "not_registered":
        return fate.nearest is not None or fate.class_name in own
    return fate.reason != "other_write" or fate.class_name not in own


FATES = Fates()


def note(
    span: Span, event: HookEvent, names: frozenset[str], wish: Wish | None, failure: Failure | None
) -> None:
    """Keep the moment at which a write comes to its hooks; on the path of every write."""
    detail = span.detail
    moments = detail.get("moments")
    if moments is None:
        detail["moments"] = [(event, names, wish, failure)]
        detail["hooks"] = FATES
    else:
        moments.append((event, names, wish, failure))


def fates_of(span: Span) -> Iterator[Fate]:
    """One fate for each hook that each write of the step could have run, in the order of writes.

    Hooks of the other kind of save are among them where the class has them.
    """
    moments: list[Moment] = span.detail.get("moments") or []
    if not moments:
        yield from _never_reached(span)
        return
    steps = _Steps(span)
    for moment in moments:
        event, names = moment[0], moment[1]
        for kind in _OF_A_WRITE[event.kind]:
            fate = _fate(span, steps, kind, moment)
            if fate is not None:
                yield fate
        for kind in _OFTEN_EXPECTED[event.kind]:
            if kind.metadata_name(event.class_name) in names:
                said = texts.other_write(kind)
                yield Fate(kind, event.class_name, _id_of(event), "other_write", said)


def nearest_class(kind: HookKind, class_name: str, names: Iterable[str]) -> str | None:
    """The class with such a hook whose name is most like ``class_name``: another case, a typo,
    singular for plural, ``User`` for ``_User``; ``None`` when none is close.
    """
    known = {
        named.class_name.casefold().strip("_"): named.class_name
        for named in map(understand, sorted(names))
        if named.hook is kind and named.class_name is not None and named.class_name != class_name
    }
    close = difflib.get_close_matches(class_name.casefold().strip("_"), known, 1, _ALIKE)
    return known[close[0]] if close else None


class _Steps:
    """Hook steps below a span, each given out once: by object where that is known, else in order.

    After hooks start in the order of their writes, so that order tells which belongs to which.
    """

    def __init__(self, span: Span) -> None:
        self._waiting: dict[tuple[Any, Any], list[Span]] = {}
        for step in span.children:
            if step.kind == "hook":
                key = (step.detail.get("hook"), step.detail.get("class_name"))
                self._waiting.setdefault(key, []).append(step)

    def take(self, kind: HookKind, class_name: str, object_id: str | None) -> Span | None:
        waiting = self._waiting.get((kind.word, class_name), [])
        for place, step in enumerate(waiting):
            if object_id is None or step.detail.get("object_id") in (None, object_id):
                return waiting.pop(place)
        return None


def _fate(span: Span, steps: _Steps, kind: HookKind, moment: Moment) -> Fate | None:
    """What became of one hook of a write; ``None`` while that is open or no longer known."""
    event, names, _, failure = moment
    class_name, object_id = event.class_name, _id_of(event)
    step = steps.take(kind, class_name, object_id)
    near = None
    if class_name in NEVER_HOOKED:
        reason, said = "excluded", texts.excluded(class_name)
    elif step is not None:
        reason, said = _fate_of_step(step, kind, moment)
    elif kind.metadata_name(class_name) in names:
        if span.ended is None or span.root.dropped:
            return None
        reason, said = "not_reached", texts.not_reached(_what_ended(span, kind))
    elif failure is not None and not names:
        reason, said = "not_loaded", texts.never_loaded(failure.last_line)
    else:
        near = nearest_class(kind, class_name, names)
        reason, said = "not_registered", texts.not_registered(class_name, near, failure)
    return Fate(kind, class_name, object_id, reason, said, step, near)


def _fate_of_step(step: Span, kind: HookKind, moment: Moment) -> tuple[str, Said]:
    _, _, wish, failure = moment
    if step.outcome == "skipped":
        return "ignored", _as_said(step.detail.get("why"))
    if failure is not None and step.detail.get("unloaded"):
        return "not_loaded", texts.unloaded(kind, failure.last_line)
    if failure is not None:
        return "ran_old_code", texts.ran_old_code(failure.last_line)
    if wish is not None and kind in wish.named:
        return "ran_anyway", texts.ran_anyway()
    return "ran", texts.ran(step)


def _never_reached(span: Span) -> Iterator[Fate]:
    """A request that was to write and did not come as far as its hooks."""
    first = _BY_METHOD.get(str(span.detail.get("method")))
    class_name = span.detail.get("class_name")
    short = _SHORT_PATH.fullmatch(str(span.detail.get("path")))
    if class_name is None and short is not None:
        class_name = _SHORT_FOR[short[1]]
    if first is None or class_name is None or span.ended is None:
        return
    if span.outcome != "ok":
        said = texts.not_reached(_what_ended(span, first))
    elif first is HookKind.BEFORE_DELETE:
        said = texts.nothing_to_delete()
    else:
        return
    for kind in _OF_A_WRITE[first]:
        yield Fate(kind, str(class_name), None, "not_reached", said)


def _what_ended(span: Span, kind: HookKind) -> Said:
    """Why a write went no further: the first of its own steps that failed, or its error.

    A write that is well all the same lost the hook while another hook of it ran.
    """
    for step in span.children:
        if step.outcome in ("rejected", "failed", "timeout", "loop") and not _is_after(step):
            return texts.stopped_by(step, _message(step.detail.get("error")))
    if span.outcome == "ok":
        return texts.gone_meanwhile(kind)
    error = span.detail.get("error") or span.detail.get("response")
    return texts.stopped_by(None, _message(error))


def _is_after(step: Span) -> bool:
    return step.kind == "hook" and str(step.detail.get("hook")).startswith("after")


def _message(error: object) -> str:
    if not isinstance(error, Mapping):
        return ""
    return str(error.get("message") or error.get("error") or "")


def _as_said(why: object) -> Said:
    if isinstance(why, Mapping):
        return Said(str(why.get("en", "")), str(why.get("zh", "")))
    return Said(str(why or ""), str(why or ""))


def _id_of(event: HookEvent) -> str | None:
    object_id = event.document.get("objectId")
    return object_id if isinstance(object_id, str) else None
