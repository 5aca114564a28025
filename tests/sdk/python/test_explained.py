"""What traces tell of hooks of the official SDK: why they ran or did not, and what to beware of."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import leancloud
import pytest
from emu_process import Emulator, point_sdk_at, wait_until
from stored_objects import save, stored

CODE = """
import leancloud

engine = leancloud.Engine()


@engine.before_save("Review")
def before_save(review):
    review.set("checked", True)


@engine.before_save("Draft")
def draft_is_saved(draft):
    draft.set("checked", True)


@engine.before_update("Review")
def before_update(review):
    if review.get("mode") == "edit":
        review.set("stars", 0)
        review.unset("movie")


@engine.after_update("Review")
def after_update(review):
    if review.get("mode") == "save":
        review.set("seen", True)
        review.save()
    elif review.get("mode") == "quiet":
        review.disable_before_hook()
        review.save()
    elif review.get("mode") == "raise":
        raise KeyError("nobody hears this")


@engine.define
def an_object():
    return leancloud.Object.create("Review", stars=1)


@engine.define
def not_a_number():
    return float("nan")
"""


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    project = tmp_path_factory.mktemp("explained") / "explained"
    project.mkdir()
    (project / "cloud.py").write_text(CODE)
    emulator = Emulator(project)
    yield emulator
    emulator.stop()


@pytest.fixture
def told(explained: Emulator) -> Emulator:
    """The emulator with traces forgotten and the SDK of this process pointed at it."""
    point_sdk_at(explained)
    explained.forget()
    return explained


def last(emulator: Emulator) -> Any:
    emulator.settle()
    return json.loads(emulator.command("trace", "--last", "--json").stdout)


def fates(node: Any) -> dict[str, str]:
    return {hook["hook"]: hook["reason"] for hook in node["hooks"]}


def warned(node: Any) -> list[str]:
    own = [warning["kind"] for warning in node.get("warnings", [])]
    return own + [kind for child in node["children"] for kind in warned(child)]


def full(mode: str) -> Any:
    """A saved review that has a value of every type."""
    acl = leancloud.ACL()
    acl.set_public_read_access(True)
    acl.set_public_write_access(True)
    made = leancloud.Object.create(
        "Review",
        mode=mode,
        movie="Gravity",
        stars=4.5,
        at=datetime(2026, 11, 20, 8, tzinfo=UTC),
        where=leancloud.GeoPoint(39.9, 116.4),
        best=stored_movie(),
        tags=["space", {"deep": [1, 2.5, None]}],
        nothing=None,
    )
    made.set_acl(acl)
    made.relation("fans").add(stored_movie())
    made.save()
    return made


def stored_movie() -> Any:
    return save("Movie", title="Gravity")


def test_the_wrong_hook_for_the_write_is_named(told: Emulator) -> None:
    review = save("Review", stars=5)
    assert fates(last(told)) == {
        "beforeSave": "ran",
        "afterSave": "not_registered",
        "beforeUpdate": "other_write",
        "afterUpdate": "other_write",
    }
    review.set("stars", 4)
    review.save()
    root = last(told)
    assert fates(root) == {"beforeUpdate": "ran", "afterUpdate": "ran", "beforeSave": "other_write"}
    assert warned(root) == []
    assert "creates only" not in told.command("trace", "--last").stdout, "its own hooks ran"


def test_a_save_hook_alone_is_looked_for_on_updates(told: Emulator) -> None:
    draft = save("Draft", stars=5)
    draft.set("stars", 4)
    draft.save()
    assert fates(last(told))["beforeSave"] == "other_write"
    assert "· beforeSave: it runs on creates only" in told.command("trace", "--last").stdout


def test_a_mistyped_class_is_answered_with_its_neighbour(told: Emulator) -> None:
    save("reviews", stars=5)
    before = last(told)["hooks"][0]
    assert (before["reason"], before["nearest"]) == ("not_registered", "Review")
    assert "but for Review" in told.command("trace", "--last").stdout


def test_edits_in_before_update_are_warned_of(told: Emulator) -> None:
    review = full("edit")
    assert warned(last(told)) == []
    review.set("movie", "Gravity 2")
    review.save()
    root = last(told)
    assert warned(root) == ["edits_vanish"]
    (warning,) = root["children"][0]["warnings"]
    assert "changed movie, stars of its object" in warning["en"]
    assert stored("Review", review.id).get("stars") == 4.5
    text = told.command("trace", root["id"]).stdout
    assert "⚠ beforeUpdate changed movie, stars" in text
    wait_until(lambda: "⚠ beforeUpdate Review" in told.output(), "a line in the log of up")


def test_values_of_every_type_come_back_unedited(told: Emulator) -> None:
    review = full("plain")
    review.set("stars", 1)
    review.save()
    assert warned(last(told)) == []


def test_the_object_of_a_hook_saved_again(told: Emulator) -> None:
    review = save("Review", mode="save")
    review.set("stars", 1)
    review.save()
    after = last(told)["children"][-1]
    inner = after["children"][0]
    assert inner["ignoredHooks"] == ["afterDelete", "afterSave", "afterUpdate"]
    assert fates(inner)["afterUpdate"] == "ignored"
    assert fates(inner)["beforeUpdate"] == "ran"
    text = told.command("trace", "--last").stdout
    assert "afterUpdate Review was given this object" in text


def test_disabling_before_hooks_is_named(told: Emulator) -> None:
    review = save("Review", mode="quiet")
    review.set("stars", 1)
    review.save()
    inner = last(told)["children"][-1]["children"][0]
    assert fates(inner)["beforeUpdate"] == "ignored"
    assert "as disable_before_hook() does" in inner["hooks"][0]["en"]


def test_an_exception_in_an_after_hook_is_warned_of(told: Emulator) -> None:
    review = save("Review", mode="raise")
    review.set("stars", 1)
    review.save()
    assert warned(last(told)) == ["after_failed"]


@pytest.mark.parametrize(
    ("function", "kind"), [("an_object", "not_serializable"), ("not_a_number", "not_json")]
)
def test_results_that_are_no_json_are_warned_of(function: str, kind: str, told: Emulator) -> None:
    with pytest.raises(leancloud.LeanCloudError):
        leancloud.cloud.run(function)
    # the warning rests on what the SDK prints, which comes by another way than the answer
    wait_until(lambda: warned(last(told)) == [kind], f"the warning {kind}")


def test_code_that_does_not_load_any_more(told: Emulator, explained: Emulator) -> None:
    cloud: Path = explained.project / "cloud.py"
    cloud.write_text(CODE + "\nboom()\n")
    try:
        with pytest.raises(leancloud.LeanCloudError):
            save("Review", stars=5)
        root = last(told)
        assert fates(root)["beforeSave"] == "not_loaded"
        assert "name 'boom' is not defined" in root["hooks"][0]["en"]
    finally:
        cloud.write_text(CODE)
    save("Review", stars=5)
    assert fates(last(told))["beforeSave"] == "ran"
