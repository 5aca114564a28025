"""Random requests: nothing falls over, nothing waits, what is refused leaves no trace.

The cases are the same in every run. ``LEAN_EMU_FUZZ_CASES`` says how many there are and
``LEAN_EMU_FUZZ_SEED`` chooses others; a failure names the request that caused it.
"""

import asyncio
import logging
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.base import jsontext
from lean_emulator.base.errors import ApiError
from lean_emulator.model.query import Query
from tests.fuzz.cases import Case, Cases
from tests.fuzz.material import Known, Material
from tests.fuzz.raw_http import Answer, Line
from tests.support.api import KEYS, Api, running_api
from tests.support.fake_engine import FakeEngine, refuse

SLICES = 10
CASES = int(os.environ.get("LEAN_EMU_FUZZ_CASES", "2000"))
SEED = int(os.environ.get("LEAN_EMU_FUZZ_SEED", "1"))
FRESH = 400
"""Cases after which everything is forgotten, so that classes stay small."""
SLOW = 1.0
"""Seconds an answer may take."""
NO_PAGES = b"The fake engine has no pages.\n"
OURS = (b"Traceback (most recent call last)", b"lean_emulator/", b"lean-emu failed")
SECRETS = (KEYS.master_key.encode(), KEYS.hook_key.encode())


