"""Sentences about hooks that did not run, and what counts as a hook's edit."""

from typing import Any

import pytest

from lean_emulator.base.clock import ManualClock
from lean_emulator.base.trace import EventLog, Outcome
from lean_emulator.model.hooknames import AFTER_HOOKS, BEFORE_HOOKS, HookKind
from lean_emulator.service import fate_texts as texts
from lean_emulator.service.call import Wish
from lean_emulator.service.warnings import edited_keys

AFTER, BEFORE = HookKind.AFTER_UPDATE, HookKind.BEFORE_UPDATE


@pytest.mark.parametrize(
    ("kind", "wish", "handed", "en"),
    [
        (AFTER, Wish(source="import"), None, "an import fires no hooks"),
        (AFTER, Wish(AFTER_HOOKS), "afterSave Post", "afterSave Post was given this object"),
        (AFTER, Wish(AFTER_HOOKS), None, "disable_after_hook()"),
        (BEFORE, Wish(BEFORE_HOOKS | AFTER_HOOKS), None, "disable_before_hook()"),
        (BEFORE, Wish(frozenset({BEFORE})), None, "ignore_hook('beforeUpdate')"),
        (BEFORE, Wish(marked=BEFORE_HOOKS), None, "a signed __before mark"),
        (AFTER, Wish(marked=AFTER_HOOKS), None, "a signed __after mark"),
    ],
)
def test_how_a_hook_was_left_out(kind: HookKind, wish: Wish, handed: str | None, en: str) -> None:
    span = EventLog(ManualClock()).begin("request", "PUT /1.1/classes/Post/x")
    said = texts.ignored(kind, wish, span, handed)
    assert en in said.en
    if wish.source == "request":
        assert "PUT /1.1/classes/Post/x" in said.en
        assert "PUT /1.1/classes/Post/x" in said.zh


@pytest.mark.parametrize("outcome", ["ok", "running", "rejected", "failed", "timeout", "loop"])
def test_every_outcome_of_a_hook_has_its_words(outcome: Outcome) -> None:
    step = EventLog(ManualClock()).begin("hook", "beforeSave Post")
    step.outcome = outcome
    said = texts.ran(step)
    assert said.en
    assert said.zh != said.en


SENT: dict[str, Any] = {"objectId": "x", "n": 1, "tags": ["a", {"b": None}]}
POINTER = {"__type": "Pointer", "className": "A", "objectId": "a"}


@pytest.mark.parametrize(
    ("sent", "answered", "keys"),
    [
        ({}, {}, []),
        ({}, {"n": 2}, ["n"]),
        ({}, {"tags": ["a", {"b": 1}]}, ["tags"]),
        ({"p": POINTER}, {"p": {**POINTER, "__type": "Object", "title": "x"}}, []),
        ({"p": [POINTER]}, {"p": [{**POINTER, "objectId": "b"}]}, ["p"]),
        ({"p": {**POINTER, "className": "_File"}}, {"p": {"__type": "File", "id": "a"}}, []),
        ({"r": {"__type": "Relation", "className": "A"}}, {"r": {"__type": "Relation"}}, []),
        ({}, {"_updatedKeys": ["n"], "__after": "x", "createdAt": "y", "className": "Post"}, []),
        ({"gone": 1}, {}, ["gone"]),
    ],
)
def test_fields_that_a_hook_edited(sent: Any, answered: Any, keys: list[str]) -> None:
    assert edited_keys({**SENT, **sent}, {**SENT, **answered}) == keys


@pytest.mark.parametrize("answered", [None, [], "x", {"result": "ok"}, {"n": 2, "objectId": "y"}])
def test_an_answer_that_is_not_the_object_edits_nothing(answered: Any) -> None:
    assert edited_keys(SENT, answered) == []
