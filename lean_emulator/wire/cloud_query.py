"""``/cloudQuery``: CQL statements, each done as the REST requests that mean the same.

They go through the route table, so that permissions, hooks and the rules of special classes hold
as they do there (storage.md 5).
"""

from collections.abc import Sequence
from dataclasses import replace

from lean_emulator.base.clock import Clock, iso_text
from lean_emulator.base.jsontext import Json
from lean_emulator.model.cql import parse_cql, parse_pvalues
from lean_emulator.model.cql_statement import (
    DeleteStatement,
    Fields,
    InsertStatement,
    SelectStatement,
    Statement,
    UpdateStatement,
)
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route, RouteTable

_WISHES = ("__ignore_hooks",)
"""What the body of a statement may say about each of its writes."""


class CloudQueryHandlers:
    """Reads statements and re-enters the route table with them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._table: RouteTable | None = None

    def routes(self) -> list[Route]:
        return [Route("GET", "/cloudQuery", self.run), Route("POST", "/cloudQuery", self.run)]

    def enter(self, table: RouteTable) -> None:
        """Tell where statements go; the table holds this handler, so it comes second."""
        self._table = table

    async def run(self, request: Request) -> Answer:
        """One statement; ``cql`` and ``pvalues`` stand in the URL or in the body."""
        given = {**request.params, **request.document()}
        text, values = given.get("cql"), parse_pvalues(given.get("pvalues"))
        now = iso_text(self._clock.now_ms())
        statement = parse_cql(text if isinstance(text, str) else "", values, now=now)
        answers = [
            await self._do(request, *asked) for asked in _requests(statement, _wishes(request))
        ]
        return Answer(_result(statement, answers))

    async def _do(
        self, request: Request, method: str, path: tuple[str, ...], params: Fields, body: Json
    ) -> Json:
        assert self._table is not None
        inner = replace(request, method=method, path=path, params=params, body=body)
        return (await self._table.dispatch(inner)).body


Asked = tuple[str, tuple[str, ...], Fields, Json]
"""Method, path, parameters and body of a request."""


def _requests(statement: Statement, wishes: Fields) -> list[Asked]:
    """What to ask for, in order; the first refusal ends it and what was written before stays."""
    path = ("classes", statement.class_name)
    match statement:
        case SelectStatement():
            return [("GET", path, statement.params, None)]
        case InsertStatement(_, rows):
            return [("POST", path, {}, {**row, **wishes}) for row in rows]
        case UpdateStatement(_, object_id, fields, guard):
            return [("PUT", (*path, object_id), {"where": guard}, {**fields, **wishes})]
        case DeleteStatement(_, object_id, guard):
            return [("DELETE", (*path, object_id), {"where": guard}, {**wishes})]


def _wishes(request: Request) -> Fields:
    return {name: value for name, value in request.document().items() if name in _WISHES}


def _result(statement: Statement, answers: Sequence[Json]) -> Json:
    result: dict[str, Json] = {"results": [], "className": statement.class_name}
    if isinstance(statement, SelectStatement):
        found = answers[0]
        assert isinstance(found, dict)
        result |= {name: found[name] for name in ("results", "count") if name in found}
    elif not isinstance(statement, DeleteStatement):
        result["results"] = [*answers]
    return result
