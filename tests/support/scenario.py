"""One request and everything that must come of it: the unit of wire tests.

A ``Scenario`` says what is stored, what is asked, what is answered, which hooks fire (and that no
other does), and what is stored afterwards. Whatever it says, running it also checks that no step
is left open in the trace and that nothing secret is shown in it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lean_emulator.base import jsontext
from lean_emulator.base.trace_view import summary, tree, walk
from tests.support.api import KEYS, MASTER, Api, WireAnswer, running_api
from tests.support.fake_engine import FakeEngine, Handler
from tests.support.matchers import ANYTHING, With

PASSWORD = "correct-horse-battery"


@dataclass(frozen=True)
class Id:
    """The objectId of what the setup called so."""

    name: str


@dataclass(frozen=True)
class Token:
    """The session token of the user the setup called so."""

    name: str


@dataclass(frozen=True)
class At:
    """A path in a body; ``{name}`` stands for the objectId of what the setup called so."""

    template: str


@dataclass(frozen=True)
class Stored:
    """Setup: an object, made with the master key and without hooks."""

    name: str
    class_name: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SignedUp:
    """Setup: a user with ``PASSWORD``, made without hooks."""

    name: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sent:
    """A request; ``{name}`` in the path stands for the objectId of what the setup called so."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, Any] | None = None
    raw: bytes | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """``hooks`` counts calls by name; ``"*": 0`` is the number of all that are not named.

    ``after`` is what is stored in the end under the names of the setup; ``None`` for nothing.
    """

    name: str
    request: Sent
    status: int
    body: Any = ANYTHING
    setup: Sequence[Stored | SignedUp] = ()
    engine: Mapping[str, Handler] = field(default_factory=dict)
    hooks: Mapping[str, int] = field(default_factory=lambda: {"*": 0})
    after: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


class Names:
    """What the setup made, by the names it gave."""

    def __init__(self) -> None:
        self.classes: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        self.tokens: dict[str, str] = {}

    def resolve(self, value: Any) -> Any:
        if isinstance(value, Id):
            return self.ids[value.name]
        if isinstance(value, Token):
            return self.tokens[value.name]
        if isinstance(value, At):
            return self.path(value.template)
        if isinstance(value, With):
            return With(self.resolve(value.members), value.without)
        if isinstance(value, Mapping):
            return {self.resolve(key): self.resolve(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        return value

    def path(self, template: str) -> str:
        for name, object_id in self.ids.items():
            template = template.replace(f"{{{name}}}", object_id)
        return template


async def run(scenario: Scenario, project: Path) -> None:
    """Play a scenario on an emulator of its own."""
    engine = FakeEngine(scenario.engine)
    async with running_api(engine, project=project, **scenario.settings) as api:
        names = await prepare(api, scenario.setup)
        answer = await send(api, scenario.request, names)
        await api.settle()
        assert answer.status == scenario.status, answer.body
        assert answer.json == names.resolve(scenario.body)
        for name, value in scenario.headers.items():
            assert (name, answer.headers.get(name)) == (name, names.resolve(value))
        check_hooks(engine, scenario.hooks)
        for name, expected in names.resolve(scenario.after).items():
            stored = await api.emulator.storage.get(names.classes[name], names.ids[name])
            assert stored == expected
        await check_traces(api, [*names.tokens.values()])


async def prepare(api: Api, setup: Sequence[Stored | SignedUp]) -> Names:
    """Make what a scenario starts from; the calls of this are not counted."""
    names = Names()
    quiet = ["beforeSave", "afterSave"]
    for made in setup:
        fields = {**names.resolve(dict(made.fields)), "__ignore_hooks": quiet}
        if isinstance(made, SignedUp):
            fields |= {"username": made.name, "password": PASSWORD}
        class_name = "_User" if isinstance(made, SignedUp) else made.class_name
        answer = await api("POST", f"/1.1/classes/{class_name}", fields, headers=MASTER)
        assert answer.status == 201, answer.json
        names.classes[made.name] = class_name
        names.ids[made.name] = answer.json["objectId"]
        if isinstance(made, SignedUp):
            names.tokens[made.name] = answer.json["sessionToken"]
    api.engine.received.clear()
    return names


async def send(api: Api, request: Sent, names: Names) -> WireAnswer:
    headers = None if request.headers is None else names.resolve(request.headers)
    return await api(
        request.method,
        names.path(request.path),
        names.resolve(request.body),
        headers=headers,
        raw=request.raw,
        **names.resolve(request.params),
    )


def check_hooks(engine: FakeEngine, expected: Mapping[str, int]) -> None:
    """Every hook and function that was called is expected, that often."""
    fired = Counter(engine.fired())
    named = {name: fired.pop(name, 0) for name in expected if name != "*"}
    assert named == {name: times for name, times in expected.items() if name != "*"}
    if "*" in expected:
        assert sum(fired.values()) == expected["*"], f"also fired: {dict(fired)}"


async def check_traces(api: Api, tokens: Sequence[str]) -> None:
    """No step is open, everything can be shown, and nothing secret is."""
    mask = api.emulator.mask
    roots = api.emulator.log.traces()
    running = [span.title for root in roots for span in walk(root) if span.ended is None]
    assert not running
    shown = b"".join(
        jsontext.dumps([summary(root, mask), tree(root, mask)]) for root in roots
    ).decode()
    secrets = (KEYS.app_key, KEYS.master_key, KEYS.hook_key, PASSWORD, *tokens)
    assert [secret for secret in secrets if secret in shown] == []
