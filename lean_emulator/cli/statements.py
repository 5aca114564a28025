"""CQL statements on their way to a running instance, and what came back on its way to people."""

import http.client
import json
import re
import sys
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import click

from lean_emulator.base.jsontext import dumps, pretty
from lean_emulator.cli import table
from lean_emulator.cli.local_http import request
from lean_emulator.cli.output import echo_error, note, styled
from lean_emulator.keys import Keys

SECONDS = 65.0
"""What an answer may take: a little more than the server gives itself."""
CELL_ON_TERMINAL = 40
_PARTS = re.compile(r"""'(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?|;|[^'";]+""", re.S)


def split(text: str) -> list[str]:
    """Statements as they are separated by semicolons; those in quotes separate nothing."""
    found = [""]
    for part in _PARTS.findall(text):
        if part == ";":
            found.append("")
        else:
            found[-1] += part
    return [statement.strip() for statement in found if statement.strip()]


class Came(NamedTuple):
    """What came of a statement; ``body`` is the answer's JSON."""

    status: int
    body: Any
    took_ms: float

    @property
    def ok(self) -> bool:
        return self.status == 200


@dataclass(frozen=True, slots=True)
class CqlClient:
    """Sends statements with the master key."""

    api_url: str
    keys: Keys

    def ask(self, statement: str) -> Came:
        """One statement; a server that is gone ends the command."""
        began = time.monotonic()
        try:
            answer = request(
                self.api_url,
                "POST",
                "/1.1/cloudQuery",
                headers={
                    "X-LC-Id": self.keys.app_id,
                    "X-LC-Key": f"{self.keys.master_key},master",
                    "Content-Type": "application/json",
                },
                body=dumps({"cql": statement}),
                seconds=SECONDS,
            )
        except (OSError, http.client.HTTPException, ValueError) as e:
            raise click.ClickException(f"{self.api_url} broke off: {e}") from e
        return Came(answer.status, answer.body, (time.monotonic() - began) * 1000)


def report(came: Came, *, as_json: bool) -> None:
    """Print an answer: objects to stdout, an error and the time to stderr."""
    body = came.body if isinstance(came.body, dict) else {}
    if not came.ok:
        text = str(body.get("error", came.body)).rstrip()
        echo_error(f"{text}\n(code {body.get('code')}, HTTP {came.status})")
        return
    rows = body.get("results", [])
    if as_json:
        click.echo(pretty(body) if sys.stdout.isatty() else json.dumps(body, ensure_ascii=False))
    else:
        widest = CELL_ON_TERMINAL if sys.stdout.isatty() else None
        for line in table.lines(rows, widest=widest):
            click.echo(line)
        if "count" in body:
            click.echo(f"count {body['count']}")
    words = f"{len(rows)} row{'' if len(rows) == 1 else 's'}  {came.took_ms:.0f} ms"
    note(styled(words, dim=True, err=True))
