from pathlib import Path

import pytest

from lean_emulator.base.clock import ManualClock
from lean_emulator.base.jsontext import Json
from lean_emulator.base.trace import EventLog
from lean_emulator.console.bench import KEPT, Bench, Refusal, Run, RunForm
from lean_emulator.console.payload import Problem
from tests.support.console_fakes import FakeWorkbench
from tests.support.console_samples import Story


@pytest.fixture
def workbench(tmp_path: Path) -> FakeWorkbench:
    clock = ManualClock()
    return FakeWorkbench(Story(EventLog(clock), clock), str(tmp_path))


async def test_a_function_gets_what_was_typed(workbench: FakeWorkbench) -> None:
    form = RunForm.read(
        {
            "name": "averageStars",
            "payload": "{movie: 'x'}",
            "rpc": "on",
            "as": "user",
            "who": " mia ",
        }
    )
    done = await Bench(workbench).run(form, 1)
    assert isinstance(done, Run)
    assert workbench.sent == [
        ("averageStars", {"params": {"movie": "x"}, "rpc": True, "user": "mia", "master": False})
    ]


async def test_a_hook_gets_its_object_and_keys(workbench: FakeWorkbench) -> None:
    form = RunForm.read(
        {
            "tab": "hook",
            "hook": "Review/beforeUpdate",
            "object": "655f",
            "keys": "comment, stars",
            "as": "master",
            "who": "left over",
            "how": "chain",
        }
    )
    await Bench(workbench).run(form, 1)
    assert workbench.sent == [
        (
            "Review/beforeUpdate",
            {
                "object": None,
                "object_id": "655f",
                "updated_keys": ["comment", "stars"],
                "user": None,
                "master": True,
                "chain": True,
            },
        )
    ]


async def test_keys_are_for_update_hooks_only(workbench: FakeWorkbench) -> None:
    form = RunForm(tab="hook", hook="Review/beforeSave", keys="comment", payload="{comment: 'x'}")
    await Bench(workbench).run(form, 1)
    assert workbench.sent[0][1]["updated_keys"] == []


@pytest.mark.parametrize(
    ("hook", "payload", "sent"),
    [
        ("_User/onLogin", "", None),
        ("sms/onVerified", "{username: 'tom'}", {"username": "tom"}),
        ("/_messageReceived", "{fromPeer: 'Tom'}", {"fromPeer": "Tom"}),
        ("BigQuery/onComplete", "", None),
    ],
)
async def test_a_hook_that_belongs_to_no_write_gets_its_payload(
    workbench: FakeWorkbench, hook: str, payload: str, sent: Json
) -> None:
    form = RunForm.read({"tab": "event", "hook": hook, "payload": payload, "how": "chain"})
    done = await Bench(workbench).run(form, 1)
    assert isinstance(done, Run)
    ((called, given),) = workbench.sent
    assert (called, given["object"], given["chain"]) == (hook, sent, False)


@pytest.mark.parametrize(
    ("form", "field", "phrase"),
    [
        (RunForm(), "name", "problem.no_function"),
        (RunForm(name="f", identity="user"), "who", "problem.no_user"),
        (RunForm(name="f", payload="{a"), "payload", "problem.end"),
        (RunForm(tab="hook", hook="Review"), "hook", "problem.no_hook"),
        (RunForm(tab="hook", hook="Review/onLogin"), "hook", "problem.no_hook"),
        (RunForm(tab="hook", hook="Review/beforeSave"), "object", "problem.no_object"),
        (RunForm(tab="event", hook="Review/beforeSave"), "hook", "problem.no_event"),
        (RunForm(tab="event"), "hook", "problem.no_event"),
    ],
)
async def test_what_cannot_run_is_refused_and_not_sent(
    workbench: FakeWorkbench, form: RunForm, field: str, phrase: str
) -> None:
    bench = Bench(workbench)
    refusal = await bench.run(form, 1)
    assert isinstance(refusal, Refusal)
    assert (refusal.field, refusal.problem.phrase) == (field, phrase)
    assert workbench.sent == []
    assert bench.runs == []


async def test_an_unknown_user_is_said_at_the_field(workbench: FakeWorkbench) -> None:
    refusal = await Bench(workbench).run(RunForm(name="f", identity="user", who="nobody9"), 1)
    assert isinstance(refusal, Refusal)
    assert refusal.field == "who"
    assert refusal.problem == Problem("problem.other", found="There is no user 'nobody9'.")


async def test_the_last_thirty_are_kept(workbench: FakeWorkbench) -> None:
    bench = Bench(workbench)
    for number in range(KEPT + 5):
        await bench.run(RunForm(name="averageStars", payload=f"{{n: {number}}}"), number)
    assert len(bench.runs) == KEPT
    assert bench.runs[0].form.payload == "{n: 34}"
    assert bench.get("5") is None
    newest = bench.get("35")
    assert newest is not None
    assert newest.form.title == "averageStars"


def test_a_form_from_a_link() -> None:
    form = RunForm.read({"hook": "Review/beforeSave"})
    assert (form.tab, form.title) == ("hook", "beforeSave Review")
    assert RunForm.read({"as": "root", "tab": "x"}) == RunForm()
