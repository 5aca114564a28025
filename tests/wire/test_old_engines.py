"""Engines that know no hook key get signed marks in the object; modern ones never do (3.2, 3.5)."""

from pathlib import Path

import pytest

from lean_emulator.base.signing import hook_mark
from tests.support.api import KEYS, running_api
from tests.support.fake_engine import FakeEngine

NOW = 1_700_000_000_000


@pytest.mark.parametrize("is_old", [True, False])
async def test_marks_go_to_old_engines_only_and_are_never_stored(
    tmp_path: Path, is_old: bool
) -> None:
    engine = FakeEngine(
        {"Post.beforeSave": lambda sent: sent["object"], "Post.afterSave": lambda sent: {}}
    )
    engine.needs_marks = is_old
    async with running_api(engine, project=tmp_path) as api:
        object_id = await api.create("Post", n=1)
        await api.settle()
        before, after = (received.json["object"] for received in engine.received)
        before_mark = hook_mark(KEYS.master_key, "__before_for_Post", NOW)
        after_mark = hook_mark(KEYS.master_key, "__after_for_Post", NOW)
        assert before.get("__before") == (before_mark if is_old else None)
        assert after.get("__after") == (after_mark if is_old else None)
        assert {"__after"} & before.keys() == {"__before"} & after.keys() == set()
        assert all("X-LC-Hook-Key" in received.headers for received in engine.received)
        assert (await api.read("Post", object_id)).keys() == {
            "objectId",
            "createdAt",
            "updatedAt",
            "n",
        }
