"""``lean-emu replay``: what a trace recorded, again, with the code of now; and what it does now."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click

from lean_emulator.base.errors import Hint
from lean_emulator.base.jsontext import Json
from lean_emulator.cli import exits
from lean_emulator.cli.admin_client import Unreachable
from lean_emulator.cli.command import (
    KEY_NAMES,
    Documented,
    not_empty,
    open_project,
    settings_options,
)
from lean_emulator.cli.dry_run import dry_run_option, show_writes, tried
from lean_emulator.cli.outcome import exit_code, explain
from lean_emulator.cli.output import echo_error, hint_text, note, styled
from lean_emulator.cli.params import read_settings
from lean_emulator.cli.served import Served, running
from lean_emulator.cli.trace_text import change_line

POLL_SECONDS = 20.0
SIGNS = {
    "same": (" ", None), "changed": ("~", "yellow"),
    "added": ("+", "green"), "removed": ("-", "red"),
}  # fmt: skip
WAITING = Hint(
    en="Waiting for the code to be loaded again; Ctrl-C ends.",
    zh="正在等待代码重新加载；按 Ctrl-C 结束。",
)


@click.command(
    cls=Documented,
    examples=[
        "lean-emu replay t-1f",
        "lean-emu replay --last --set stars=1 --dry-run",
        "lean-emu replay t-1f --dry-run --watch",
    ],
    codes=(
        exits.OK,
        exits.ERROR,
        exits.USAGE,
        exits.DID_NOT_LOAD,
        exits.TIMED_OUT,
        exits.CANNOT_START,
    ),
)
@click.argument("name", metavar="[TRACE]", required=False, callback=not_empty)
@click.option("--last", is_flag=True, help="The newest request, function or hook.")
@click.option(
    "--set",
    "members",
    metavar="PATH=VALUE",
    multiple=True,
    help="Another value in what is sent: a.b=1, JSON5 or text; may be repeated.",
)
@dry_run_option
@click.option(
    "--watch", is_flag=True, help="Again whenever the code has been loaded, until Ctrl-C."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the answer and the difference as JSON."
)
@click.option(
    "-C",
    "--project",
    "directory",
    metavar="DIR",
    default=".",
    type=click.Path(path_type=Path),
    help="The project's folder. [default: here]",
)
@settings_options("timeouts", *KEY_NAMES)
def replay(
    name: str | None,
    last: bool,
    members: tuple[str, ...],
    dry_run: bool,
    watch: bool,
    as_json: bool,
    directory: Path,
    **flags: object,
) -> int:
    """Do again what TRACE recorded, for the same user, and show what became different.

    A request is sent, a function or hook called, with the code as it is now. Then both runs are
    compared step by step: + new, - gone, ~ otherwise, below it the values that differ. Times, and
    ids and dates of what was created, do not count.
    """
    if (name is None) != last:
        raise click.UsageError("Give the ID of a trace, or --last.")
    edits = read_settings(members)
    served = running(open_project(directory, flags), directory)
    try:
        wanted = _Replay(served, name or _newest(served), edits, dry_run, as_json)
        return wanted.watched() if watch else wanted.once()
    except Unreachable as e:
        raise click.ClickException(str(e)) from e


class _Replay(NamedTuple):
    """One replay, to be done once or again and again."""

    served: Served
    trace: str
    edits: dict[str, Json]
    dry: bool
    as_json: bool

    def once(self) -> int:
        """Do it and print what came of it; the exit code is that of what was replayed."""
        wish: dict[str, Json] = {"trace": self.trace, "set": self.edits, "dryRun": self.dry}
        came, told = self.served.try_out("replay", wish)
        if not told:
            echo_error(f"{came.error.get('error', came.body)}")
            return exits.ERROR
        code = exit_code(came)
        if self.as_json:
            click.echo(json.dumps(told, ensure_ascii=False))
        else:
            for line in diff_lines(told["diff"]):
                click.echo(line)
        if code != exits.OK:
            explain(came, code)
        if self.dry:
            show_writes(tried(came, told))
        title = f"{told['replayOf']} → {told['trace']}  {came.status}  {came.took_ms:.0f} ms"
        tail = f"  {came.link}" if came.link else ""
        note(f"{_sum(told['diff'])}  {styled(title + tail, dim=True, err=True)}")
        return code

    def watched(self) -> int:
        """Do it now and after every reload, until Ctrl-C, which leaves with 0."""
        admin = self.served.admin
        try:
            seen = _name_of(admin.reload_after(None, 0.0))
            self.once()
            note(hint_text(WAITING))
            while True:
                found = admin.reload_after(seen, POLL_SECONDS)
                if found is None:
                    continue
                seen = _name_of(found)
                note(reload_line(found))
                if found["outcome"] == "ok":
                    self.once()
        except KeyboardInterrupt:
            return exits.OK


def diff_lines(diff: Mapping[str, Any]) -> Iterator[str]:
    """Both runs as one tree, a line per step, with what differs below it."""
    for step in diff["steps"]:
        sign, colour = SIGNS[step["change"]]
        indent = "  " * step["depth"]
        line = f"{sign} {indent}{'  '.join(_words(step))}"
        yield line if colour is None else styled(line, fg=colour)
        for row in step["differences"]:
            yield f"  {indent}    {change_line(_row(row))}"


def reload_line(reload: Mapping[str, Any]) -> str:
    """What loading the code again came to."""
    loaded = reload["outcome"] == "ok"
    error = reload.get("error")
    message = error.get("message") if isinstance(error, Mapping) else None
    words = [
        styled("↻", fg="green" if loaded else "red", err=True),
        "loaded" if loaded else "did not load",
        str(reload.get("reason") or reload.get("title")),
        *(f"+{name}" for name in reload.get("added") or ()),
        *(f"-{name}" for name in reload.get("removed") or ()),
        *([str(message)] if message and not loaded else []),
    ]
    return "  ".join(words)


def _words(step: Mapping[str, Any]) -> Iterator[str]:
    """Its title, and the outcomes and times of both runs where they differ."""
    sides = [side for side in (step["before"], step["after"]) if side is not None]
    yield str(step["title"])
    yield " → ".join(_once_each(map(_outcome, sides)))
    times = _once_each(f"{s['tookMs']:.1f} ms" for s in sides if s["tookMs"] is not None)
    if times:
        yield " → ".join(times)


def _once_each(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _outcome(side: Mapping[str, Any]) -> str:
    status = side["status"]
    return str(side["outcome"]) + (f" {status}" if status is not None else "")


def _row(difference: Mapping[str, Any]) -> dict[str, Any]:
    """A difference as a row of a diff."""
    if "after" not in difference:
        change = "removed"
    else:
        change = "changed" if "before" in difference else "added"
    return {**difference, "key": difference["path"], "change": change}


def _sum(diff: Mapping[str, Any]) -> str:
    total, differing = len(diff["steps"]), diff["differing"]
    if diff["same"]:
        return hint_text(Hint(en="The same in every step.", zh="每一步都相同。"))
    return hint_text(
        Hint(
            en=f"{differing} of {total} steps differ.",
            zh=f"共 {total} 步，其中 {differing} 步不同。",
        )
    )


def _newest(served: Served) -> str:
    """The name of the newest trace; without one, the command ends with 1."""
    tree = served.admin.find_trace("last")
    if tree is None:
        echo_error("there is no trace")
        raise click.exceptions.Exit(exits.ERROR)
    return str(tree["id"])


def _name_of(reload: Mapping[str, Any] | None) -> str | None:
    return None if reload is None else str(reload["id"])
