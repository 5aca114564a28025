"""Projects of other languages, found by looking (engine.md 1.3)."""

import sys
from pathlib import Path

import pytest

from lean_emulator.base.errors import StartError
from lean_emulator.engine.platform_file import read_platform_file
from lean_emulator.engine.project import find_project

SPRING = """<project xmlns="http://maven.apache.org/POM/4.0.0"><build><plugins>
<plugin><artifactId>spring-boot-maven-plugin</artifactId></plugin></plugins></build></project>"""
JETTY = """<project><build><plugins>
<plugin><artifactId>jetty-maven-plugin</artifactId></plugin></plugins></build></project>"""


@pytest.fixture(autouse=True)
def programs(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs that are only ever looked for."""
    folder = tmp_path_factory.mktemp("bin")
    for name in ("node", "npm", "php", "mvn", "dotnet", "go"):
        (folder / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def made(folder: Path, **files: str) -> Path:
    """The folder with files; ``__`` is a slash and ``_`` a dot."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"pom_xml": SPRING}, ("mvn", "spring-boot:run")),
        ({"pom_xml": JETTY}, ("mvn", "jetty:run")),
        ({"gradlew": "", "pom_xml": SPRING}, ("./gradlew", "appRun")),
        ({"app_sln": ""}, ("dotnet", "run")),
        ({"go_mod": "module x"}, ("go", "run", "main.go")),
        ({"go_mod": "module x", "leanengine_yaml": "run: go run ."}, ("sh", "-c", "go run .")),
    ],
)
def test_the_command_of_a_runtime(
    tmp_path: Path, files: dict[str, str], command: tuple[str, ...]
) -> None:
    project = find_project(made(tmp_path, **files))
    assert (project.kind, project.command) == ("command", command)


def test_php_is_told_the_port_and_a_router(tmp_path: Path) -> None:
    project = find_project(made(tmp_path, composer_json="{}", public__index_php="<?php"))
    assert project.command[:5] == ("php", "-S", "127.0.0.1:$LEANCLOUD_APP_PORT", "-t", "public")
    assert Path(project.command[5]).is_file()


def test_dotnet_runs_in_its_folder_and_is_told_the_port(tmp_path: Path) -> None:
    project = find_project(made(tmp_path, app_sln=""))
    assert project.folder == "web"
    assert project.variables["ASPNETCORE_URLS"] == "http://127.0.0.1:$LEANCLOUD_APP_PORT"


@pytest.mark.parametrize("name", ["index_html", "static_json"])
def test_a_static_site_needs_no_program_and_no_reload(tmp_path: Path, name: str) -> None:
    project = find_project(made(tmp_path, **{name: "{}"}))
    assert project.command[0] == sys.executable
    assert project.title == "static site"
    assert not project.watched


def test_the_order_is_the_platforms(tmp_path: Path) -> None:
    made(tmp_path, go_mod="", index_html="")
    assert find_project(tmp_path).title == "static site"
    made(tmp_path, app_sln="")
    assert find_project(tmp_path).command[0] == "dotnet"
    made(tmp_path, pom_xml=JETTY)
    assert find_project(tmp_path).command[0] == "mvn"
    made(tmp_path, package_json='{"scripts": {"start": "node a.js"}}')
    assert find_project(tmp_path).command == ("npm", "start")


def test_leanengine_yaml_names_the_runtime(tmp_path: Path) -> None:
    made(tmp_path, go_mod="", index_html="", leanengine_yaml="runtime: go")
    assert find_project(tmp_path).command[0] == "go"
    made(tmp_path, cloud_py="", leanengine_yaml="runtime: static")
    assert find_project(tmp_path).title == "static site"
    made(tmp_path, leanengine_yaml="runtime: python")
    assert find_project(tmp_path).kind == "cloud.py"


def test_the_first_cloud_code_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"cloud code 2\.0") as caught:
        find_project(made(tmp_path, cloud__main_js=""))
    assert caught.value.hint is not None
    assert "leanengine" in caught.value.hint.en


@pytest.mark.parametrize(
    ("file", "program"),
    [("pom_xml", "mvn"), ("go_mod", "go"), ("app_sln", "dotnet")],
)
def test_a_runtime_that_is_not_installed(
    tmp_path: Path, programs: Path, file: str, program: str
) -> None:
    (programs / program).unlink()
    with pytest.raises(StartError, match=f"^{program} was not found") as caught:
        find_project(made(tmp_path, **{file: JETTY}))
    assert caught.value.hint is not None
    assert "https://" in caught.value.hint.en
    assert "--cmd" in caught.value.hint.en


def test_a_pom_that_is_no_xml(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"pom\.xml cannot be read"):
        find_project(made(tmp_path, pom_xml="<project"))


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("functionsMode: strict", "strict"),
        ("functionsMode: disabled # none here", "disabled"),
        ("functionsMode: maybe", "tolerated"),
        ("", "tolerated"),
    ],
)
def test_the_mode_of_functions(tmp_path: Path, text: str, mode: str) -> None:
    made(tmp_path, leanengine_yaml=text, cloud_py="")
    assert read_platform_file(tmp_path).functions == mode
    assert find_project(tmp_path).functions == mode


def test_the_python_a_project_names(tmp_path: Path, programs: Path) -> None:
    made(tmp_path, cloud_py="")
    (tmp_path / ".python-version").write_text("3.6.15\n")
    assert find_project(tmp_path).interpreter == Path(sys.executable)  # it is not here
    (programs / "python3.6").touch(mode=0o755)
    assert find_project(tmp_path).interpreter == programs / "python3.6"
    (tmp_path / ".python-version").write_text("pypy3.9-7.3\n")
    with pytest.raises(StartError, match="CPython 3"):
        find_project(tmp_path)