@pytest.mark.timeout(120)
@pytest.mark.parametrize("number", range(SLICES))
async def test_random_requests(
    number: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(SEED * 1_000 + number)
    crashed: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: crashed.append(context))
    engine = strange_engine(random.Random(number))
    async with running_api(engine, project=tmp_path, traces=50) as api:
        line = Line(api.emulator.api_port)
        known = Known()
        cases = Cases(Material(chance, known), api.emulator.routes)
        for count in range(CASES // SLICES):
            if count % FRESH == 0:
                await fill(api, known)
                before = await everything(api)
            case = cases.case()
            answer = await asked(line, case)
            after = await everything(api)
            wrong = complaint(case, answer)
            if after != before and not case.may_change_things(answer.status):
                wrong = "it was refused, or only reads, and changed something"
            if crashed or errors_in(caplog):
                wrong = f"it was logged: {crashed or errors_in(caplog)}"
            assert wrong is None, (
                f"case {count} of slice {number}, seed {SEED}: {wrong}\n"
                f"{case.raw[:4000]!r}\n{answer.status} {answer.body[:1000]!r}"
            )
            before = after
            learn(known, case, answer)
        await line.close()


def strange_engine(chance: random.Random) -> FakeEngine:
    """Code whose hooks and functions give anything."""
    material = Material(chance, Known())

    def anything(sent: dict[str, Any]) -> Any:
        kind = chance.randrange(4)
        if kind == 0:
            return refuse("no")
        given = sent.get("object")
        return {**(given if isinstance(given, dict) else {}), **finite(material.document())}

    hooks = ("beforeSave", "afterSave", "beforeUpdate", "afterUpdate", "beforeDelete")
    return FakeEngine(
        {f"Hooked.{hook}": anything for hook in hooks}
        | {"echo": lambda sent: {"result": sent}, "strange": lambda _: finite(material.value())}
    )


def finite(value: Any) -> Any:
    """Without NaN and infinities, which no real engine can say in JSON."""
    return jsontext.loads(jsontext.dumps(value))


async def fill(api: Api, known: Known) -> None:
    """Forget everything and store a few objects of every type."""
    await api.emulator.reset()
    known.ids.clear()
    known.tokens.clear()
    for name in ("mia", "bob"):
        signed = await api("POST", "/1.1/users", {"username": name, "password": "p"})
        known.tokens.append(signed.json["sessionToken"])
        known.ids.setdefault("_User", []).append(signed.json["objectId"])
    private = {known.ids["_User"][0]: {"read": True, "write": True}}
    date = {"__type": "Date", "iso": "2021-01-01T00:00:00.000Z"}
    locked = {"*": {"read": True}}
    fan = await api.create("Fan", name="fan", n=1)
    post = await api.create("Post", name="post", n=5, at=date)
    known.ids |= {"Fan": [fan], "Post": [post], "Thing": [], "Hooked": []}
    pointer = {"__type": "Pointer", "className": "Post", "objectId": post}
    place = {"__type": "GeoPoint", "latitude": 39.9, "longitude": 116.4}
    member = {"__type": "Pointer", "className": "Fan", "objectId": fan}
    things: list[dict[str, Any]] = [
        {"n": 1, "text": "a" * 30 + "!", "flag": True, "list": [1, "a", {"n": 2}], "post": pointer},
        {"n": 2.5, "map": {"a": {"b": 1}}, "place": place, "at": date},
        {"fans": {"__op": "AddRelation", "objects": [member]}, "text": "影", "ACL": private},
        {"bytes": {"__type": "Bytes", "base64": "aGVsbG8="}, "n": None, "ACL": locked},
    ]
    for fields in things:
        known.ids["Thing"].append(await api.create("Thing", **fields))
    quiet = {"__ignore_hooks": ["beforeSave", "afterSave"]}
    known.ids["Hooked"].append(await api.create("Hooked", n=1, text="t", **quiet))
    await api.settle()


async def everything(api: Api) -> tuple[object, bytes]:
    """All that is stored: schemas, objects and members of relations."""
    storage = api.emulator.storage
    schemas = dict(storage.classes())
    rows: list[object] = []
    for name, schema in schemas.items():
        found = await storage.find(Query(name, limit=1_000_000))
        rows.append([name, found])
        for key, _ in schema.relations:
            rows += [[key, await storage.related(name, str(o["objectId"]), key)] for o in found]
    return schemas, jsontext.dumps(rows)


async def asked(line: Line, case: Case) -> Answer:
    """The answer; one that takes too long gets a second chance, for machines that are busy."""
    for attempt in (1, 2):
        began = time.perf_counter()
        if case.rude:
            answer = await line.ask_rudely(case.raw)
        else:
            answer = await line.ask(case.raw, head_only=case.method == "HEAD")
        took = time.perf_counter() - began
        if took <= SLOW:
            return answer
        assert attempt == 1, f"the answer took {took:.1f} s, twice:\n{case.raw[:4000]!r}"
    raise AssertionError


def learn(known: Known, case: Case, answer: Answer) -> None:
    """What was made can be spoken of."""
    words = case.path.strip("/").split("/")
    if answer.status == 201 and words[1:2] == ["classes"] and len(words) == 3:
        made = jsontext.loads(answer.body)
        if isinstance(made, dict):
            known.learn(words[2], str(made.get("objectId")))


def complaint(case: Case, answer: Answer) -> str | None:
    """What is wrong with an answer; ``None`` when nothing is."""
    if answer.status == 0:
        return None if case.rude else "the connection was closed without an answer"
    if answer.status == 502 and answer.body in (NO_PAGES, b"") and not case.for_the_api:
        return None  # it went to the project's web app, which the fake engine has not
    if answer.status >= 500 and answer.status != 501:
        return "it is an error of the server"
    if any(word in answer.body for word in OURS):
        return "it shows how the program is made"
    if answer.closing:
        return None  # the parser's words, which repeat what was sent
    if any(secret in answer.body for secret in SECRETS):
        return "it tells a secret"
    if not case.for_the_api or not answer.body:
        return None
    try:
        body = jsontext.loads(answer.body)
    except ApiError:
        return "it is no JSON"
    if answer.status >= 400 and not _is_error(body):
        return "it is no error with a code and a text"
    return None


def _is_error(body: Any) -> bool:
    return (
        isinstance(body, dict)
        and isinstance(body.get("code"), int)
        and isinstance(body.get("error"), str)
        and bool(body["error"])
    )


def errors_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR or r.exc_info]
