"""The variables of the child, row by row of engine.md 1.1."""

from pathlib import Path
from typing import Any

import pytest

from lean_emulator.engine.environment import AppKeys, child_environment
from lean_emulator.engine.project import Project, find_project

KEYS = AppKeys("id", "key", "master", "hook")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "cloud.py").touch()
    return find_project(tmp_path)


def environment(project: Project, parent: dict[str, str], **more: Any) -> dict[str, str]:
    more = {"api_server": "http://127.0.0.1:3000/", "port": 3000, **more}
    return child_environment(project, KEYS, parent=parent, **more)


def test_every_row_that_lean_up_sets(project: Project) -> None:
    assert environment(project, {}) == {
        "LEANCLOUD_APP_ID": "id",
        "LEANCLOUD_APP_KEY": "key",
        "LEANCLOUD_APP_MASTER_KEY": "master",
        "LEANCLOUD_APP_HOOK_KEY": "hook",
        "LEANCLOUD_APP_PORT": "3000",
        "LEANCLOUD_API_SERVER": "http://127.0.0.1:3000",
        "LEANCLOUD_APP_ENV": "development",
        "LEANCLOUD_REGION": "CN",
        "LEANCLOUD_APP_DOMAIN": "",
        "LEANCLOUD_APP_GROUP": "web",
        "LEANCLOUD_APP_INSTANCE": "web1",
        "LEANCLOUD_AVAILABLE_CPUS": "1",
        "LEAN_CLI_HAVE_STAGING": "false",
        "LC_APP_ID": "id",
        "LC_APP_KEY": "key",
        "LC_APP_MASTER_KEY": "master",
        "LC_APP_PORT": "3000",
        "LC_API_SERVER": "http://127.0.0.1:3000",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "NODE_ENV": "development",
        "PYTHONUNBUFFERED": "1",
    }


def test_the_shell_is_handed_on_without_ours_and_the_platforms(project: Project) -> None:
    shell = {
        "PATH": "/bin",
        "LC_ALL": "C.UTF-8",
        "NODE_ENV": "test",
        "LEAN_EMU_MASTER_KEY": "ours",
        "LEANCLOUD_APP_ANDX_KEY": "production's",
        "LC_APP_ENV": "production",
        "LEAN_CLI_HAVE_STAGING": "true",
        "no_proxy": "corp",
    }
    result = environment(project, shell)
    assert result["PATH"] == "/bin"
    assert result["LC_ALL"] == "C.UTF-8"
    assert result["NODE_ENV"] == "test"
    assert result["NO_PROXY"] == result["no_proxy"] == "corp,127.0.0.1,localhost"
    assert result["LEAN_CLI_HAVE_STAGING"] == "false"
    assert not {"LEAN_EMU_MASTER_KEY", "LEANCLOUD_APP_ANDX_KEY", "LC_APP_ENV"} & set(result)


def test_dotenv_gives_way_to_the_shell_and_cannot_set_the_platforms(project: Project) -> None:
    (project.directory / ".env").write_text(
        "A=file\nB=file\nC=file\nLEANCLOUD_APP_ID=x\nlean_cli_x=1\n"
    )
    (project.directory / ".env.local").write_text("B=local\n")
    warnings: list[str] = []
    result = environment(project, {"A": "shell", "C": ""}, warn=warnings.append)
    assert (result["A"], result["B"], result["C"]) == ("shell", "local", "file")
    assert result["LEANCLOUD_APP_ID"] == "id"
    assert "lean_cli_x" not in result
    assert [warning.split()[:2] for warning in warnings] == [
        [".env:", "LEANCLOUD_APP_ID"],
        [".env:", "lean_cli_x"],
    ]


def test_commands_get_the_port_under_its_common_name_too(tmp_path: Path) -> None:
    project = find_project(tmp_path, cmd="node x.js")
    assert environment(project, {})["PORT"] == "3000"
