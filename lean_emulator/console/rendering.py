"""Templates, what every page has around it, and the choice between a page, a part and JSON."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jinja2
from aiohttp import web
from markupsafe import Markup

from lean_emulator.assets import assets_dir
from lean_emulator.base.jsontext import Json, dumps, pretty
from lean_emulator.base.masking import Mask
from lean_emulator.base.trace import EventLog
from lean_emulator.console import phrases
from lean_emulator.console.contract import Instance, Runtime, Timers
from lean_emulator.console.json_markup import json_line, json_markup
from lean_emulator.console.phrases import LANGUAGES, Phrases
from lean_emulator.console.registry import parse
from lean_emulator.console.virtual_clock import turned_clock
from lean_emulator.service.inbox import Inbox

PART_HEADER = "X-Lean-Emu-Part"
THEMES = ("system", "dark", "light")
THEME_COOKIE = "lean_emu_theme"
LANGUAGE_COOKIE = "lean_emu_language"

_COMMON_PARTS = {"top": "_top.html", "banner": "_banner.html"}
_LONG_ID = re.compile(r"(?<=/)[0-9A-Za-z]{18,}")


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the rail; ``keys`` is its shortcut."""

    name: str
    path: str
    keys: str


RAIL = (
    Place("traces", "/", "g t"),
    Place("run", "/run", "n"),
    Place("data", "/data", "g d"),
    Place("hooks", "/hooks", "g h"),
    Place("tasks", "/tasks", "g k"),
    Place("inbox", "/inbox", "g i"),
    Place("logs", "/logs", "g l"),
    Place("settings", "/settings", "g s"),
)
"""What works today. A page that is added joins here, in the routes and in the catalogues."""


class Renderer:
    """Turns data into answers, in the reader's language and theme."""

    def __init__(
        self,
        *,
        instance: Instance,
        runtime: Runtime,
        log: EventLog,
        inbox: Inbox,
        timers: Timers,
        mask: Mask,
        token: str,
    ) -> None:
        self.instance = instance
        self.runtime = runtime
        self.log = log
        self._inbox = inbox
        self._timers = timers
        self.mask = mask
        self._token = token
        self._env = jinja2.Environment(
            loader=jinja2.FileSystemLoader(assets_dir("templates") / "console"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        self._env.filters.update(
            took=phrases.took,
            percent=phrases.percent,
            remaining=phrases.remaining,
            axis=phrases.axis_label,
            clock=phrases.clock_text,
            short_id=phrases.short_id,
            short_path=short_path,
            json=json_markup,
            json_line=json_line,
            pretty=pretty,
        )

    def page(
        self,
        request: web.Request,
        template: str,
        data: Mapping[str, Any],
        *,
        parts: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> web.Response:
        """The whole page, or the one of ``parts`` (name to template) that a script asks for."""
        part = request.headers.get(PART_HEADER)
        chosen = {**_COMMON_PARTS, **(parts or {})}.get(part or "", template)
        text = self._env.get_template(chosen).render({**self._shell(request), **data})
        return web.Response(
            # replace: a lone surrogate in somebody's data must not cost the page
            body=text.encode("utf-8", "replace"),
            status=status,
            headers={
                "Content-Type": "text/html; charset=utf-8",
                "Cache-Control": "no-store",
                "Vary": f"Accept, Accept-Language, Cookie, {PART_HEADER}",
                "Content-Language": phrases.HTML_LANG[phrases_of(request).language],
            },
        )

    def _shell(self, request: web.Request) -> dict[str, Any]:
        say = phrases_of(request)
        theme = request.cookies.get(THEME_COOKIE, "system")
        names = [parse(name) for name in self.runtime.names]
        return {
            "say": say,
            "word": outcome_word(say),
            "instance": self.instance,
            "runtime": self.runtime,
            "failure_line": self._failure_line(),
            "function_count": sum(item.group == "function" for item in names),
            "hook_count": sum(item.group != "function" for item in names),
            "rail": RAIL,
            "unread": len(self._inbox.unread),
            "turned": turned_clock(self._timers, say),
            "place": request.path,
            "back": request.path_qs,
            "token": self._token,
            "lang": phrases.HTML_LANG[say.language],
            "other_language": next(name for name in LANGUAGES if name != say.language),
            "theme": theme if theme in THEMES else "system",
        }

    def _failure_line(self) -> str | None:
        failure = self.runtime.failure
        return None if failure is None else self.mask.text(failure.last_line)


def wants_json(request: web.Request) -> bool:
    accept = request.headers.get("Accept", "")
    return "application/json" in accept and "text/html" not in accept


def json_answer(data: Json | dict[str, Json], status: int = 200) -> web.Response:
    return web.Response(
        body=dumps(data),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store", "Vary": "Accept"},
    )


def phrases_of(request: web.Request) -> Phrases:
    cookie = request.cookies.get(LANGUAGE_COOKIE)
    return Phrases(phrases.choose(cookie, request.headers.get("Accept-Language", "")))


def outcome_word(say: Phrases) -> Callable[[Mapping[str, Any]], Markup]:
    """The outcome of a summary or step in words: ``201 Created``, ``Rejected``, ``Loaded``."""

    def word(item: Mapping[str, Any]) -> Markup:
        outcome, status = item["outcome"], item.get("status")
        if item["kind"] == "reload" and outcome in ("ok", "failed"):
            return say(f"reload.{outcome}")
        if status is None or outcome in ("running", "skipped", "loop"):
            return say(f"outcome.{outcome}")
        if status == 201 and outcome == "ok":
            return say("status.created", status=status)
        return say(f"status.{outcome}", status=status)

    return word


def short_path(path: str) -> str:
    """A request path without the version, long ids cut in the middle, a query shown as ``?…``."""
    plain, _, query = path.partition("?")
    plain = re.sub(r"^/1\.\d(?=/)", "", plain)
    plain = _LONG_ID.sub(lambda match: phrases.short_id(match[0]), plain)
    return f"{plain}?…" if query else plain


def local_path(target: str) -> str:
    """A path of this console, or ``/`` for anything that could lead elsewhere."""
    parts = urlsplit(target)
    ours = target.startswith("/") and not parts.netloc and "\\" not in target
    return target if ours and target.isprintable() else "/"
