"""From a folder to code that serves, and what is said when it does not."""

import sys
import venv
from pathlib import Path

import pytest

from lean_emulator.base import errors
from tests.engine.harness import HEAD, Code, function, in_loop, running, wait_until


async def failing(code: Code) -> errors.ApiError:
    with pytest.raises(errors.CodeDidNotLoad) as caught:
        await code.run("hello")
    return caught.value


@in_loop
async def test_a_bare_cloud_py_serves_its_functions(python: str, tmp_path: Path) -> None:
    source = HEAD + function("hello", "return params['who'] + '!'")
    source += "\n@engine.before_save('Review')\ndef cut(review):\n    pass\n"
    async with running(tmp_path, python, source) as code:
        assert code.runtime.state == "ready"
        assert code.runtime.ever_ready
        assert code.runtime.names == {"hello", "__before_save_for_Review"}
        assert code.runtime.where == {
            "hello": "cloud.py:4",
            "__before_save_for_Review": "cloud.py:8",
        }
        assert not code.runtime.needs_marks
        assert await code.run("hello", who="you") == "you!"
        (span,) = code.log.traces()
        assert span.kind == "reload"
        assert span.outcome == "ok"
        assert span.detail["added"] == ["__before_save_for_Review", "hello"]


@in_loop
async def test_places_are_found_behind_decorators(python: str, tmp_path: Path) -> None:
    source = HEAD + (
        "import functools\n"
        "def logged(f):\n"
        "    @functools.wraps(f)\n"
        "    def inner(**params):\n"
        "        return f(**params)\n"
        "    return inner\n"
        "@engine.define\n"
        "@logged\n"
        "def hello(**params):\n"
        "    return 1\n"
    )
    async with running(tmp_path, python, source) as code:
        assert code.runtime.where["hello"] in ("cloud.py:9", "cloud.py:11")  # 3.8 moved the line


@in_loop
async def test_a_wsgi_project_serves_pages_and_functions(python: str, tmp_path: Path) -> None:
    (tmp_path / "cloud.py").write_text(HEAD + function("hello", "return 'from cloud.py'"))
    (tmp_path / "wsgi.py").write_text(
        "from leancloud import Engine\n"
        "from cloud import engine as cloud_engine\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
        "    return [b'page ', environ['PATH_INFO'].encode()]\n"
        "engine = Engine(app)\n"
        "engine.register(cloud_engine)\n"
        "application = engine\n"
    )
    async with running(tmp_path, python, None) as code:
        assert code.runtime.project.kind == "wsgi.py"
        assert code.runtime.names == {"hello"}
        assert code.runtime.where == {"hello": "cloud.py:4"}
        assert await code.run("hello") == "from cloud.py"
        assert (await code.raw("GET", "/a/b")).body == b"page /a/b"


@in_loop
async def test_the_projects_own_init_wins(python: str, tmp_path: Path) -> None:
    source = (
        "import leancloud\nfirst = leancloud.client.APP_ID\n"
        "leancloud.init('another-app', app_key='another-key')\n" + HEAD
    )
    source += function(
        "ids", "return [first, leancloud.client.APP_ID, leancloud.client.MASTER_KEY]"
    )
    async with running(tmp_path, python, source) as code:
        assert await code.run("ids") == ["engine-tests-app", "another-app", None]


@pytest.mark.parametrize(
    ("source", "message", "line"),
    [
        ("import os\nx = oops\n", "NameError: name 'oops' is not defined (cloud.py:2)", 2),
        (HEAD + "def broken(:\n", "SyntaxError: invalid syntax (cloud.py:3)", 3),
        ("import sys\nsys.exit(4)\n", "it called sys.exit(4) while loading (cloud.py:2)", 2),
        ("raise ValueError('a\\nb')\n", "ValueError: a\nb (cloud.py:1)", 1),
        ("x = 1\n", "it has no leancloud.Engine", None),
    ],
    ids=["name", "syntax", "exit", "two lines", "no engine"],
)
@in_loop
async def test_broken_code_says_why(
    python: str, tmp_path: Path, source: str, message: str, line: int | None
) -> None:
    async with running(tmp_path, python, source) as code:
        error = await failing(code)
        failure = code.runtime.failure
        assert code.runtime.state == "broken"
        assert not code.runtime.ever_ready
        assert failure is not None
        assert failure.line == line
        assert error.status == 500
        assert error.hint is not None
        assert (
            error.message.replace("(<unknown>, line 3)", "") == f"cloud.py did not load: {message}"
        )
        (span,) = code.log.traces()
        assert span.outcome == "failed"
        assert span.detail["error"]["traceback"] == failure.traceback


