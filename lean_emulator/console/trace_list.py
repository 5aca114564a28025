"""The list of traces: filter, pages, and the values a filter can take."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from lean_emulator.base.jsontext import Json
from lean_emulator.base.masking import Mask
from lean_emulator.base.trace import EventLog, Outcome, Span
from lean_emulator.base.trace_view import summary, walk

PAGE = 100
KINDS = ("request", "function", "hook", "task", "reload", "message")
OUTCOMES = ("ok", "rejected", "failed", "timeout", "loop", "running")

_WORD = re.compile(r'(?:(\w+):)?(?:"([^"]*)"|(\S+))')
_FUNCTION_PATH = re.compile(r"/1\.\d/(?:functions|call)/([^/?]+)(?:\?|$)")
_FIELDS = ("outcome", "class", "kind", "user", "cause", "task")


@dataclass(frozen=True, slots=True)
class Filter:
    """What to keep. ``class`` and ``user`` are those of the request that began the trace; ``cause``
    is ``timer`` or ``queue``, ``task`` the name of a scheduled one.
    """

    text: str = ""
    chosen: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(cls, params: Mapping[str, str]) -> "Filter":
        chosen = tuple((name, params[name]) for name in _FIELDS if params.get(name))
        return cls(params.get("q", "").strip(), chosen)

    @property
    def active(self) -> bool:
        return bool(self.text or self.chosen)

    def params(self) -> dict[str, str]:
        return {**({"q": self.text} if self.text else {}), **dict(self.chosen)}

    def get(self, name: str) -> str | None:
        return dict(self.chosen).get(name)

    def having(self, name: str, value: str | None) -> "Filter":
        """The same with one field set, or taken out by ``None``."""
        rest = tuple((n, v) for n, v in self.chosen if n != name)
        return replace(self, chosen=rest if value is None else (*rest, (name, value)))

    def keep(self, traces: Iterable[Span]) -> list[Span]:
        """Those that match every word and every choice.

        Words like ``class:Review`` are choices too, and so is a step that ran: ``hook:beforeSave``,
        ``hook:Review/beforeSave``, ``function:averageStars``. Other words are sought, without
        regard to case, in titles, paths, names and errors of all steps.
        """
        wanted, words = [*self.chosen], []
        for name, quoted, plain in _WORD.findall(self.text):
            value = quoted or plain
            if name in (*_FIELDS, "function", "hook", "status"):
                wanted.append((name, value))
            else:
                words.append((f"{name}:{value}" if name else value).casefold())
        return [
            span
            for span in traces
            if all(_has(span, name, value.casefold()) for name, value in wanted)
            and (not words or _has_all(span, words))
        ]


def _has(span: Span, name: str, value: str) -> bool:
    if name == "hook":
        return any(value in _hook_names(step) for step in walk(span))
    if name == "function" and _field(span, name) != value:
        return any(step.kind == name and _field(step, name) == value for step in walk(span))
    return _field(span, name) == value


def _hook_names(step: Span) -> tuple[str, ...]:
    """What a hook that ran is called, without and with its class."""
    if step.kind != "hook" or step.outcome == "skipped":
        return ()
    hook = str(step.detail.get("hook", "")).casefold()
    return hook, f"{step.detail.get('class_name') or ''}/{hook}".casefold()


def _field(span: Span, name: str) -> str:
    value: object = {
        "outcome": span.outcome,
        "class": span.detail.get("class_name"),
        "kind": span.kind,
        "user": who(span),
        "function": function_of(span),
        "status": span.status,
        "cause": span.detail.get("cause"),
        "task": span.detail.get("task"),
    }[name]
    return "" if value is None else str(value).casefold()


def function_of(span: Span) -> str | None:
    """The cloud function that was asked for, also where only the path tells."""
    if "function" in span.detail:
        return str(span.detail["function"])
    match = _FUNCTION_PATH.match(str(span.detail.get("path", "")))
    return match[1] if match else None


def gone_wrong(span: Span) -> Outcome | None:
    """The outcome of a step that went wrong below a trace which is well: an after hook's."""
    if span.outcome != "ok":
        return None
    return next((s.outcome for s in walk(span) if s.outcome in ("loop", "timeout", "failed")), None)


