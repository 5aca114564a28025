"""Calls into running code: limits, concurrency, output, the way back, and the end of the parent."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lean_emulator.base import errors
from tests.engine.harness import HEAD, HEADERS, alive, function, in_loop, running, wait_until


@in_loop
async def test_a_hanging_function_meets_its_limit_and_the_rest_goes_on(
    python: str, tmp_path: Path
) -> None:
    source = HEAD + "import threading\n"
    source += function("hang", "threading.Event().wait()") + function("hello", "return 1")
    async with running(tmp_path, python, source) as code:
        (pid,) = code.pids()
        with pytest.raises(errors.TimedOut) as caught:
            await code.run("hang", seconds=0.15)
        assert caught.value.to_wire() == {
            "code": 124,
            "error": "The request timed out on the server.",
        }
        assert await code.run("hello") == 1
        assert code.pids() == [pid]


@in_loop
async def test_fifty_calls_at_once_run_at_once(python: str, tmp_path: Path) -> None:
    source = HEAD + "import threading\nall_here = threading.Barrier(50)\n"
    source += function("meet", "all_here.wait(6)\nreturn params['number']")
    async with running(tmp_path, python, source) as code:
        calls = [code.run("meet", number=number) for number in range(50)]
        assert await asyncio.gather(*calls) == list(range(50))


@in_loop
async def test_connections_are_kept(python: str, tmp_path: Path) -> None:
    source = HEAD + "import threading\n" + function("thread", "return threading.get_ident()")
    async with running(tmp_path, python, source) as code:
        assert len({await code.run("thread") for _ in range(20)}) == 1


@in_loop
async def test_a_kept_connection_does_not_keep_a_user(python: str, tmp_path: Path) -> None:
    source = HEAD + "import leancloud\n"
    source += function(
        "enter", "leancloud.User.set_current(leancloud.User.create_without_data('u1'))"
    )
    source += function("who", "user = leancloud.User.get_current()\nreturn user and user.id")
    async with running(tmp_path, python, source) as code:
        await code.run("enter")
        assert await code.run("who") is None


@in_loop
async def test_pages_of_the_projects_own_app_come_through(python: str, tmp_path: Path) -> None:
    (tmp_path / "wsgi.py").write_text(
        "import json\n"
        "def application(environ, start_response):\n"
        "    path = environ['PATH_INFO']\n"
        "    if path == '/nothing':\n"
        "        start_response('204 No Content', [('Set-Cookie', 'a=1'), ('Set-Cookie', 'b=2')])\n"
        "        return []\n"
        "    if path == '/stream':\n"
        "        start_response('200 OK', [('Content-Type', 'text/plain')])\n"
        "        return (b'part %d;' % n for n in range(3))\n"
        "    if path == '/fail':\n"
        "        raise KeyError('lost')\n"
        "    body = environ['wsgi.input'].read()\n"
        "    facts = {k: v for k, v in environ.items() if isinstance(v, str)}\n"
        "    facts['length'] = len(body)\n"
        "    facts['body'] = body[:20].decode()\n"
        "    start_response('200 OK', [('Content-Type', 'application/json')])\n"
        "    return [json.dumps(facts).encode()]\n"
    )
    async with running(tmp_path, python, None) as code:
        assert code.runtime.state == "ready", code.runtime.failure
        assert code.runtime.names == frozenset()
        nothing = await code.raw("GET", "/nothing")
        assert nothing.status == 204
        assert [v for n, v in nothing.headers if n == "Set-Cookie"] == ["a=1", "b=2"]
        assert (await code.raw("GET", "/stream")).body == b"part 0;part 1;part 2;"
        assert (await code.raw("HEAD", "/stream")).body == b""
        failed = await code.raw("GET", "/fail", call_id="c1")
        assert failed.status == 500
        assert b"KeyError: 'lost'" in failed.body
        headers = [("Host", "shop.test:8080"), ("Cookie", "a=1"), ("Cookie", "b=2"), ("X-A", "1")]
        answer = await code.raw("PUT", "/caf%C3%A9/x?q=a%20b&q=2", headers, b"h" * 3_000_000)
        facts = json.loads(answer.body)
        assert facts["PATH_INFO"].encode("latin-1").decode() == "/café/x"
        assert facts["QUERY_STRING"] == "q=a%20b&q=2"
        assert (facts["SERVER_NAME"], facts["SERVER_PORT"]) == ("shop.test", "8080")
        assert facts["HTTP_COOKIE"] == "a=1; b=2"
        assert facts["HTTP_X_A"] == "1"
        assert (facts["length"], facts["body"]) == (3_000_000, "h" * 20)
        assert "HTTP_X_LEAN_EMU_CALL" not in facts


class Receiver:
    """An HTTP server that remembers which calls its requests belonged to."""

    def __init__(self) -> None:
        self.tags: list[str | None] = []
        tags = self.tags

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                tags.append(self.headers.get("X-Lean-Emu-Call"))
                body = b'{"iso": "2026-11-20T00:00:00.000Z"}'
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@in_loop
async def test_requests_of_the_sdk_carry_the_call_they_belong_to(
    python: str, tmp_path: Path, receiver: Receiver
) -> None:
    source = HEAD + "import leancloud, threading\nfrom leancloud.client import get_server_time\n"
    source += "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)\n"
    source += function("here", "get_server_time()")
    source += function(
        "thread", "t = threading.Thread(target=get_server_time)\nt.start()\nt.join()"
    )
    source += function("pool", "pool_.submit(get_server_time).result()").replace("pool_", "pool")
    source = source.replace("def pool(", "def in_pool(")
    async with running(tmp_path, python, source, api_server=receiver.url) as code:
        for name in ("here", "thread", "in_pool"):
            await code.run(name, call_id=f"id-of-{name}")
        await code.run("in_pool", call_id="another")
        await code.run("here")
        assert receiver.tags == ["id-of-here", "id-of-thread", "id-of-in_pool", "another", None]


@in_loop
async def test_output_reaches_its_call_in_order_with_its_place(python: str, tmp_path: Path) -> None:
    source = (
        "import logging, sys\nlogging.basicConfig(level='INFO', format='%(message)s')\n"
        "print('at load time')\n" + HEAD
    )
    source += function(
        "talk",
        "print('one', 'more')\n"
        "print('be', end='')\n"
        "print('gun')\n"
        "logging.info('logged')\n"
        "sys.stdout.buffer.write(b'bytes \\xff\\n')\n"
        "sys.stderr.write('two\\nlines\\n')\n"
        "print('x' * 9000)\n"
        "print('没有换行', end='')",
    )
    async with running(tmp_path, python, source) as code:
        first = 9
        told = await code.traced("talk")
        assert [line for line in told if line[1] != "talk is called!"] == [
            ("stdout", "one more", f"cloud.py:{first}"),
            ("stdout", "begun", f"cloud.py:{first + 1}"),
            ("stderr", "logged", f"cloud.py:{first + 3}"),
            ("stdout", "bytes \ufffd", f"cloud.py:{first + 4}"),
            ("stderr", "two", f"cloud.py:{first + 5}"),
            ("stderr", "lines", f"cloud.py:{first + 5}"),
            ("stdout", "x" * 9000, f"cloud.py:{first + 6}"),
            ("stdout", "没有换行", f"cloud.py:{first + 7}"),
        ]
        at_load = code.lines[0]
        assert (at_load.text, at_load.call_id, at_load.where) == (
            "at load time",
            None,
            "cloud.py:3",
        )


@in_loop
async def test_output_survives_a_stdout_that_the_code_wrapped(python: str, tmp_path: Path) -> None:
    source = (
        "import io, sys\n"
        "sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='utf-8')\n" + HEAD
    )
    source += function("talk", "print('wrapped')\nprint('twice')")
    async with running(tmp_path, python, source) as code:
        assert [text for _, text, _ in await code.traced("talk")] == ["wrapped", "twice"]


@in_loop
async def test_concurrent_calls_keep_their_output_apart(python: str, tmp_path: Path) -> None:
    source = HEAD + "import threading\nall_here = threading.Barrier(10)\n"
    source += function(
        "talk",
        "for n in range(20):\n"
        "    print(params['who'], end=' ')\n    all_here.wait(6)\n    print(n)",
    )
    async with running(tmp_path, python, source) as code:
        told = await asyncio.gather(*(code.traced("talk", who=n) for n in range(10)))
        for who, lines in enumerate(told):
            assert [text for _, text, _ in lines] == [f"{who} {n}" for n in range(20)]


@in_loop
async def test_ten_megabytes_of_output_block_nothing(python: str, tmp_path: Path) -> None:
    source = HEAD + "import os, sys\n"
    source += function(
        "flood",
        "for n in range(50_000):\n    print('%099d' % n)\n"
        "print('y' * 5_000_000)\nos.write(1, b'raw\\n' * 1000)\nreturn 1",
    )
    async with running(tmp_path, python, source) as code:
        assert await code.run("flood") == 1
        await wait_until(lambda: len(code.lines) >= 51_000, "all of it has come")
        assert sum(len(line.text) for line in code.lines) >= 50_000 * 99 + 5_000_000
        assert sum(line.text == "raw" for line in code.lines) == 1000


@in_loop
async def test_late_lines_reach_the_span_of_a_closed_call(python: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    source = HEAD + "import threading\n"
    source += f"def later():\n    open({str(gate)!r}).read()\n    print('late')\n"
    source += function("begin", "threading.Thread(target=later).start()")
    async with running(tmp_path, python, source) as code:
        span, call = code.span(), object()
        code.runtime.ledger.open("c1", call, span)
        assert code.runtime.ledger.find("c1") is call
        await code.run("begin", call_id="c1")
        code.runtime.ledger.close("c1")
        assert code.runtime.ledger.find("c1") is None
        os.close(await asyncio.to_thread(os.open, gate, os.O_WRONLY))
        await wait_until(lambda: bool(span.prints), "the line has come")
        assert [line.text for line in span.prints or []] == ["late"]


@in_loop
async def test_input_finds_nothing_rather_than_our_pipe(python: str, tmp_path: Path) -> None:
    source = HEAD + function("ask", "import sys\nreturn sys.stdin.read()")
    async with running(tmp_path, python, source) as code:
        assert await code.run("ask") == ""


def has_gevent(python: str) -> bool:
    code = "from gevent import monkey; monkey.patch_all()"
    found = subprocess.run([python, "-c", code], capture_output=True, check=False)
    return found.returncode == 0


@in_loop
async def test_a_project_that_monkey_patches_with_gevent(python: str, tmp_path: Path) -> None:
    if not has_gevent(python):
        pytest.skip("that Python has no gevent")
    source = "from gevent import monkey\nmonkey.patch_all()\n" + HEAD + "import gevent, threading\n"
    source += "all_here = threading.Barrier(5)\n"
    source += function("meet", "gevent.sleep(0)\nprint(params['n'])\nall_here.wait(6)\nreturn 1")
    async with running(tmp_path, python, source) as code:
        told = await asyncio.gather(*(code.traced("meet", n=n) for n in range(5)))
        assert [[text for _, text, _ in lines] for lines in told] == [[str(n)] for n in range(5)]


PARENT = """
import asyncio, sys
from pathlib import Path
from tests.engine.harness import running, wait_until

