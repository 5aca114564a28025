"""Bare aiohttp doing the same JSON work: what our figures are compared with.

It parses the body, keeps the object in a dictionary, answers id and time; no more. ``app`` is how
one writes it, an application with routes; ``floor`` is the least that aiohttp can do, one handler
without a router.
"""

import asyncio
import itertools
import sys
import time

import orjson
import uvloop
from aiohttp import web

OBJECTS: dict[str, dict[str, object]] = {}
_NUMBERS = itertools.count()


async def handle(request: web.BaseRequest) -> web.Response:
    if request.method == "POST":
        document = orjson.loads(await request.read())
        object_id = f"{next(_NUMBERS):024x}"
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        OBJECTS[object_id] = {**document, "objectId": object_id, "createdAt": now}
        answer: object = {"objectId": object_id, "createdAt": now}
        status = 201
    else:
        answer, status = OBJECTS[request.path.rsplit("/", 1)[1]], 200
    return web.Response(body=orjson.dumps(answer), status=status, content_type="application/json")


async def handle_routed(request: web.Request) -> web.Response:
    if request.method == "POST":
        document = await request.json(loads=orjson.loads)
        object_id = f"{next(_NUMBERS):024x}"
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        OBJECTS[object_id] = {**document, "objectId": object_id, "createdAt": now}
        return web.json_response({"objectId": object_id, "createdAt": now}, status=201)
    return web.json_response(OBJECTS[request.match_info["id"]])


def runner_of(kind: str) -> web.BaseRunner:
    if kind == "floor":
        return web.ServerRunner(web.Server(handle))
    app = web.Application()
    app.router.add_post("/1.1/classes/{class}", handle_routed)
    app.router.add_get("/1.1/classes/{class}/{id}", handle_routed)
    return web.AppRunner(app, access_log=None)


async def main(kind: str) -> None:
    runner = runner_of(kind)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
