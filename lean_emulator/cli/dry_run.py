"""``--dry-run``: the real chain, whose writes are shown and then dropped."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import click

from lean_emulator.base.errors import Hint
from lean_emulator.base.jsontext import Json
from lean_emulator.cli.identity import no_such_user
from lean_emulator.cli.outcome import Came
from lean_emulator.cli.output import hint_text, note, styled, warn
from lean_emulator.cli.served import Acting, Served
from lean_emulator.cli.trace_text import change_line
from lean_emulator.model.document import AUTOMATIC

NOTHING_KEPT = Hint(
    en="A dry run: nothing of this is stored.",
    zh="这是一次演练：以上内容均未存储。",
)
NO_WRITES = Hint(en="A dry run: nothing would be stored.", zh="这是一次演练：不会存储任何内容。")
NO_SUCH_USER = 211
_SIGNS = {"created": ("+", "green"), "updated": ("~", "yellow"), "deleted": ("-", "red")}

dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Show what would be stored, with all hooks, and store nothing."
)


class Tried(NamedTuple):
    """What a dry run came to: the answer, the writes, and the steps it did not wait for."""

    came: Came
    writes: list[dict[str, Any]]
    unfinished: list[str]

    def to_json(self) -> dict[str, Any]:
        return {"writes": self.writes, "unfinished": self.unfinished}


def rehearse(served: Served, method: str, path: str, body: Json, acting: Acting) -> Tried:
    """Have a request to the API, ``path`` after its version, done as a dry run.

    Raises a usage error for a user that is not there.
    """
    wish: dict[str, Json] = {"method": method, "path": f"/1.1/{path}", "body": body}
    if acting.user is not None:
        wish |= {"user": acting.user, "master": acting.master}
    came, told = served.try_out("rehearse", wish)
    if not told and acting.user is not None and came.error.get("code") == NO_SUCH_USER:
        raise no_such_user(acting.user)
    return tried(came, told)


def tried(came: Came, told: Mapping[str, Any]) -> Tried:
    """What the server told of a dry run."""
    return Tried(came, list(told.get("writes") or ()), list(told.get("unfinished") or ()))


def show_writes(tried: Tried) -> None:
    """What would have been stored, to stderr."""
    for line in write_lines(tried.writes):
        note(line)
    for title in tried.unfinished:
        warn(_unfinished(title))
    note(hint_text(NOTHING_KEPT if tried.writes else NO_WRITES))


def write_lines(writes: list[dict[str, Any]]) -> Iterator[str]:
    """An object per line: + created, ~ updated, - deleted; below it what differs."""
    for write in writes:
        sign, colour = _SIGNS[write["change"]]
        yield styled(f"{sign} {write['className']} {write['objectId']}", fg=colour, err=True)
        for row in _rows(write):
            yield f"    {change_line(row)}"
        for relation in write.get("relations") or ():
            for sign, ids in (("+", relation["added"]), ("-", relation["removed"])):
                if ids:
                    yield f"    {sign} {relation['key']}: {', '.join(ids)}"


def _rows(write: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Members that differ; of a deleted object none, and what the server sets never."""
    if write["change"] == "deleted":
        return []
    rows = write.get("changes") or []
    return [row for row in rows if row["change"] != "same" and row["key"] not in AUTOMATIC]


def _unfinished(title: str) -> str:
    return hint_text(
        Hint(
            en=f"{title} was still running: what it writes later is refused, and not shown here.",
            zh=f"{title} 仍在运行：其后续写入会被拒绝，也不会显示在此处。",
        )
    )
