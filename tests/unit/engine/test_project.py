"""What a folder is, decided by looking."""

import os
import sys
from pathlib import Path

import pytest

from lean_emulator.base.errors import StartError
from lean_emulator.engine.project import find_project, read_dotenv

APPLICATION = "from leancloud import Engine\napplication = Engine(app)\n"


def test_cloud_py_alone(tmp_path: Path) -> None:
    (tmp_path / "cloud.py").touch()
    project = find_project(tmp_path)
    assert (project.kind, project.entry) == ("cloud.py", tmp_path / "cloud.py")
    assert project.title == "cloud.py"
    assert project.interpreter == Path(sys.executable)


def test_wsgi_py_is_the_entry_when_it_offers_an_application(tmp_path: Path) -> None:
    (tmp_path / "cloud.py").touch()
    (tmp_path / "wsgi.py").write_text("# only a note about application\n")
    assert find_project(tmp_path).kind == "cloud.py"
    for source in (
        APPLICATION,
        "from app import application\n",
        "def application(e, s):\n  pass\n",
    ):
        (tmp_path / "wsgi.py").write_text(source)
        assert find_project(tmp_path).kind == "wsgi.py"


def test_wsgi_py_alone_is_the_entry_whatever_it_holds(tmp_path: Path) -> None:
    (tmp_path / "wsgi.py").touch()
    assert find_project(tmp_path).entry == tmp_path / "wsgi.py"


def test_a_command_is_split_like_a_shell_does(tmp_path: Path) -> None:
    project = find_project(tmp_path, cmd="node 'my server.js' --port $PORT")
    assert project.kind == "command"
    assert project.command == ("node", "my server.js", "--port", "$PORT")
    assert project.title == "node"


@pytest.mark.parametrize("cmd", ["", "  ", "node 'open"])
def test_a_command_that_cannot_be_read(tmp_path: Path, cmd: str) -> None:
    with pytest.raises(StartError, match="--cmd") as caught:
        find_project(tmp_path, cmd=cmd)
    assert caught.value.hint is not None


def test_no_code_wanted(tmp_path: Path) -> None:
    (tmp_path / "cloud.py").touch()
    assert find_project(tmp_path, code=False).kind == "none"


def test_the_projects_own_environment_comes_before_ours(tmp_path: Path) -> None:
    (tmp_path / "cloud.py").touch()
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    assert find_project(tmp_path).interpreter == python, "the link itself, not what it points to"


def test_an_interpreter_by_path_or_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cloud.py").touch()
    (tmp_path / "mypython").symlink_to(sys.executable)
    assert find_project(tmp_path, python=sys.executable).interpreter == Path(sys.executable)
    assert find_project(tmp_path, python="mypython").interpreter == tmp_path / "mypython"
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "cloud.py").touch()
    found = find_project(tmp_path / "sub", python="mypython")
    assert found.interpreter == tmp_path / "mypython"
    with pytest.raises(StartError, match=r"python9\.9"):
        find_project(tmp_path, python="python9.9")


def test_nothing_found_names_the_next_command(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"no cloud\.py, wsgi\.py or server\.js") as caught:
        find_project(tmp_path)
    assert caught.value.hint is not None
    assert "--no-code" in caught.value.hint.en
    (tmp_path / "app.py").touch()
    with pytest.raises(StartError, match=r"app\.py") as caught:
        find_project(tmp_path)
    assert caught.value.hint is not None
    assert "--cmd 'python app.py'" in caught.value.hint.zh
    with pytest.raises(StartError, match="not a folder"):
        find_project(tmp_path / "absent")


def test_dotenv_lines(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "\ufeffA=1\n# B=2\n export C = three four  # note\nD='it # stays' # goes\n"
        'E="x=y"\nF=\nnot a line\nG=a#b\nH=  # nothing\nI="open\n',
        encoding="utf-8",
    )
    assert read_dotenv(file) == {
        "A": "1",
        "C": "three four",
        "D": "it # stays",
        "E": "x=y",
        "F": "",
        "G": "a#b",
        "H": "",
        "I": '"open',
    }
    assert read_dotenv(tmp_path / "absent") == {}