@in_loop
async def test_a_failure_in_a_module_beside_it_names_that_file(python: str, tmp_path: Path) -> None:
    (tmp_path / "rules.py").write_text("\n\nLIMIT = 1 / 0\n")
    async with running(tmp_path, python, HEAD + "import rules\n") as code:
        failure = code.runtime.failure
        assert failure is not None
        assert (failure.file, failure.line) == ("rules.py", 3)
        assert failure.message.endswith("ZeroDivisionError: division by zero (rules.py:3)")
        assert "cloud.py" in failure.traceback
        assert "boot_python" not in failure.traceback


@in_loop
async def test_code_that_ends_the_process_is_told_with_its_last_words(
    python: str, tmp_path: Path
) -> None:
    source = "import os\nos.write(2, b'no licence\\n')\nos._exit(7)\n"
    async with running(tmp_path, python, source) as code:
        error = await failing(code)
        assert error.message == (
            "cloud.py did not load: the process ended with exit code 7: no licence"
        )


@in_loop
async def test_code_that_never_finishes_loading_is_ended(python: str, tmp_path: Path) -> None:
    source = "import threading\nthreading.Event().wait()\n"
    async with running(tmp_path, python, source, start_limit=0.6) as code:
        error = await failing(code)
        assert error.message == "cloud.py did not load: it did not finish loading within 0.6 s"
        assert code.pids() == []


@in_loop
async def test_a_missing_sdk_names_the_interpreter_and_the_command(tmp_path: Path) -> None:
    venv.create(tmp_path / ".venv", with_pip=False)
    (tmp_path / "cloud.py").write_text(HEAD)
    code = Code(tmp_path, None)  # type: ignore[arg-type]  # the project's own .venv
    try:
        await code.runtime.start()
        error = await failing(code)
    finally:
        await code.runtime.stop()
    python = str(tmp_path / ".venv" / "bin" / "python")
    assert f"the leancloud package is not installed in {python}" in error.message
    assert error.hint is not None
    for text in error.hint:
        assert "-m pip install leancloud" in text
        if sys.version_info[:2] <= (3, 11):
            assert f"{python} -m pip install leancloud" in text
        else:
            assert "3.11" in text


@in_loop
async def test_an_interpreter_that_cannot_run(tmp_path: Path) -> None:
    bad = tmp_path / "python"
    bad.write_bytes(b"\x7fELF nonsense")
    bad.chmod(0o755)
    (tmp_path / "cloud.py").write_text(HEAD)
    code = Code(tmp_path, str(bad))
    try:
        await code.runtime.start()
        error = await failing(code)
    finally:
        await code.runtime.stop()
    assert f"{bad} cannot be run" in error.message


@in_loop
async def test_dotenv_reaches_the_code_and_an_edit_of_it_too(python: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("COLOUR=red\nLEANCLOUD_APP_ID=stolen\n")
    source = HEAD + "import os\n"
    source += function("env", "return [os.environ['COLOUR'], os.environ['LEANCLOUD_APP_ID']]")
    async with running(tmp_path, python, source) as code:
        assert await code.run("env") == ["red", "engine-tests-app"]
        (tmp_path / ".env").write_text("COLOUR=green\n")
        assert await code.run("env") == ["green", "engine-tests-app"]


@in_loop
async def test_a_command_is_run_as_it_is_on_a_port_of_its_own(python: str, tmp_path: Path) -> None:
    (tmp_path / "serve.py").write_text(
        HEAD
        + function("hello", "return os.environ['LEANCLOUD_APP_PORT'] == os.environ['PORT']")
        + "import os, sys, leancloud\n"
        + "from werkzeug.serving import run_simple\n"
        + "leancloud.init(os.environ['LEANCLOUD_APP_ID'], os.environ['LEANCLOUD_APP_KEY'])\n"
        + "print('serving', flush=True)\n"
        + "run_simple('127.0.0.1', int(sys.argv[1]), engine)\n"
    )
    cmd = f"{python} serve.py $LEANCLOUD_APP_PORT"
    async with running(tmp_path, python, None, cmd=cmd) as code:
        assert code.runtime.state == "ready", code.runtime.failure
        assert code.runtime.names == {"hello"}
        assert await code.run("hello") is True
        assert any(line.text == "serving" for line in code.lines)
        first = code.runtime.generation
        (tmp_path / "serve.py").write_text((tmp_path / "serve.py").read_text() + "# edited\n")
        await wait_until(lambda: code.runtime.generation > first, "the watcher restarts it")
        assert await code.run("hello") is True


@in_loop
async def test_a_command_that_ends_is_told_with_its_last_words(tmp_path: Path) -> None:
    cmd = f"{sys.executable} -c \"raise SystemExit('no such table')\""
    async with running(tmp_path, sys.executable, None, cmd=cmd) as code:
        error = await failing(code)
        assert error.message.endswith("the process ended with exit code 1: no such table")
    async with running(tmp_path, sys.executable, None, cmd="no-such-program-here") as code:
        error = await failing(code)
        assert "no-such-program-here: No such file or directory" in error.message
