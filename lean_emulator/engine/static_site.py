"""Serves a static site as the platform does, which is by the rules of the ``serve`` package.

Started by path in lean-emu's own Python, with the port as the only word; it serves the folder it
is in, or ``public`` of its ``static.json``. Of that file it follows ``cleanUrls``,
``trailingSlash``, ``rewrites``, ``redirects``, ``headers`` and ``directoryListing``. Hidden files
are not served: lean-emu keeps the keys of the project in one.
"""

import html
import json
import mimetypes
import os
import re
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

CONFIG = "static.json"


@dataclass(frozen=True)
class Site:
    """A folder of files and the rules it is served by."""

    root: Path
    rules: dict[str, Any] = field(default_factory=dict)

    def redirect(self, path: str) -> tuple[str, int] | None:
        """Where a client has to go in place of ``path``, with the status that says so."""
        for rule in self._list("redirects"):
            target = matched(str(rule.get("source", "")), str(rule.get("destination", "")), path)
            if target is not None:
                return target, int(rule.get("type", 301))
        clean = self._clean(path)
        return (clean, 301) if clean != path else None

    def file(self, path: str) -> Path | None:
        """The file that answers ``path``; ``None`` when there is none."""
        if "." in path.rsplit("/", 1)[-1] and (exact := self._inside(path)) and exact.is_file():
            return exact
        for rule in self._list("rewrites"):
            target = matched(str(rule.get("source", "")), str(rule.get("destination", "")), path)
            if target is not None:
                found = self._inside(target)
                return found if found is not None and found.is_file() else self._page(target)
        found = self._inside(path)
        return found if found is not None and found.is_file() else self._page(path)

    def folder(self, path: str) -> Path | None:
        """The folder to list for ``path``, if lists are wanted."""
        wanted = self.rules.get("directoryListing", True)
        if isinstance(wanted, list):
            wanted = any(matched(str(pattern), "", path) is not None for pattern in wanted)
        found = self._inside(path)
        return found if wanted and found is not None and found.is_dir() else None

    def headers(self, path: str) -> dict[str, str]:
        """Headers that the rules add; an empty value takes one away."""
        result = {}
        for rule in self._list("headers"):
            if matched(str(rule.get("source", "")), "", path) is not None:
                for header in rule.get("headers", []):
                    result[str(header["key"])] = str(header["value"] or "")
        return result

    def _clean(self, path: str) -> str:
        if self._cleans(path):
            stripped = re.sub(r"(/index)?\.html$|(?<=/)index$", "", path)
            path = stripped if stripped != path else path
            path = path or "/"
        slash = self.rules.get("trailingSlash")
        bare = "." not in path.rsplit("/", 1)[-1]
        if slash is True and bare and not path.endswith("/"):
            return f"{path}/"
        if slash is False and path != "/" and path.endswith("/"):
            return path.rstrip("/") or "/"
        return path

    def _cleans(self, path: str) -> bool:
        wanted = self.rules.get("cleanUrls", True)
        if isinstance(wanted, list):
            return any(matched(str(pattern), "", path) is not None for pattern in wanted)
        return bool(wanted)

    def _page(self, path: str) -> Path | None:
        names = [f"{path.rstrip('/')}/index.html"]
        if path != "/":
            names.append(f"{path.rstrip('/')}.html")
        found = (self._inside(name) for name in names)
        return next((file for file in found if file is not None and file.is_file()), None)

    def _inside(self, path: str) -> Path | None:
        """The place of ``path``; ``None`` for hidden ones and those outside of the site."""
        parts = [part for part in path.split("/") if part]
        if any(part.startswith(".") or "\\" in part or "\0" in part for part in parts):
            return None
        place = self.root.joinpath(*parts)
        try:
            return place if place.resolve().is_relative_to(self.root.resolve()) else None
        except OSError:
            return None

    def _list(self, name: str) -> Iterable[dict[str, Any]]:
        rules = self.rules.get(name)
        return [rule for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []


def read_site(folder: Path) -> Site:
    """The site of a project. Raises ``ValueError`` for a ``static.json`` that cannot be read."""
    try:
        rules = json.loads((folder / CONFIG).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        rules = {}
    if not isinstance(rules, dict):
        raise TypeError(f"{CONFIG} must be an object")
    return Site(folder / str(rules.get("public") or "."), rules)


def matched(pattern: str, target: str, path: str) -> str | None:
    """``target`` with the parts of ``path`` that ``:name`` stands for; ``None`` without a match.

    ``*`` is anything within a segment, ``**`` across segments; a leading slash may be left out.
    """
    expression, at = "", 0
    pattern = f"/{pattern.lstrip('/')}"
    for found in re.finditer(r"\*\*/?|\*|\?|:\w+|\([^)]*\)", pattern):
        expression += re.escape(pattern[at : found.start()])
        expression += _WILD.get(found[0]) or (
            f"(?P<{found[0][1:]}>[^/]+)" if found[0][0] == ":" else re.escape(found[0])
        )
        at = found.end()
    match = re.fullmatch(expression + re.escape(pattern[at:]), path)
    if match is None:
        return None
    parts = match.groupdict()
    return re.sub(r":(\w+)", lambda name: parts.get(name[1], name[0]), target)


_WILD = {"**": ".*", "**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}


class Handler(BaseHTTPRequestHandler):
    """One request for a file."""

    protocol_version = "HTTP/1.1"
    server_version = "lean-emu"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    folder = Path()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path = re.sub(r"/{2,}", "/", unquote(parts.path))
        try:
            site = read_site(self.folder)
        except (ValueError, TypeError, OSError) as error:
            self._text(500, f"{CONFIG} cannot be read: {error}\n")
            return
        if (elsewhere := site.redirect(path)) is not None:
            where, status = elsewhere
            query = f"?{parts.query}" if parts.query else ""
            location = where if "://" in where else quote(where, safe="/:@!$&'()*+,;=~")
            self._send(status, b"", {"Location": location + query})
        elif (file := site.file(path)) is not None:
            self._file(file, 200, site.headers(path))
        elif (folder := site.folder(path)) is not None:
            self._text(200, _listing(folder, path), "text/html; charset=utf-8")
        elif (site.root / "404.html").is_file():
            self._file(site.root / "404.html", 404, site.headers(path))
        else:
            self._text(404, "The requested path could not be found\n")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self.close_connection = True
        self._text(405, "This site has files only\n", **{"Allow": "GET, HEAD"})

    do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_POST

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Every request is a trace already."""

    def _file(self, file: Path, status: int, extra: dict[str, str]) -> None:
        with file.open("rb") as opened:
            state = os.fstat(opened.fileno())
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            text = kind.startswith("text/") or kind.endswith(("javascript", "json"))
            headers = {
                "Content-Type": f"{kind}; charset=utf-8" if text else kind,
                "Last-Modified": formatdate(state.st_mtime, usegmt=True),
                "ETag": f'"{state.st_mtime_ns:x}-{state.st_size:x}"',
                "Accept-Ranges": "bytes",
                **extra,
            }
            if status == 200 and self._unchanged(headers):
                self._send(304, b"", headers)
                return
            first, last = 0, state.st_size - 1
            if status == 200 and (wanted := byte_range(self.headers["Range"], state.st_size)):
                first, last = wanted
                if first > last:
                    headers["Content-Range"] = f"bytes */{state.st_size}"
                    self._send(416, b"", headers)
                    return
                status = 206
                headers["Content-Range"] = f"bytes {first}-{last}/{state.st_size}"
            self._head(status, last - first + 1, headers)
            if self.command != "HEAD":
                opened.seek(first)
                if status == 200:
                    shutil.copyfileobj(opened, self.wfile)
                else:
                    self.wfile.write(opened.read(last - first + 1))

    def _unchanged(self, headers: dict[str, str]) -> bool:
        if "If-None-Match" in self.headers:
            return headers["ETag"] in self.headers["If-None-Match"]
        return self.headers["If-Modified-Since"] == headers["Last-Modified"]

    def _text(
        self, status: int, text: str, kind: str = "text/plain; charset=utf-8", **extra: str
    ) -> None:
        self._send(status, text.encode(), {"Content-Type": kind, **extra})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self._head(status, len(body), headers)
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status, HTTPStatus(status).phrase)
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(length))
        self.end_headers()


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte that are wanted, in that order unless nothing of it is there.

    ``None`` means the whole file: no header, several ranges, or one that cannot be read.
    """
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header or "")
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return max(0, size - int(match[2])), size - 1
    return int(match[1]), min(int(match[2] or size), size - 1)


def _listing(folder: Path, path: str) -> str:
    names = sorted(
        f"{entry.name}/" if entry.is_dir() else entry.name
        for entry in folder.iterdir()
        if not entry.name.startswith(".")
    )
    base = path.rstrip("/")
    rows = "".join(
        f'<li><a href="{quote(base)}/{quote(name)}">{html.escape(name)}</a></li>' for name in names
    )
    title = html.escape(f"Files within {path}")
    head = f'<!doctype html><meta charset="utf-8"><title>{title}</title>'
    return f"{head}<h1>{title}</h1><ul>{rows}</ul>"


def main(port: str) -> None:
    Handler.folder = Path.cwd()
    ThreadingHTTPServer.daemon_threads = True
    ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
