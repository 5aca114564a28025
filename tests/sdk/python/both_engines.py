"""Scenarios that hold for Python and Node alike: one request, its answer, and what it fires."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rest import Rest

PREFIX = "Cloud Code validation failed. Error detail : "


@dataclass(frozen=True)
class Given:
    """An object that is there before; ``{name}`` stands for its id everywhere."""

    name: str
    class_name: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class ByEngine:
    """What the two SDKs answer differently (engine.md 2.5, 2.7)."""

    python: Any
    node: Any


@dataclass(frozen=True)
class Scenario:
    """``answer`` is compared by the members it names, ``"*"`` with nothing; ``stored`` likewise
    with what is there afterwards.

    In ``stored`` the key is a class and an id, ``Review/{new}``, where ``new`` is the id that was
    answered; ``None`` is an object that is not there.
    """

    name: str
    method: str
    path: str
    body: Any
    status: int
    answer: Any
    fired: Mapping[str, int]
    given: tuple[Given, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    stored: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def check(scenario: Scenario, rest: Rest, engine: str) -> None:
    """Run one scenario on an emulator whose code is of that engine."""
    ids = {"hook_key": rest.emulator.keys["hook_key"]}
    for given in scenario.given:
        ids[given.name] = rest.save(given.class_name, **_filled(given.fields, ids))
    rest.emulator.forget()

    path, body = _filled(scenario.path, ids), _filled(scenario.body, ids)
    answer = rest.ask(scenario.method, path, body, _filled(scenario.headers, ids))
    told = answer.json()
    expected = scenario.answer
    if isinstance(expected, ByEngine):
        expected = expected.python if engine == "python" else expected.node

    assert (answer.status_code, _only(told, expected)) == (scenario.status, _filled(expected, ids))
    assert rest.emulator.fired() == scenario.fired
    if isinstance(told, dict) and "objectId" in told:
        ids["new"] = told["objectId"]
    for place, fields in scenario.stored.items():
        found = rest.ask("GET", f"classes/{_filled(place, ids)}").json()
        assert _only(found, fields or {}) == _filled(fields or {}, ids), place


def _filled(value: Any, ids: Mapping[str, str]) -> Any:
    text = json.dumps(value)
    for name, object_id in ids.items():
        text = text.replace(f"{{{name}}}", object_id)
    return json.loads(text)


def _only(told: Any, expected: Any) -> Any:
    """Of an object the members that are asked about, all when none is; of a list each likewise."""
    if expected == "*":
        return expected
    if isinstance(told, dict) and isinstance(expected, dict) and expected:
        return {name: _only(told[name], value) for name, value in expected.items() if name in told}
    if isinstance(told, list) and isinstance(expected, list) and len(told) == len(expected):
        return [_only(one, other) for one, other in zip(told, expected, strict=True)]
    return told


def error(code: int, text: str) -> dict[str, Any]:
    return {"code": code, "error": text}
