"""The least aiohttp code that does the same JSON work: the floor our figures are compared with.

It parses the body, keeps the object in a dictionary, answers id and time; nothing else.
"""

import asyncio
import itertools
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


async def main() -> None:
    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
