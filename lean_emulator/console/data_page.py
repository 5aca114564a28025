"""``/data``: classes, their objects in a table, and one object to read, change or delete."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json, dumps, pretty
from lean_emulator.console.bench import Refusal
from lean_emulator.console.data_filter import OPERATORS, added, parts_of, read_where
from lean_emulator.console.data_view import (
    Column,
    back_references,
    cell,
    changes,
    columns_of,
    editable,
)
from lean_emulator.console.fields import fields_of
from lean_emulator.console.payload import Problem, read_payload
from lean_emulator.console.rendering import Renderer, json_answer, phrases_of, wants_json
from lean_emulator.console.run_page import problem_json
from lean_emulator.console.trace_list import link
from lean_emulator.model.hooknames import HookKind
from lean_emulator.model.query import Query
from lean_emulator.model.schema import ClassSchema
from lean_emulator.model.schema_file import to_json
from lean_emulator.model.where_json import parse_order, parse_where
from lean_emulator.service.data_desk import DataDesk, Found, Viewer
from lean_emulator.service.workbench import RunResult

PAGE = 50
NEWEST = "-createdAt"
_STATE = ("class", "where", "order", "skip", "as", "who")


@dataclass(frozen=True, slots=True)
class View:
    """What the address of the page says."""

    class_name: str
    where: dict[str, Json] | Problem
    where_text: str
    order: str
    skip: int
    viewer: Viewer
    row: str | None
    """An objectId, ``new``, or ``None`` for none."""
    params: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, params: Mapping[str, str]) -> "View":
        text, kind, skip = params.get("where", ""), params.get("as"), params.get("skip", "")
        viewer = Viewer()
        if kind == "nobody":
            viewer = Viewer("nobody")
        elif kind == "user" and params.get("who", "").strip():
            viewer = Viewer("user", params["who"].strip())
        return cls(
            params.get("class", ""),
            read_where(text),
            text,
            params.get("order") or NEWEST,
            int(skip) if skip.isdecimal() and len(skip) < 10 else 0,
            viewer,
            params.get("row"),
            {name: params[name] for name in _STATE if params.get(name)},
        )

    def url(self, **changed: Any) -> str:
        """The page with some parameters changed; ``None`` takes one out, and the row closes."""
        renamed = {name.rstrip("_"): value for name, value in changed.items()}
        return link("/data", **{**self.params, **renamed})

    def query(self) -> Query:
        """Raises what is wrong with filter or order."""
        where = {} if isinstance(self.where, Problem) else self.where
        return Query(
            self.class_name,
            where=parse_where(where),
            order=parse_order(self.order),
            skip=self.skip,
            limit=PAGE,
        )


class DataPage:
    """GET shows; POST saves and deletes as whoever is chosen, with hooks or without."""

    def __init__(self, renderer: Renderer, desk: DataDesk) -> None:
        self._render = renderer
        self._desk = desk

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Parameters: class where order skip as who row view; col op val add a condition."""
        params = request.query
        view = View.read(params)
        schema = self._desk.schema(view.class_name) if view.class_name else None
        if schema is not None and params.get("col"):
            more = self._with_condition(view, schema, params)
            if not isinstance(more, Refusal):
                raise web.HTTPSeeOther(view.url(where=dumps(more).decode(), skip=None))
            return await self._page(request, view, schema, more)
        if wants_json(request):
            if schema is not None and params.get("view") == "schema":
                return json_answer({"schema": to_json(schema)})
            return await self._json(view, schema)
        if schema is None and not view.class_name:
            classes = await self._desk.classes()
            first = next((name for name, count in classes if count), None)
            if first is not None:
                raise web.HTTPSeeOther(link("/data", **{"class": first}))
        return await self._page(request, view, schema)

    async def save(self, request: web.Request) -> web.Response:
        """Create the object that ``payload`` is, or make one of it; ``was`` is when it was read."""
        fields = await fields_of(request)
        view, schema = self._aimed(fields)
        text = fields.get("payload", "").replace("\r\n", "\n")
        done = await self._save(view, schema, text, fields)
        if isinstance(done, RunResult) and done.status < 400:
            body = done.body if isinstance(done.body, dict) else {}
            row = str(body.get("objectId") or view.row)
            return self._done(request, done, view.url(row=row, done=done.trace))
        return await self._not_done(request, view, schema, done, text)

    async def delete(self, request: web.Request) -> web.Response:
        fields = await fields_of(request)
        view, schema = self._aimed(fields)
        try:
            done: RunResult | Refusal = await self._desk.delete(
                view.viewer, schema.name, view.row or "", hooks=_ticked(fields, "hooks")
            )
        except ApiError as e:
            done = _refused("form", e)
        if isinstance(done, RunResult) and done.status < 400:
            return self._done(request, done, view.url(done=done.trace))
        return await self._not_done(request, view, schema, done, None)

    # ---- what is done

    def _aimed(self, fields: Mapping[str, str]) -> tuple[View, ClassSchema]:
        """What a post is about: ``state`` is the page's address, JSON may name its members."""
        state = dict(parse_qsl(fields.get("state", ""))) | {
            name: fields[name] for name in (*_STATE, "row") if name in fields
        }
        view = View.read(state)
        return view, self._desk.schema(view.class_name) or ClassSchema(view.class_name)

    async def _save(
        self, view: View, schema: ClassSchema, text: str, fields: Mapping[str, str]
    ) -> RunResult | Refusal:
        given = read_payload(text)
        if isinstance(given, Problem):
            return Refusal("payload", given)
        if not isinstance(given, dict):
            return Refusal("payload", Problem("table.no_object"))
        object_id = None if view.row in (None, "new") else view.row
        try:
            if object_id is not None:
                current = await self._desk.get(view.viewer, schema.name, object_id)
                if current is None:
                    return Refusal("form", Problem("table.gone", found=object_id))
                if fields.get("was") and fields["was"] != current.get("updatedAt"):
                    return Refusal("form", Problem("table.changed"))
                given = changes(self._shown(current, schema), given)
                if not given:
                    return Refusal("form", Problem("table.same"))
            hooks = _ticked(fields, "hooks")
            return await self._desk.save(view.viewer, schema.name, object_id, given, hooks=hooks)
        except ApiError as e:
            return _refused("form", e)

    def _with_condition(
        self, view: View, schema: ClassSchema, params: Mapping[str, str]
    ) -> dict[str, Json] | Refusal:
        where = {} if isinstance(view.where, Problem) else view.where
        kind = schema.columns.get(params["col"])
        if kind is None:
            return Refusal("val", Problem("table.no_column", found=params["col"]))
        more = added(where, params["col"], kind, params.get("op", "is"), params.get("val", ""))
        return Refusal("val", more) if isinstance(more, Problem) else more

    def _done(self, request: web.Request, done: RunResult, where: str) -> web.Response:
        if wants_json(request):
            body = {"status": done.status, "body": done.body, "trace": done.trace}
            return json_answer(self._render.mask.json(body))
        return web.Response(status=303, headers={"Location": where})

    async def _not_done(
        self,
        request: web.Request,
        view: View,
        schema: ClassSchema,
        done: RunResult | Refusal,
        text: str | None,
    ) -> web.Response:
        if isinstance(done, RunResult) and wants_json(request):
            body = {"status": done.status, "body": done.body, "trace": done.trace}
            return json_answer(self._render.mask.json(body), done.status)
        trace = None
        if isinstance(done, RunResult):
            trace, body_ = done.trace, done.body if isinstance(done.body, dict) else {}
            said = f"{body_.get('code', done.status)}: {body_.get('error', '')}"
            done = Refusal("form", Problem("problem.other", found=self._render.mask.text(said)))
        if wants_json(request):
            return json_answer({"problem": problem_json(done, phrases_of(request))}, 422)
        return await self._page(request, view, schema, done, text=text, trace=trace)

    # ---- what is shown

    async def _json(self, view: View, schema: ClassSchema | None) -> web.Response:
        mask = self._render.mask
        if not view.class_name:
            rows: list[Json] = [{"name": n, "count": c} for n, c in await self._desk.classes()]
            return json_answer({"classes": rows})
        if schema is None:
            return json_answer({"error": f"There is no class {view.class_name[:200]!r}."}, 404)
        try:
            if view.row is not None:
                found = await self._desk.get(view.viewer, schema.name, view.row)
                return json_answer({"object": mask.json(found)}, 404 if found is None else 200)
            if isinstance(view.where, Problem):
                return json_answer({"error": "where is not JSON5."}, 400)
            page = await self._desk.find(view.viewer, view.query())
        except ApiError as e:
            return json_answer(e.to_wire(), e.status)
        columns: dict[str, Json] = {c.name: c.kind for c in columns_of(schema)}
        return json_answer(
            {
                "className": schema.name,
                "columns": columns,
                "count": page.count,
                "hidden": page.hidden,
                "results": mask.json([*page.rows]),
            }
        )

    async def _page(
        self,
        request: web.Request,
        view: View,
        schema: ClassSchema | None,
        refusal: Refusal | None = None,
        *,
        text: str | None = None,
        trace: str | None = None,
    ) -> web.Response:
        found: Found | None = None
        if schema is not None:
            try:
                if isinstance(view.where, Problem):
                    refusal = refusal or Refusal("where", view.where)
                else:
                    found = await self._desk.find(view.viewer, view.query())
            except ApiError as e:
                refusal = refusal or _refused("who" if e.code == 211 else "where", e)
        classes = await self._desk.classes()
        data: dict[str, Any] = {
            "view": view,
            "classes": [(n, c) for n, c in classes if not n.startswith("_")],
            "system": [(n, c) for n, c in classes if n.startswith("_")],
            "schema": schema,
            "columns": columns_of(schema) if schema else [],
            "sortable": _sorted_by(view.order),
            "operators": OPERATORS,
            "parts": [] if isinstance(view.where, Problem) else parts_of(view.where),
            "found": found,
            "rows": self._rows(found, schema),
            "page_size": PAGE,
            "state": urlencode(view.params),
            "problem": problem_json(refusal, phrases_of(request)) if refusal else None,
            "trace": trace,
            "done": request.query.get("done"),
            "declared": self._declared(request, schema),
            "typed": request.query,
            "panel": None,
            "dumps": lambda value: dumps(value).decode(),
            "back": request.path_qs if request.method == "GET" else view.url(row=view.row),
        }
        if schema is not None and view.row is not None:
            data["panel"] = await self._panel(view, schema, text)
            data["form"] = {"payload": data["panel"]["text"]}
        return self._render.page(request, "data.html", data, status=422 if refusal else 200)

    def _declared(self, request: web.Request, schema: ClassSchema | None) -> Json:
        """The class as a schema file holds it, where that is asked for."""
        asked = request.method == "GET" and request.query.get("view") == "schema"
        return to_json(schema) if asked and schema is not None else None

    def _rows(self, found: Found | None, schema: ClassSchema | None) -> list[dict[str, Any]]:
        if found is None or schema is None:
            return []
        columns, mask = columns_of(schema), self._render.mask
        rows = []
        for row in found.rows:
            shown = {name: mask.json(value) for name, value in row.items()}
            object_id = str(row["objectId"])
            cells = [cell(schema.name, object_id, column, shown) for column in columns[1:]]
            rows.append({"id": object_id, "cells": cells})
        return rows

    async def _panel(self, view: View, schema: ClassSchema, text: str | None) -> dict[str, Any]:
        """One object: what can be written as text, and what leads on from it."""
        kinds = ("Save",) if view.row == "new" else ("Update",)
        panel: dict[str, Any] = {
            "id": view.row,
            "new": view.row == "new",
            "hooks": self._hooks_of(schema.name, kinds),
            "delete_hooks": self._hooks_of(schema.name, ("Delete",)),
            "text": text if text is not None else "",
            "found": None,
            "forbidden": None,
        }
        if panel["new"]:
            return panel
        try:
            found = await self._desk.get(view.viewer, schema.name, str(view.row))
        except ApiError as e:
            return {**panel, "forbidden": e}
        if found is None:
            return panel
        shown = self._shown(found, schema)
        relations = [Column(n, k.type, k.class_name) for n, k in schema.columns.items()]
        cells = {c.name: cell(schema.name, str(view.row), c, found) for c in relations}
        pointing = self._desk.pointing_to(schema.name)
        panel.update(
            found=found,
            text=pretty(shown) if text is None else text,
            links=[(n, c) for n, c in cells.items() if c.kind in ("pointer", "relation", "file")],
            pointing=back_references(schema.name, str(view.row), pointing, self._kinds(pointing)),
        )
        return panel

    def _kinds(self, pointing: list[tuple[str, str]]) -> dict[str, str]:
        kinds: dict[str, str] = {}
        for name, column in pointing:
            schema = self._desk.schema(name)
            if schema is not None:
                kinds[f"{name}.{column}"] = schema.columns[column].type
        return kinds

    def _shown(self, found: Mapping[str, Json], schema: ClassSchema) -> dict[str, Json]:
        """What the editor holds, keys masked; what stays masked is not written."""
        mask = self._render.mask
        own = editable(found, schema.columns)
        return {name: mask.json(value) for name, value in own.items()}

    def _hooks_of(self, class_name: str, words: tuple[str, ...]) -> list[str]:
        """Words of the hooks that the code has for a write."""
        names = self._render.runtime.names
        return [
            kind.word
            for kind in HookKind
            if kind.word.endswith(words) and kind.metadata_name(class_name) in names
        ]


def _sorted_by(order: str) -> dict[str, str]:
    """Column to ``ascending`` or ``descending``."""
    keys = parse_order(order)
    return {key.path: "descending" if key.descending else "ascending" for key in keys[:1]}


def _ticked(fields: Mapping[str, str], name: str) -> bool:
    return fields.get(name, "") in ("on", "true", "1")


def _refused(where: str, error: ApiError) -> Refusal:
    return Refusal(where, Problem("problem.other", found=error.message), error.hint)
