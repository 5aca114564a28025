"""Which folders are watched and which edits matter."""

import asyncio
from contextlib import aclosing
from pathlib import Path

from lean_emulator.engine.project import find_project
from lean_emulator.engine.watcher import edits


def collected(folder: Path, make: list[tuple[str, str]], cmd: str | None = None) -> set[str]:
    """Names reported after the files were written, up to the last of them."""
    project = find_project(folder, cmd=cmd)
    last = make[-1][0]

    async def main() -> set[str]:
        names: set[str] = set()
        async with aclosing(edits(project)) as batches, asyncio.timeout(8):
            async for batch in batches:
                names |= {path.relative_to(folder).as_posix() for _, path in batch}
                if last in names:
                    break
                for name, text in make:
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    (folder / name).write_text(text)
        return names

    return asyncio.run(main())


def test_code_and_settings_are_reported_and_the_rest_is_not(tmp_path: Path) -> None:
    (tmp_path / "cloud.py").touch()
    for folder in (".git", ".venv/lib", "node_modules/x", "__pycache__", "shop"):
        (tmp_path / folder).mkdir(parents=True)
    made = [
        ("data.json", "1"),
        (".git/hook.py", "1"),
        (".venv/lib/site.py", "1"),
        ("node_modules/x/y.py", "1"),
        ("app.js", "1"),
        (".hidden.py", "1"),
        (".env", "A=1"),
        ("shop/prices.py", "1"),
        ("cloud.py", "1"),
    ]
    assert collected(tmp_path, made) == {".env", "shop/prices.py", "cloud.py"}


def test_a_folder_that_appears_is_watched_too(tmp_path: Path) -> None:
    (tmp_path / "cloud.py").touch()
    assert "new/deep.py" in collected(tmp_path, [("new/deep.py", "1")])


def test_a_command_may_be_of_another_language(tmp_path: Path) -> None:
    made = [("style.css", "1"), ("app.ts", "1"), ("server.js", "1")]
    assert collected(tmp_path, made, cmd="node server.js") == {"app.ts", "server.js"}
