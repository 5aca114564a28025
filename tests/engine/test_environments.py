"""An emulator over two folders: each code with its own environment, both over the same data."""

from pathlib import Path
from typing import Any

import aiohttp

from lean_emulator.emulator import Emulator
from lean_emulator.engine.environments import Environments
from lean_emulator.keys import Keys
from lean_emulator.settings import Settings
from tests.engine.harness import HEAD, alive, function, in_loop, wait_until

KEYS = Keys("test-app-id", "app-key-0123456789", "master-key-0123456", "hook-key-01234567")
CLIENT = {"X-LC-Id": KEYS.app_id, "X-LC-Key": KEYS.app_key}
TELL = function(
    "tell",
    "import os\n"
    "names = ('LEANCLOUD_APP_ENV', 'LEANCLOUD_APP_INSTANCE', 'NODE_ENV', 'COLOUR')\n"
    "return [os.environ.get(name) for name in names]",
)
SAVE = function(
    "save",
    "import leancloud\nnote = leancloud.Object.extend('Note')()\nnote.save()\nreturn note.id",
)


def hook(name: str) -> str:
    return f"\n@engine.before_save('Note')\ndef mark(note):\n    note.set('by', '{name}')\n"


def folder(path: Path, name: str, **files: str) -> Path:
    path.mkdir()
    (path / "cloud.py").write_text(HEAD + TELL + SAVE + hook(name))
    (path / ".env").write_text(f"COLOUR={name}\n")
    return path


@in_loop
async def test_each_code_has_its_environment_and_its_calls(python: str, tmp_path: Path) -> None:
    settings = Settings(
        project_dir=folder(tmp_path / "main", "blue"),
        staging=str(folder(tmp_path / "next", "green")),
        python=python,
        port=0,
    )
    async with Emulator(settings, KEYS) as emulator, aiohttp.ClientSession() as session:
        runtime = emulator.runtime
        assert isinstance(runtime, Environments)
        pids = [
            generation.child.pid
            for one in (runtime.production, runtime.staging)
            for generation in one._living
        ]
        assert len(pids) == 2

        async def ask(method: str, path: str, prod: str) -> Any:
            async with session.request(
                method,
                f"{emulator.api_url}{path}",
                headers={**CLIENT, "X-LC-Prod": prod, "Content-Type": "application/json"},
            ) as answer:
                return await answer.json()

        blue = await ask("POST", "/1.1/functions/tell", "1")
        assert blue == {"result": ["production", "web1", "production", "blue"]}
        green = await ask("POST", "/1.1/functions/tell", "0")
        assert green == {"result": ["stage", "staging", "staging", "green"]}
        for prod, name in (("1", "blue"), ("0", "green")):
            made = await ask("POST", "/1.1/functions/save", prod)
            note = await ask("GET", f"/1.1/classes/Note/{made['result']}", "1")
            assert note["by"] == name
        cloud = tmp_path / "next" / "cloud.py"
        cloud.write_text(cloud.read_text().replace("green", "teal"))
        made = await ask("POST", "/1.1/functions/save", "0")
        note = await ask("GET", f"/1.1/classes/Note/{made['result']}", "0")
        assert note["by"] == "teal"
        described = emulator._describe()["staging"]
        assert isinstance(described, dict)
        assert described["state"] == "ready"
        titles = {span.title for span in emulator.log.traces() if span.kind == "reload"}
        assert titles == {"cloud.py", "cloud.py (staging)"}
    await wait_until(lambda: not any(map(alive, pids)), "both processes have ended")
