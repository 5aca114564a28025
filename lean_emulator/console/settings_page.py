"""``/settings``: what counts and where it comes from, the keys, and states of all objects."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from markupsafe import Markup

from lean_emulator.base import errors
from lean_emulator.base.clock import iso_text
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.base.masking import Mask
from lean_emulator.console.contract import Timers
from lean_emulator.console.fields import fields_of
from lean_emulator.console.moments import moment, ms_of
from lean_emulator.console.rendering import Renderer, json_answer, phrases_of, wants_json
from lean_emulator.console.setup import Effective, Setup
from lean_emulator.console.trace_list import link
from lean_emulator.service.inbox import Inbox

_DONE = ("saved", "loaded", "removed", "reset")


class SettingsPage:
    """GET shows; POST reveals one key, or saves, loads, removes or resets states."""

    def __init__(self, renderer: Renderer, setup: Setup, inbox: Inbox, timers: Timers) -> None:
        self._render = renderer
        self._setup = setup
        self._settings = [
            dataclasses.replace(each, value=renderer.mask.json(each.value))
            for each in setup.settings
        ]
        self._inbox = inbox
        self._timers = timers

    async def show(self, request: web.Request) -> web.Response:
        """Parameters: q changed diff to."""
        return self._answer(request)

    async def act(self, request: web.Request) -> web.Response:
        """Fields: action (reveal save load remove reset), name, keep."""
        fields = await fields_of(request)
        action, name = fields.get("action", ""), fields.get("name", "").strip()
        try:
            if action == "reveal":
                return self._revealed(request, name)
            told = await self._done(action, name, keep=fields.get("keep") == "1")
        except ApiError as e:
            if wants_json(request):
                return json_answer({"error": e.message}, e.status)
            return self._answer(request, refusal=e, tried=(action, name))
        if wants_json(request):
            return json_answer(told)
        where = link("/settings", done=str(told["done"]), name=name)
        return web.Response(status=303, headers={"Location": where})

    async def _done(self, action: str, name: str, *, keep: bool) -> dict[str, Json]:
        snapshots = self._setup.snapshots
        match action:
            case "save":
                return {"done": "saved", "snapshot": await snapshots.save(name)}
            case "load":
                if keep and any(each["name"] == name for each in snapshots.all()):
                    await snapshots.save(kept_as(name))
                return {"done": "loaded", "snapshot": await snapshots.load(name)}
            case "remove":
                await snapshots.remove(name)
                return {"done": "removed"}
            case "reset":
                await self._setup.reset()
                return {"done": "reset"}
            case _:
                raise errors.INVALID_REQUEST(f"There is no action {action!r}.")

    def _revealed(self, request: web.Request, name: str) -> web.Response:
        """The one answer with a whole key; nothing keeps it."""
        key = self._setup.reveal(name)
        if key is None:
            raise errors.INVALID_REQUEST(f"There is no key {name!r}.")
        if wants_json(request):
            return json_answer({"name": name, "value": key})
        return self._answer(request, revealed={name: key})

    def _answer(
        self,
        request: web.Request,
        *,
        refusal: ApiError | None = None,
        tried: tuple[str, str] = ("", ""),
        revealed: Mapping[str, str] | None = None,
    ) -> web.Response:
        params, setup, say = request.query, self._setup, phrases_of(request)
        now = setup.snapshots.now()
        diff = None
        try:
            diff = self._diff(params.get("diff"), params.get("to"))
        except ApiError as e:
            refusal, tried = e, ("diff", params.get("diff", ""))
        wanted = [each for each in self._settings if _wanted(each, params)]
        if wants_json(request):
            status = refusal.status if refusal else 200
            return json_answer(self._told(wanted, now, diff, refusal), status)
        data: dict[str, Any] = {
            "settings": wanted,
            "all_settings": len(setup.settings),
            "changed_count": sum(each.changed for each in setup.settings),
            "only_changed": params.get("changed") == "1",
            "sought": params.get("q", ""),
            "keys": setup.keys,
            "revealed": revealed or {},
            "snapshots": [self._row(snapshot, say) for snapshot in setup.snapshots.all()],
            "now": now,
            "messages": len(self._inbox.messages()),
            "trace_count": len(self._render.log),
            "diff": diff,
            "done": params.get("done") if params.get("done") in _DONE else None,
            "name": params.get("name", ""),
            "refusal": refusal and {"message": refusal.message, "hint": say.of(refusal.hint)},
            "tried": tried,
            "kept_as": kept_as,
            "link": link,
        }
        status = 422 if refusal else 200
        return self._render.page(request, "settings.html", data, status=status)

    def _row(self, snapshot: Mapping[str, Any], say: Any) -> dict[str, Any]:
        at: Markup = moment(
            say, ms_of(snapshot["at"]) or 0, self._timers.zone, self._timers.clock.now_ms()
        )
        return {**snapshot, "when": at}

    def _diff(self, name: str | None, other: str | None) -> dict[str, Any] | None:
        if not name:
            return None
        told: Any = self._setup.snapshots.diff(name, other or None)
        mask = self._render.mask
        return {
            "from": name,
            "to": other or None,
            "classes": {
                class_name: _shown(kinds, mask) for class_name, kinds in told["classes"].items()
            },
        }

    def _told(
        self,
        wanted: list[Effective],
        now: dict[str, Json],
        diff: dict[str, Any] | None,
        refusal: ApiError | None,
    ) -> dict[str, Json]:
        setup = self._setup
        told: dict[str, Json] = {
            "settings": [each.to_json() for each in wanted],
            "keys": [key.to_json() for key in setup.keys],
            "snapshots": [*setup.snapshots.all()],
            "now": {"objects": now["objects"], "classes": now["classes"]},
            "at": iso_text(self._timers.clock.now_ms()),
        }
        if diff is not None:
            told["diff"] = diff
        if refusal is not None:
            told["error"] = refusal.message
        return told


def kept_as(name: str) -> str:
    """The snapshot of what was there before that one was loaded, where this is wished."""
    return f"before-{name}"[:64]


def _wanted(each: Effective, params: Mapping[str, str]) -> bool:
    if params.get("changed") == "1" and not each.changed:
        return False
    text = f"{each.name} {each.name.replace('_', ' ')} {each.doc}".casefold()
    return all(word in text for word in params.get("q", "").casefold().split())


def _shown(kinds: Mapping[str, Any], mask: Mask) -> dict[str, Any]:
    """The differences of one class, safe to show."""
    shown: dict[str, Any] = {}
    for kind, rows in kinds.items():
        objects = [
            _changed(each, mask) if kind == "changed" else mask.json(each)
            for each in rows["objects"]
        ]
        shown[kind] = {"count": rows["count"], "objects": objects}
    return shown


def _changed(each: Mapping[str, Any], mask: Mask) -> dict[str, Any]:
    """A changed object; each value is masked under its own key, which tells what is secret."""

    def safe(key: str, value: Json) -> Json:
        masked = mask.json({key: value})
        return next(iter(masked.values())) if isinstance(masked, dict) else None

    rows = [
        {
            **row,
            **{side: safe(row["key"], row[side]) for side in ("before", "after") if side in row},
        }
        for row in each["changes"]
    ]
    return {"objectId": each["objectId"], "changes": rows}
