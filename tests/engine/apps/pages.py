"""A WSGI app without a framework, one path per thing that can go wrong on the way."""

import itertools
import json
import os
import threading
import zlib

gates = {}
closed = []


def gate(name):
    return gates.setdefault(name, threading.Event())


def application(environ, start_response):
    path = environ["PATH_INFO"].strip("/").split("/")
    page = PAGES.get(path[0], missing)
    return page(environ, start_response, *path[1:])


def plain(start_response, text, status="200 OK", *headers):
    body = text if isinstance(text, bytes) else text.encode("utf-8")
    start_response(status, [("Content-Length", str(len(body))), *headers])
    return [body]


def missing(environ, start_response, *_):
    return plain(start_response, "no such page", "404 Not Found")


def facts(environ, start_response, *_):
    """What the app was told."""
    words = {k: v for k, v in environ.items() if isinstance(v, str)}
    return plain(start_response, json.dumps(words))


def events(environ, start_response, name):
    """Server-sent events: one at once, the next when the gate opens, then without end."""
    start_response("200 OK", [("Content-Type", "text/event-stream")])

    def run():
        try:
            yield b"data: first\n\n"
            gate(name).wait(10)
            for number in itertools.count():
                yield f"data: {number}\n\n".encode()
        finally:
            closed.append(name)

    return run()


def opened(environ, start_response, name):
    gate(name).set()
    return plain(start_response, "open")


def was_closed(environ, start_response, name):
    return plain(start_response, "yes" if name in closed else "no")


def large(environ, start_response, megabytes):
    start_response("200 OK", [("Content-Length", str(int(megabytes) << 20))])
    return (b"x" * (1 << 20) for _ in range(int(megabytes)))


def taken(environ, start_response, *_):
    """Size and check sum of what was sent."""
    size, crc = 0, 0
    while True:
        data = environ["wsgi.input"].read(1 << 16)
        if not data:
            break
        size += len(data)
        crc = zlib.crc32(data, crc)
    return plain(start_response, f"{size} {crc}")


def moved(environ, start_response, *_):
    return plain(
        start_response,
        "",
        "302 Found",
        ("Location", "/elsewhere?a=1"),
        ("Set-Cookie", "a=1; Path=/"),
        ("Set-Cookie", "b=2; HttpOnly"),
        ("Connection", "close, X-Private"),
        ("X-Private", "of this connection"),
    )


def unchanged(environ, start_response, *_):
    start_response("304 Not Modified", [("ETag", '"v1"')])
    return []


def nothing(environ, start_response, *_):
    start_response("204 No Content", [])
    return []


def squeezed(environ, start_response, *_):
    """Compressed by the app: it must arrive as it is."""
    return plain(
        start_response, zlib.compress(b"text" * 100), "200 OK", ("Content-Encoding", "deflate")
    )


def latin(environ, start_response, *_):
    return plain(
        start_response, "", "200 OK", ("Content-Disposition", 'attachment; filename="caf\xe9"')
    )


def cut(environ, start_response, *_):
    """Dies in the middle of what it promised."""
    start_response("200 OK", [("Content-Length", str(4 << 20))])
    yield b"x" * (2 << 20)
    os._exit(3)


def slow(environ, start_response, name):
    gate(name).wait(10)
    return plain(start_response, "at last")


def printing(environ, start_response, *_):
    print("somebody looks")
    return plain(start_response, "looked")


PAGES = {
    "facts": facts, "events": events, "open": opened, "closed": was_closed, "large": large,
    "taken": taken, "moved": moved, "unchanged": unchanged, "nothing": nothing,
    "squeezed": squeezed, "latin": latin, "cut": cut, "slow": slow, "printing": printing,
}  # fmt: skip
