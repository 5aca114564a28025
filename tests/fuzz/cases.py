"""Random requests to every route there is, and to some there are not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from lean_emulator.wire.routes import Route
from tests.fuzz.material import TEXTS, Material
from tests.fuzz.statements import Statements
from tests.support.api import CLIENT, ENGINE, KEYS, MASTER

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "get", "BREW")
PARAMS = (
    "limit", "skip", "count", "returnACL", "fetchWhenSave", "new", "scan_key", "cursor",
    "redirectClassNameForKey", "session_token", "nothing", "where", "order", "keys", "include",
)  # fmt: skip
KINDS = (
    "application/json", "application/json; charset=UTF-8", "text/plain", "text/plain;charset=utf-8",
    "application/x-www-form-urlencoded", "multipart/form-data", "", "x",
)  # fmt: skip
TUNNELLED = ("_method", "_ApplicationId", "_ApplicationKey", "_MasterKey", "_SessionToken", "_x")


@dataclass(frozen=True)
class Case:
    """Bytes for the server. A rude one is no whole request, so nothing may follow it."""

    raw: bytes
    rude: bool = False

    @property
    def method(self) -> str:
        return self.raw.split(b" ", 1)[0].decode("latin-1")

    @property
    def path(self) -> str:
        words = self.raw.split(b"\r\n", 1)[0].split(b" ")
        return unquote(words[1].partition(b"?")[0].decode("latin-1")) if len(words) > 1 else ""

    @property
    def for_the_api(self) -> bool:
        """Whether the answer must be JSON."""
        polite = self.method not in ("HEAD", "OPTIONS") and not self.rude
        return polite and self.path.startswith(("/1.1/", "/1/"))

    def may_change_things(self, status: int) -> bool:
        """Whether storage may be another after an answer of this status.

        Lists of ids and of rows in CQL end with the first refusal; what was before it stays.
        """
        in_parts = "," in self.path or "cloudQuery" in self.path
        return in_parts or (status < 400 and self.method not in ("GET", "HEAD", "OPTIONS"))


class Cases:
    """Makes cases for a server with the given routes."""

    def __init__(self, material: Material, routes: Sequence[Route]) -> None:
        self._m = material
        self._statements = Statements(material)
        self._routes = list(routes)
        self._makers: list[tuple[Callable[[], Case], float]] = [
            (self._query, 6),
            (self._write, 6),
            (self._routed, 4),
            (self._batch, 2),
            (self._statement, 3),
            (self._tunnel, 1),
            (self._bytes, 1),
            (self._stranger, 1),
            (self._rude, 0.5),
        ]

    def case(self) -> Case:
        makers, weights = zip(*self._makers, strict=True)
        maker: Callable[[], Case] = self._m.chance.choices(makers, weights)[0]
        return maker()

    def _query(self) -> Case:
        return self._sent(
            "GET", f"/1.1/classes/{self._segment(self._m.class_name())}", self._params()
        )

    def _write(self) -> Case:
        m = self._m
        class_name = m.class_name()
        path = f"/1.1/classes/{self._segment(class_name)}"
        method = m.chance.choice(("POST", "PUT", "PUT", "DELETE"))
        if method != "POST":
            ids = [m.object_id(class_name) for _ in range(1 if m.often(0.8) else 3)]
            path += f"/{self._segment(','.join(ids))}"
        params = self._params(("fetchWhenSave", "new", "where")) if m.often(0.4) else {}
        body = m.deep() if m.often(0.04) else m.document() if m.often(0.95) else m.value()
        return self._sent(method, path, params, self._json(body))

    def _routed(self) -> Case:
        m = self._m
        route = m.chance.choice(self._routes)
        path = self._path(route)
        body = b"" if m.often(0.3) else self._json(m.document() if m.often(0.8) else m.value())
        verb = route.verb if m.often(0.9) else m.chance.choice(METHODS)
        return self._sent(verb, f"/1.1{path}", self._params() if m.often(0.5) else {}, body)

    def _path(self, route: Route) -> str:
        m = self._m
        class_name = m.class_name()
        variables = {":class": class_name, ":id": m.object_id(class_name)}
        variables[":name"] = m.chance.choice(("echo", "strange", "nobody", m.text()))
        variables[":hook"] = m.chance.choice(("beforeSave", "afterDelete", "nope", m.text()))
        parts = route.pattern.split("/")
        return "/".join(
            self._segment(variables.get(part, m.text())) if part.startswith(":") else part
            for part in parts
        )

    def _batch(self) -> Case:
        m = self._m
        path = m.chance.choice(("/1.1/batch", "/1.1/batch/save"))
        if m.often(0.1):
            return self._sent("POST", path, {}, self._json({"requests": m.value()}))
        size = 300 if m.often(0.01) else m.chance.randrange(5)
        members = [self._member() for _ in range(size)]
        return self._sent("POST", path, {}, self._json({"requests": members}))

    def _member(self) -> Any:
        m = self._m
        if m.often(0.05):
            return m.value()
        route = m.chance.choice(self._routes)
        made: dict[str, Any] = {"method": route.verb, "path": f"/1.1{self._path(route)}"}
        if m.often(0.8):
            made["body"] = m.document()
            if m.often(0.3):
                made["body"]["__internalId"] = m.chance.choice(("i1", "i2", m.text(), m.scalar()))
                made["body"]["__children"] = m.value(2) if m.often(0.5) else [self._child()]
        if m.often(0.3):
            made["params"] = {m.chance.choice(PARAMS): m.value() for _ in range(2)}
        if m.often(0.1):
            made[m.chance.choice(("method", "path", "body", "params", "new"))] = m.value()
        return made

    def _child(self) -> Any:
        m = self._m
        return {
            "className": m.class_name(),
            "cid": m.chance.choice(("i1", "i2", m.object_id(), m.scalar())),
            "key": m.field(),
        }

    def _statement(self) -> Case:
        m = self._m
        text = self._statements.statement()
        given = {"cql": text if m.often(0.97) else m.text()}
        if m.often(0.6):
            values = self._statements.values()
            given["pvalues"] = m.json_text(m.json_text(values) if m.often(0.1) else values)
        if m.often(0.8):
            return self._sent("GET", "/1.1/cloudQuery", given)
        return self._sent("POST", "/1.1/cloudQuery", {}, self._json(given))

    def _tunnel(self) -> Case:
        m = self._m
        body: dict[str, Any] = {
            "_method": m.chance.choice((*METHODS, m.scalar())),
            "_ApplicationId": KEYS.app_id,
            "_ApplicationKey": KEYS.app_key,
            **m.document(),
        }
        if m.often(0.3):
            body[m.chance.choice(TUNNELLED)] = m.scalar()
        if m.often(0.5):
            body["where"] = m.where()
        path = f"/1.1/classes/{self._segment(m.class_name())}"
        return self._sent("POST", path, {}, self._json(body), {"Content-Type": "text/plain"})

    def _bytes(self) -> Case:
        """A body of any bytes."""
        m = self._m
        path = self._path(m.chance.choice(self._routes))
        body = m.garbage(300)
        if m.often(0.5):
            text = bytearray(self._json(m.document()) or b"{}")
            for _ in range(m.chance.randrange(1, 4)):
                text[m.chance.randrange(len(text))] = m.chance.randrange(256)
            body = bytes(text)
        return self._sent(m.chance.choice(("POST", "PUT", "DELETE")), f"/1.1{path}", {}, body)

    def _stranger(self) -> Case:
        """Paths that lead nowhere, of any characters that a request line can hold."""
        m = self._m
        start = m.chance.choice(("/1.1/", "/1/", "/", "//1.1//", "/1.1/classes/", "/__engine/1/"))
        if m.often(0.2):
            tail = "".join(f"%{byte:02x}" for byte in m.garbage(20))
        elif m.often(0.1):
            tail = "classes/" + "a/" * m.chance.choice((5, 500, 5_000))
        else:
            tail = self._segment(m.text())
        return self._sent(m.chance.choice(METHODS), start + tail, self._params())

    def _rude(self) -> Case:
        """Heads that are wrong, bodies that are shorter than they say, plain noise."""
        m = self._m
        kind = m.chance.randrange(5)
        if kind == 0:
            return Case(m.garbage(400), rude=True)
        good = self._write().raw
        if kind == 1:
            return Case(good[: m.chance.randrange(len(good))], rude=True)
        head, _, body = good.partition(b"\r\n\r\n")
        if kind == 2:
            lengths = (b"-1", b"999999", b"1e3", b"0x10", b"99999999999999999999", b"1\r\nX-A: b")
            claim = b"\r\nContent-Length: " + m.chance.choice(lengths)
            return Case(head + claim + b"\r\n\r\n" + body, rude=True)
        if kind == 3:
            sizes = (b"5\r\nab", b"zz\r\nab\r\n0\r\n\r\n", b"2\r\n{}\r\n0\r\n\r\n", b"-1\r\n")
            line = (
                b"POST /1.1/classes/Thing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            return Case(line + m.chance.choice(sizes), rude=True)
        lines = head.split(b"\r\n")
        lines[m.chance.randrange(len(lines))] = m.garbage(80)
        return Case(b"\r\n".join(lines) + b"\r\n\r\n" + body, rude=True)

    def _params(self, names: Sequence[str] = PARAMS) -> dict[str, str]:
        m = self._m
        made = {}
        for name in m.chance.sample(names, m.chance.randrange(min(3, len(names)) + 1)):
            made[name] = self._param(name)
        if "where" in names and m.often(0.5):
            made["where"] = self._param("where")
        return made

    def _param(self, name: str) -> str:
        m = self._m
        if m.often(0.03):
            return m.text()
        if name == "where":
            return m.json_text(m.deep() if m.often(0.04) else m.where())
        if name in ("order", "keys", "include", "scan_key", "redirectClassNameForKey"):
            return m.path_list()
        if name == "session_token" and m.known.tokens:
            return m.chance.choice(m.known.tokens)
        if name in ("limit", "skip") and m.often(0.9):
            return m.chance.choice(("0", "1", "2", "5", "1000"))
        if m.often(0.8):
            return m.chance.choice(("0", "1", "true", "false"))
        return str(m.chance.choice((-1, 1_001, 2**70, 1.5, "٣", "1_0", "x", "")))

    def _json(self, value: Any) -> bytes:
        return self._m.json_text(value).encode("utf-8", "replace")

    def _segment(self, text: str) -> str:
        return quote(text.encode("utf-8", "replace"), safe=",") if self._m.often(0.98) else "%zz%"

    def _sent(
        self,
        method: str,
        path: str,
        params: dict[str, str],
        body: bytes = b"",
        more: dict[str, str] | None = None,
    ) -> Case:
        query = "&".join(f"{name}={quote(value)}" for name, value in params.items())
        target = f"{path}?{query}" if query else path
        headers = {"Host": "x", **self._headers(), **(more or {})}
        if body:
            headers["Content-Length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        line = f"{method} {target} HTTP/1.1\r\n{head}\r\n"
        return Case(line.encode("utf-8", "replace") + body)

    def _headers(self) -> dict[str, str]:
        """Mostly a client's credentials, sometimes another's, sometimes nobody's."""
        m = self._m
        kind = m.chance.randrange(20)
        chosen = MASTER if kind < 4 else ENGINE if kind < 6 else {} if kind == 6 else CLIENT
        headers = {"Content-Type": "application/json", **chosen}
        if m.known.tokens and m.often(0.3):
            headers["X-LC-Session"] = m.chance.choice(m.known.tokens)
        if m.often(0.05):
            headers["Content-Type"] = m.chance.choice(KINDS)
        if m.often(0.05):
            names = ("X-LC-Id", "X-LC-Key", "X-LC-Sign", "X-LC-Session", "X-LC-Prod", "Origin")
            more = ("X-LC-Hook-Key", "X-Lean-Emu-Call", "Accept-Encoding", "If-Modified-Since")
            value = m.chance.choice((*TEXTS[:12], "a,b,c,master", "d" * 32 + ",1", m.text()))
            printable = "".join(c for c in value if c.isprintable() and c not in "\r\n")
            headers[m.chance.choice((*names, *more))] = printable
        return headers
