"""Node projects, found by looking (engine.md 1.3), and what leanengine.yaml adds."""

import json
from pathlib import Path
from typing import Any

import pytest

from lean_emulator.base.errors import StartError
from lean_emulator.engine.platform_file import PlatformFile, read_platform_file
from lean_emulator.engine.project import find_project


@pytest.fixture(autouse=True)
def node_on_path(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs that are only ever looked for."""
    folder = tmp_path_factory.mktemp("bin")
    for name in ("node", "npm"):
        (folder / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def package(folder: Path, **members: Any) -> None:
    (folder / "package.json").write_text(json.dumps(members), encoding="utf-8")


@pytest.mark.parametrize(
    ("scripts", "command"),
    [
        ({"dev": "nodemon server.js", "start": "node server.js"}, ("npm", "run", "dev")),
        ({"dev": " ", "start": "node server.js"}, ("npm", "start")),
        ({"start": "node app.js", "test": "mocha"}, ("npm", "start")),
        ({"start": ""}, ("node", "server.js")),
        (None, ("node", "server.js")),
    ],
)
def test_the_command_follows_the_scripts(
    tmp_path: Path, scripts: Any, command: tuple[str, ...]
) -> None:
    (tmp_path / "server.js").touch()
    package(tmp_path, scripts=scripts)
    project = find_project(tmp_path)
    assert (project.kind, project.entry, project.command) == ("command", None, command)
    assert project.title == " ".join(command)


def test_a_bom_is_stripped(tmp_path: Path) -> None:
    text = json.dumps({"scripts": {"start": "node x.js"}})
    (tmp_path / "package.json").write_text(text, encoding="utf-8-sig")
    assert find_project(tmp_path).command == ("npm", "start")


def test_node_comes_before_python_as_on_the_platform(tmp_path: Path) -> None:
    (tmp_path / "cloud.py").touch()
    package(tmp_path, scripts={"build": "webpack", "dev": "vite"})
    assert find_project(tmp_path).kind == "cloud.py", "tools of a front end, not a server"
    package(tmp_path, scripts={"start": "node x.js"})
    assert find_project(tmp_path).title == "npm start"
    (tmp_path / "leanengine.yaml").write_text("runtime: python\n")
    assert find_project(tmp_path).kind == "cloud.py"


def test_what_only_node_can_start_is_started(tmp_path: Path) -> None:
    package(tmp_path, scripts={"dev": "vite"})
    assert find_project(tmp_path).command == ("npm", "run", "dev")
    (tmp_path / "package.json").unlink()
    (tmp_path / "server.js").touch()
    assert find_project(tmp_path).command == ("node", "server.js")


def test_packages_that_are_not_installed(tmp_path: Path) -> None:
    project = tmp_path / "a project"
    project.mkdir()
    package(project, scripts={"start": "node x.js"}, dependencies={"leanengine": "^3.8.0"})
    with pytest.raises(StartError, match="not installed") as caught:
        find_project(project)
    assert caught.value.hint is not None
    for text in (caught.value.hint.en, caught.value.hint.zh):
        assert f"npm install --prefix '{project}'" in text
    (tmp_path / "node_modules").mkdir()
    assert find_project(project).title == "npm start", "Node looks in the folders above too"


def test_node_that_is_not_installed(tmp_path: Path, node_on_path: Path) -> None:
    (node_on_path / "npm").unlink()
    package(tmp_path, scripts={"start": "node x.js"})
    with pytest.raises(StartError, match="npm was not found") as caught:
        find_project(tmp_path)
    assert caught.value.hint is not None
    assert "nodejs.org" in caught.value.hint.en


@pytest.mark.parametrize(
    ("text", "words"), [("{}", "no start script"), ("{,}", "cannot be read"), ("[]", "no start")]
)
def test_a_package_that_starts_nothing(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "package.json").write_text(text)
    with pytest.raises(StartError, match=words) as caught:
        find_project(tmp_path)
    assert caught.value.hint is not None


def test_the_platform_file_may_name_command_and_time(tmp_path: Path) -> None:
    package(tmp_path, scripts={"start": "node x.js"})
    (tmp_path / "leanengine.yaml").write_text(
        "run: node --enable-source-maps x.js && true  # as online\nstartupTimeout: 45\n"
    )
    project = find_project(tmp_path)
    assert project.command == ("sh", "-c", "node --enable-source-maps x.js && true")
    assert project.title == "node --enable-source-maps x.js && true"
    assert project.start_seconds == 45


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("run: ./main -p ${LEANCLOUD_APP_PORT}", "./main -p ${LEANCLOUD_APP_PORT}"),
        ("run: 'a # b'  # c", "a # b"),
        ('run: "a # b"', "a # b"),
        ("run: a#b", "a#b"),
        ("run:\t a\nbuild:\n  - x", "a"),
        (" run: nested", None),
        ("run: |\n  a\n  b", None),
        ("run: a\n  b", None),
        ("run: >-\n  a", None),
        ("run: [a, b]", None),
        ('run: "a\\tb"', None),
        ("run: 'open", None),
        ("run: *anchor", None),
        ("run:", None),
        ("run: # nothing", None),
        ("runs: a", None),
    ],
)
def test_values_that_are_read_and_that_are_left_alone(
    tmp_path: Path, text: str, run: str | None
) -> None:
    (tmp_path / "leanengine.yaml").write_text(f"{text}\n")
    assert read_platform_file(tmp_path).run == run


@pytest.mark.parametrize(("text", "seconds"), [("15", 15), ("120", 120), ("14", None), ("x", None)])
def test_start_times_are_those_the_platform_allows(
    tmp_path: Path, text: str, seconds: float | None
) -> None:
    (tmp_path / "leanengine.yaml").write_text(f"startupTimeout: {text}\n")
    assert read_platform_file(tmp_path) == PlatformFile(start_seconds=seconds)
    assert read_platform_file(tmp_path / "absent") == PlatformFile()
