"""Requests that change nothing, all asked of one emulator: for tables too long for one each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.api import running_api
from tests.support.matchers import With
from tests.support.scenario import Id, Sent, SignedUp, Stored, check_traces, prepare, send


@dataclass(frozen=True)
class Question:
    """A GET and its answer; ids, tokens and paths are named as in a ``Scenario``."""

    name: str
    path: str
    answer: Any
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] | None = None
    status: int = 200

    def __str__(self) -> str:
        return self.name


def rows(*names: str) -> dict[str, Any]:
    """The answer of a query that finds these objects, in this order, and says nothing else."""
    return {"results": [With({"objectId": Id(name)}) for name in names]}


def to(class_name: str, target: Any) -> dict[str, Any]:
    """A pointer; ``target`` is an objectId, or an ``Id`` of the setup."""
    return {"__type": "Pointer", "className": class_name, "objectId": target}


async def ask_all(
    questions: Sequence[Question], setup: Sequence[Stored | SignedUp], project: Path
) -> None:
    """Ask every question; fails with all that were answered otherwise."""
    async with running_api(project=project) as api:
        names = await prepare(api, setup)
        wrong = []
        for question in questions:
            request = Sent("GET", question.path, headers=question.headers, params=question.params)
            answer = await send(api, request, names)
            expected = names.resolve(question.answer)
            if (answer.status, answer.json) != (question.status, expected):
                got = f"{answer.status} {answer.json}"
                wrong.append(f"{question}: {got}, wanted {question.status} {expected}")
        assert not wrong, "\n".join(wrong)
        await check_traces(api, [*names.tokens.values()])