def who(span: Span) -> str | None:
    """The user's name, or the words ``master`` and ``nobody``; ``None`` where nobody called."""
    user = span.detail.get("user")
    if isinstance(user, Mapping):
        return str(user.get("username") or user.get("objectId") or "nobody")
    identity = span.detail.get("identity")
    if identity is None:
        return None
    return "nobody" if identity == "anonymous" else str(identity)


def _has_all(span: Span, words: list[str]) -> bool:
    parts: list[str] = [span.name]
    for step in walk(span):
        detail = step.detail
        parts.append(step.title)
        parts += [str(detail[key]) for key in ("path", "hook", "function", "note") if key in detail]
        error = detail.get("error")
        if isinstance(error, Mapping):
            parts.append(str(error.get("message", "")))
    text = "\n".join(parts).casefold()
    return all(word in text for word in words)


@dataclass(frozen=True, slots=True)
class Page:
    """``rows`` newest first; ``older`` is the ``before`` of the next page, ``None`` at the end."""

    rows: list[dict[str, Json]]
    matching: int
    kept: int
    older: str | None


class TraceList:
    """Pages of summaries; those of finished traces are made once."""

    def __init__(self, log: EventLog, mask: Mask) -> None:
        self._log = log
        self._mask = mask
        self._done: dict[int, dict[str, Json]] = {}

    def page(self, wanted: Filter, before: str | None = None, size: int = PAGE) -> Page:
        """One page. An unknown ``before`` is ignored."""
        kept = self._log.traces()
        matching = wanted.keep(kept) if wanted.active else kept
        limit = _number(before)
        older = matching if limit is None else [span for span in matching if span.id < limit]
        shown = older[:size]
        return Page(
            rows=[self.summary(span) for span in shown],
            matching=len(matching),
            kept=len(kept),
            older=shown[-1].name if len(older) > size else None,
        )

    def summary(self, span: Span) -> dict[str, Json]:
        ready = self._done.get(span.id)
        if ready is not None and self._log.trace(span.name) is span:
            return ready
        made = {
            **summary(span, self._mask),
            "who": self._mask.json(who(span)),
            "function": self._mask.json(function_of(span)),
            "later": gone_wrong(span),
            "cause": span.detail.get("cause"),
            "task": self._mask.json(span.detail.get("task")),
            "why": span.detail.get("why"),
        }
        if made["quietMs"] is not None:
            if len(self._done) > 2 * self._log.capacity:
                self._done.clear()
            self._done[span.id] = made
        return made

    def choices(self) -> dict[str, list[str]]:
        """Values that occur, per filter field, sorted."""
        traces = self._log.traces()
        kinds, outcomes = ({getattr(s, name) for s in traces} for name in ("kind", "outcome"))
        classes = {s.detail.get("class_name") for s in traces}
        users = {who(s) for s in traces}
        causes, tasks = ({s.detail.get(name) for s in traces} for name in ("cause", "task"))
        return {
            "outcome": [name for name in OUTCOMES if name in outcomes],
            "class": sorted(name for name in classes if name),
            "kind": [name for name in KINDS if name in kinds],
            "user": sorted(name for name in users if name),
            "cause": sorted(name for name in causes if name),
            "task": sorted(name for name in tasks if name),
        }


def link(path: str, **params: str | int | None) -> str:
    """A path with a query; parameters that are ``None`` or empty are left out."""
    query = urlencode({name: value for name, value in params.items() if value not in (None, "")})
    return f"{path}?{query}" if query else path


def _number(name: str | None) -> int | None:
    try:
        return int((name or "").removeprefix("t-"), 16)
    except ValueError:
        return None