async def main():
    cmd = sys.argv[3] if len(sys.argv) > 3 else None
    async with running(Path(sys.argv[1]), sys.argv[2], None, cmd=cmd) as code:
        if cmd is None:  # make the running process a fork
            zygote = code.runtime._launcher._warm._ready
            await zygote.fit
            code.write((code.folder / "cloud.py").read_text() + "# edited")
            await code.runtime.until_settled(code.deadline())
            await wait_until(lambda: len(code.pids()) == 1, "the first process has ended")
            print(code.runtime.state, zygote._popen.pid, code.pid(), flush=True)
        else:
            print(code.runtime.state, code.pid(), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["cloud.py", "command"])
@pytest.mark.usefixtures("_repository_on_path")
def test_a_killed_parent_leaves_no_process(
    python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    sleeper = "import subprocess, sys\np = subprocess.Popen([sys.executable, '-c', "
    sleeper += "'import time; time.sleep(600)'])\nprint('pid', p.pid, flush=True)\n"
    (tmp_path / "cloud.py").write_text(sleeper + HEAD + "open('pid', 'w').write(str(p.pid))\n")
    (tmp_path / "serve.py").write_text(
        sleeper + "import os, http.server\nopen('pid', 'w').write(str(p.pid))\n"
        "address = ('127.0.0.1', int(os.environ['PORT']))\n"
        "http.server.HTTPServer(address, http.server.BaseHTTPRequestHandler).serve_forever()\n"
    )
    arguments = [str(tmp_path), python]
    if kind == "command":
        arguments.append(f"{sys.executable} serve.py")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    parent = subprocess.Popen([sys.executable, "-c", PARENT, *arguments], stdout=subprocess.PIPE)
    try:
        assert parent.stdout is not None
        state, *words = parent.stdout.readline().decode().split()
        assert state == "ready"
        pids = [int(word) for word in words] + [int((tmp_path / "pid").read_text())]
        assert all(alive(pid) for pid in pids)
        os.kill(parent.pid, signal.SIGKILL)
        assert parent.wait() == -signal.SIGKILL
        asyncio.run(wait_until(lambda: not any(alive(pid) for pid in pids), "all have ended"))
        assert not list(temporary.iterdir()), "no socket is left either"
    finally:
        parent.kill()
        parent.stdout.close()  # type: ignore[union-attr]
        parent.wait()


@pytest.fixture
def _repository_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    root = str(Path(__file__).resolve().parents[2])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]))


