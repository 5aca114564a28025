"""A client hears only "Unauthorized."; the trace says which credential it was and what to do."""

from pathlib import Path

import pytest

from lean_emulator.base.trace_view import tree
from tests.support.api import KEYS, running_api

WRONG = "nonsense-0123456789"


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "no X-LC-Id"),
        ({"X-LC-Id": WRONG, "X-LC-Key": KEYS.app_key}, KEYS.app_id),
        ({"X-LC-Id": KEYS.app_id}, "no X-LC-Key or X-LC-Sign"),
        ({"X-LC-Id": KEYS.app_id, "X-LC-Key": WRONG}, "not one of this project"),
    ],
)
async def test_the_trace_tells_which_credential_was_wrong(
    tmp_path: Path, headers: dict[str, str], words: str
) -> None:
    async with running_api(project=tmp_path) as api:
        answer = await api("GET", "/1.1/classes/Post", headers=headers)
        assert (answer.status, answer.json) == (401, {"code": 401, "error": "Unauthorized."})
        found = api.emulator.log.trace(answer.headers["X-Lean-Emu-Trace"])
        assert found is not None
        shown = str(tree(found, api.emulator.mask)["error"])
        assert words in shown
        assert "lean-emu env" in shown
        assert WRONG not in shown
        assert KEYS.app_key not in shown
