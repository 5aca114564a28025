import pytest

from lean_emulator.base.clock import ManualClock
from lean_emulator.base.trace import EventLog
from lean_emulator.console.registry import Records, Registered, parse, registered
from tests.support.console_samples import NAMES, Story


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("averageStars", ("function", "averageStars", None)),
        ("__before_save_for_Review", ("hook", "beforeSave", "Review")),
        ("__after_delete_for__User", ("hook", "afterDelete", "_User")),
        (
            "__before_update_for_a__before_save_for_b",
            ("hook", "beforeUpdate", "a__before_save_for_b"),
        ),
        ("__on_verified_sms", ("account", "onVerified", "sms")),
        ("__on_login__User", ("account", "onLogin", "_User")),
        ("__on_authdata__User", ("account", "onAuthData", "_User")),
        ("_messageReceived", ("message", "_messageReceived", None)),
        ("__on_complete_bigquery_job", ("insight", "onComplete", "BigQuery")),
        ("_ownName", ("function", "_ownName", None)),
        ("__before_save_for_", ("function", "__before_save_for_", None)),
    ],
)
def test_metadata_names(name: str, expected: tuple[str, str, str | None]) -> None:
    item = parse(name)
    assert (item.group, item.label, item.of) == expected


def test_order_is_by_class_and_then_as_a_save_goes() -> None:
    names = ["b", "__after_save_for_Z", "__before_save_for_Z", "__after_update_for_A", "a"]
    assert [(item.label, item.of) for item in registered(names)] == [
        ("afterUpdate", "A"),
        ("beforeSave", "Z"),
        ("afterSave", "Z"),
        ("a", None),
        ("b", None),
    ]


def test_records_count_runs_outcomes_and_times_but_not_what_was_skipped() -> None:
    clock = ManualClock()
    log = EventLog(clock)
    Story(log, clock).day("/nowhere")
    known = Records(log).all()
    before = known[("beforeSave", "Review")]
    assert (before.runs, before.rejected, before.failed) == (2, 1, 0)
    assert before.last is not None
    assert before.last.outcome == "ok"
    assert before.error_rate == 0.5
    assert before.median_ms == pytest.approx(5.8)
    assert before.slowest_ms == pytest.approx(6.2)
    assert [outcome for _, outcome in before.recent] == ["rejected", "ok"]
    assert known[("monthlyReport", None)].failed == 1
    # one afterUpdate of the loop, and one of the review chain was switched off
    assert known[("afterUpdate", "Post")].runs == 4
    assert ("beforeUpdate", "Post") not in known


def test_what_never_ran_has_no_record() -> None:
    assert (
        Registered("greet", "function", "greet").key not in Records(EventLog(ManualClock())).all()
    )
    assert "greet" in NAMES


def test_records_follow_the_log() -> None:
    clock = ManualClock()
    log = EventLog(clock, capacity=2)
    counted = Records(log)
    root = log.begin("request", "POST /x")
    step = log.begin("hook", "beforeSave A", root, hook="beforeSave", class_name="A")
    key = ("beforeSave", "A")
    assert (counted.all()[key].runs, counted.all()[key].error_rate) == (1, None)
    clock.advance(0.004)
    log.end(step, "rejected")
    log.end(root)
    assert counted.all()[key].error_rate == 1
    assert counted.all()[key].median_ms == pytest.approx(4)
    for _ in range(2):
        log.end(log.begin("request", "GET /y"))
    assert key not in counted.all(), "what is no longer kept does not count"