@in_loop
async def test_a_header_cannot_smuggle_another(python: str, tmp_path: Path) -> None:
    async with running(tmp_path, python, HEAD) as code:
        with pytest.raises(errors.ApiError, match="line break"):
            await code.raw("GET", "/", {**HEADERS, "X-A": "1\r\nX-B: 2"})


@in_loop
async def test_the_same_over_tcp(python: str, tmp_path: Path) -> None:
    source = HEAD + function("hello", "print('here')\nreturn 1")
    async with running(tmp_path, python, source, tcp=True) as code:
        assert code.runtime._current is not None
        assert code.runtime._current.address.port
        assert await code.traced("hello") == [("stdout", "here", "cloud.py:6")]


@in_loop
async def test_code_that_knows_no_hook_key_is_given_marks(python: str, tmp_path: Path) -> None:
    (tmp_path / "wsgi.py").write_text(
        "def application(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Type', 'application/json')])\n"
        '    return [b\'{"result": ["__before_save_for_A"]}\']\n'
    )
    async with running(tmp_path, python, None) as code:
        assert code.runtime.names == {"__before_save_for_A"}
        assert code.runtime.needs_marks
        assert code.runtime.where == {}


@in_loop
async def test_code_that_does_not_tell_its_functions_still_serves(
    python: str, tmp_path: Path
) -> None:
    (tmp_path / "wsgi.py").write_text(
        "def application(environ, start_response):\n"
        "    start_response('403 Forbidden', [])\n"
        "    return [b'no']\n"
    )
    async with running(tmp_path, python, None) as code:
        assert code.runtime.names == frozenset()
        assert "does not tell" in code.log.traces()[0].detail["note"]
        assert (await code.raw("GET", "/")).body == b"no"


@in_loop
async def test_submitted_tasks_keep_their_arguments(python: str, tmp_path: Path) -> None:
    source = HEAD + "from concurrent.futures import ThreadPoolExecutor\n"
    source += function(
        "submit",
        "with ThreadPoolExecutor() as pool:\n"
        "    task = pool.submit(dict, call=1, run=2, self=3)\n"
        "    return [task.result(), list(pool.map(abs, [-1, 2]))]",
    )
    async with running(tmp_path, python, source) as code:
        assert await code.run("submit", call_id="c1") == [{"call": 1, "run": 2, "self": 3}, [1, 2]]
