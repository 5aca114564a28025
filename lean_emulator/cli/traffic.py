"""Requests and reloads as lines in the terminal of ``lean-emu up``."""

from collections import Counter, OrderedDict
from collections.abc import Iterator

from lean_emulator.base.errors import Hint
from lean_emulator.base.trace import Outcome, Span
from lean_emulator.base.trace_view import walk, warnings_of
from lean_emulator.cli.output import hint_text, styled

REMEMBERED = 4_000
"""Traces of which we know that their line is out; notices of older ones do not come any more."""

REASON_WIDTH = 100
"""Letters of what a refused request was told that its line shows."""

COLOURS: dict[Outcome, str] = {
    "ok": "green",
    "running": "blue",
    "skipped": "white",
    "rejected": "yellow",
    "failed": "red",
    "timeout": "red",
    "loop": "red",
}


class Traffic:
    """Turns notices about traces into lines, one for each request when it has its answer.

    After hooks may still run then; one that goes wrong later gets a line of its own. A warning
    follows the line of what it is about, once per step of that name until the code is loaded again.
    """

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._shown: OrderedDict[int, _Shown] = OrderedDict()
        self._warned: set[tuple[str, str]] = set()

    def lines(self, root: Span) -> Iterator[str]:
        """Lines that the current state of a trace adds; none while it waits for its answer."""
        if root.ended is None:
            return
        shown, steps = self._shown.get(root.id), [*walk(root)]
        if shown is None:
            shown = self._shown[root.id] = _Shown()
            shown.failures = {step.id for step in steps if _went_wrong(step)}
            if len(self._shown) > REMEMBERED:
                self._shown.popitem(last=False)
            if root.kind == "reload":
                self._warned.clear()
            yield reload_line(root) if root.kind == "reload" else request_line(root)
            if self._verbose:
                yield from step_lines(root)
        for step in steps:
            yield from self._about(step, shown)

    def _about(self, step: Span, shown: "_Shown") -> Iterator[str]:
        """What a step has to say that has not been said."""
        if "cycle" in step.detail:
            yield from self._cut(step)
        if _went_wrong(step) and step.id not in shown.failures:
            shown.failures.add(step.id)
            if step.outcome != "loop":
                yield f"  {styled('later', dim=True)} {_step(step)}"
        if step.ended is not None and step.id not in shown.looked_at:
            shown.looked_at.add(step.id)
            if "warnings" in step.detail:
                yield from self._warnings(step)

    def _cut(self, step: Span) -> Iterator[str]:
        """Where hooks that cause each other were stopped; hooks that breed are, many times."""
        if (step.title, "cycle") in self._warned:
            return
        self._warned.add((step.title, "cycle"))
        error = step.detail["error"]
        cure = Hint(str(error["hint"]["en"]), str(error["hint"]["zh"]))
        yield f"  {styled('✗', fg='red')} {printable(step.title)}  {printable(error['message'])}"
        yield f"  {styled('→', fg='yellow')} {printable(hint_text(cure))}"

    def _warnings(self, step: Span) -> Iterator[str]:
        name = step.kind if step.kind == "request" else step.title
        for warning in warnings_of(step):
            if (name, str(warning["kind"])) not in self._warned:
                self._warned.add((name, str(warning["kind"])))
                said = hint_text(Hint(str(warning["en"]), str(warning["zh"])))
                yield f"  {styled('⚠', fg='yellow')} {printable(step.title)}  {printable(said)}"


class _Shown:
    """Late failures of a trace that have their line, and steps looked at for warnings."""

    def __init__(self) -> None:
        self.failures: set[int] = set()
        self.looked_at: set[int] = set()


def request_line(root: Span) -> str:
    """Method and path, status, time to the answer, the hooks that ran on the way, the refusal."""
    ended = root.answered if root.answered is not None else root.ended
    took = (ended or root.began) - root.began
    status = "" if root.status is None else str(root.status)
    words = [
        styled(f"{status or '-':>3}", fg=COLOURS[root.outcome]),
        printable(root.title),
        styled(f"{took * 1000:.0f} ms", dim=True),
    ]
    if root.detail.get("note"):
        words.append(styled(printable(str(root.detail["note"])), dim=True))
    ran = [
        (step.title, step.outcome)
        for step in walk(root)
        if step.kind == "hook" and step.outcome != "skipped"
    ]
    for (title, outcome), count in Counter(ran).items() if ran else ():
        times = f" ×{count}" if count > 1 else ""
        words.append(styled(printable(title) + times, fg=COLOURS[outcome]))
    refusal = root.detail.get("error")
    if isinstance(refusal, dict) and "cycle" not in root.detail:
        words.append(styled(_shortened(printable(str(refusal.get("message")))), dim=True))
    return "  ".join(words)


def _shortened(text: str) -> str:
    return text if len(text) <= REASON_WIDTH else text[: REASON_WIDTH - 1] + "…"


def reload_line(root: Span) -> str:
    """What loading the code again came to: the functions and hooks that came and went."""
    detail = root.detail
    changes = [f"+{name}" for name in detail.get("added") or ()]
    changes += [f"-{name}" for name in detail.get("removed") or ()]
    took = ((root.ended or root.began) - root.began) * 1000
    word = "loaded" if root.outcome == "ok" else "did not load"
    words = [
        styled("↻", fg=COLOURS[root.outcome], bold=True),
        styled(word, fg=COLOURS[root.outcome]),
        printable(str(detail.get("reason") or root.title)),
        styled(f"{took:.0f} ms", dim=True),
        *map(printable, changes),
    ]
    return "  ".join(words)


def step_lines(span: Span, depth: int = 1) -> Iterator[str]:
    """Every step below a span, indented by its depth."""
    for step in span.children:
        yield f"{'  ' * depth}  {_step(step)}"
        yield from step_lines(step, depth + 1)


def _step(step: Span) -> str:
    took = "" if step.ended is None else f"  {(step.ended - step.began) * 1000:.0f} ms"
    error = step.detail.get("error")
    why = error.get("message") if isinstance(error, dict) else _why(step)
    tail = f"  {printable(str(why))}" if why else ""
    outcome = styled(step.outcome, fg=COLOURS[step.outcome])
    return f"{printable(step.title)}  {outcome}{styled(took, dim=True)}{tail}"


def _why(step: Span) -> str | None:
    why = step.detail.get("why")
    return hint_text(Hint(str(why["en"]), str(why["zh"]))) if isinstance(why, dict) else why


def _went_wrong(step: Span) -> bool:
    return step.kind == "hook" and step.outcome in ("failed", "timeout", "loop")


def printable(text: str) -> str:
    """Text from a client without the characters that would steer a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
