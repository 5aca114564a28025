"""What the preload does inside real Node processes; none of it needs a package from npm."""

import asyncio
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lean_emulator.engine import launch
from tests.engine.harness import Code, in_loop, running

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs node on PATH")

SERVER = """
const http = require('http');
const functions = require('./functions');

http.createServer((req, res) => {
  let body = '';
  req.on('data', (data) => { body += data; });
  req.on('end', async () => {
    const name = req.url.split('/').pop();
    const found = name === 'metadatas' ? () => Object.keys(functions) : functions[name];
    if (!found) { res.statusCode = 404; return res.end(); }
    const result = await found(JSON.parse(body || '{}'), req);
    res.end(JSON.stringify({ result }));
  });
}).listen(process.env.PORT, '127.0.0.1');
"""

ASKING = """
const http = require('http');
const api = process.env.LEANCLOUD_API_SERVER;

function read(start) {
  return new Promise((resolve) => start((res) => {
    let text = '';
    res.on('data', (data) => { text += data; }).on('end', () => resolve(text));
  }));
}
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

exports.request = () => read((done) => http.request(api + '/x', done).end());
exports.get = () => read((done) => http.get(api, done));
exports.options = () => {
  const { hostname, port } = new URL(api);
  return read((done) => http.request({ hostname, port, method: 'POST' }, done).end('{}'));
};
exports.later = async ({ ms }) => { await pause(ms); return exports.request(); };
exports.module = async () => read((await import('./asks.mjs')).ask);
exports.fetch = async () => (typeof fetch === 'function' ? (await fetch(api)).text() : 'no fetch');
exports.elsewhere = ({ url }) => read((done) => http.get(url, done));
exports.headers = (_, req) => Object.keys(req.headers).filter((name) => name.includes('lean-emu'));
exports.captured = () => require('child_process')
  .execFileSync(process.execPath, ['-e', "console.log('from a child')"]).toString();
exports.options_of_node = () => process.env.NODE_OPTIONS;
"""
ESM = """
import { get } from 'http';
export const ask = (done) => get(process.env.LEANCLOUD_API_SERVER, done);
"""


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the call that a request is tagged with."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = (self.headers.get("X-Lean-Emu-Call") or "none").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


def served() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


api = pytest.fixture(served, name="api")
other_api = pytest.fixture(served, name="other_api")


def project(folder: Path, functions: str) -> str:
    """Writes the project; gives the command that starts it."""
    (folder / "server.js").write_text(SERVER)
    (folder / "functions.js").write_text(functions)
    return "node server.js"


@in_loop
async def test_requests_to_the_emulator_carry_the_call(
    tmp_path: Path, api: str, other_api: str
) -> None:
    cmd = project(tmp_path, ASKING)
    (tmp_path / "asks.mjs").write_text(ESM)
    async with running(tmp_path, sys.executable, None, cmd=cmd, api_server=api) as code:
        assert code.state == "ready", code.runtime.failure
        for name in ("request", "get", "options", "module"):
            assert await code.run(name, call_id=f"c-{name}") == f"c-{name}", name
            assert await code.run(name) == "none", "no call, no tag"
        assert await code.run("fetch", call_id="c-fetch") in ("c-fetch", "no fetch")
        assert await code.run("elsewhere", url=other_api, call_id="c-other") == "none"
        assert await code.run("headers", call_id="c-headers") == [], "the code cannot hand it on"
        many = [code.run("later", ms=20 - n, call_id=f"c{n}") for n in range(20)]
        assert await asyncio.gather(*many) == [f"c{n}" for n in range(20)]


@in_loop
async def test_programs_the_code_reads_from_and_its_own_options_stay_as_they_are(
    tmp_path: Path, api: str
) -> None:
    extra = {"NODE_OPTIONS": "--max-old-space-size=300"}
    cmd = project(tmp_path, ASKING)
    async with running(
        tmp_path, sys.executable, None, cmd=cmd, api_server=api, extra_environment=extra
    ) as code:
        assert await code.run("captured", call_id="c1") == "from a child\n"
        options = await code.run("options_of_node")
        assert options.startswith("--max-old-space-size=300 --require ")


PRINTING = """
console.log('loading');
exports.lines = () => {
  console.log('one\\ntwo');
  process.stdout.write('in ');
  process.stdout.write(Buffer.from('parts\\n'));
  console.error('wrong %d', 7);
  process.stdout.write('no line feed');
};
exports.wide = ({ size }) => console.log('雪'.repeat(size));
exports.callback = () => new Promise((resolve) => process.stdout.write('x\\n', resolve));
exports.after = async () => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  console.log('afterwards');
};
exports.crowd = async ({ n }) => {
  for (let i = 0; i < 5; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    console.log(n + '.' + i);
  }
};
exports.prepared = () => {
  Error.prepareStackTrace = () => 'mine';
  exports.wide({ size: 1 });
  return new Error('x').stack;
};
"""


async def printed(code: Code, name: str, **params: object) -> list[tuple[str, str, str | None]]:
    """Like ``traced``, for functions that return nothing: their answer has no result."""
    code.calls += 1
    call_id, span = f"p-{code.calls}", code.span()
    code.runtime.ledger.open(call_id, object(), span)
    target = f"/1.1/functions/{name}"
    answer = await code.raw("POST", target, (), json.dumps(params).encode(), call_id=call_id)
    assert answer.status == 200, answer.body
    code.runtime.ledger.close(call_id)
    return [(line.stream, line.text, line.where) for line in span.prints or []]


@in_loop
async def test_lines_reach_their_call_with_their_place(tmp_path: Path) -> None:
    async with running(tmp_path, sys.executable, None, cmd=project(tmp_path, PRINTING)) as code:
        (first,) = [line for line in code.lines if line.text == "loading"]
        assert (first.call_id, first.where) == (None, "functions.js:2")
        assert await printed(code, "lines") == [
            ("stdout", "one", "functions.js:4"),
            ("stdout", "two", "functions.js:4"),
            ("stdout", "in parts", "functions.js:5"),
            ("stderr", "wrong 7", "functions.js:7"),
            ("stdout", "no line feed", "functions.js:8"),
        ]
        assert await printed(code, "wide", size=30_000) == [
            ("stdout", "雪" * 30_000, "functions.js:10")
        ]
        assert await printed(code, "callback") == [("stdout", "x", "functions.js:11")]
        assert await printed(code, "after") == [("stdout", "afterwards", "functions.js:14")]
        assert len(await printed(code, "prepared")) == 1
        assert await code.run("prepared", call_id="p") == "mine", "the code's own format of stacks"
        crowd = await asyncio.gather(*(printed(code, "crowd", n=n) for n in range(8)))
        assert [[text for _, text, _ in lines] for lines in crowd] == [
            [f"{n}.{i}" for i in range(5)] for n in range(8)
        ]


@in_loop
async def test_the_next_call_runs_the_edit_of_any_file_that_was_read(tmp_path: Path) -> None:
    cmd = project(tmp_path, "exports.value = () => require('./value.json');\n")
    (tmp_path / "value.json").write_text("0")
    async with running(tmp_path, sys.executable, None, cmd=cmd) as code:
        assert await code.run("value") == 0
        (tmp_path / "value.json").write_text("5")
        assert await code.run("value") == 5
        for number in range(1, 4):
            (tmp_path / "functions.js").write_text(f"exports.value = () => {number};\n")
            assert await code.run("value") == number


@in_loop
async def test_code_that_does_not_load_is_healed_by_the_next_edit(tmp_path: Path) -> None:
    cmd = project(tmp_path, "exports.value = (;\n")
    async with running(tmp_path, sys.executable, None, cmd=cmd) as code:
        assert code.state == "broken"
        assert code.runtime.failure is not None
        assert "SyntaxError: Unexpected token" in code.runtime.failure.message
        (tmp_path / "functions.js").write_text("exports.value = () => 1;\n")
        assert await code.run("value") == 1


@pytest.mark.parametrize("name", ["plain", "with space", 'a "quoted" one', "back\\slash"])
def test_node_finds_the_preload_wherever_it_is(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    preload = folder / "preload.js"
    preload.write_text("console.log('loaded');\n")
    done = subprocess.run(
        ["node", "-e", "console.log(process.memoryUsage().heapTotal > 0)"],
        env={**os.environ, "NODE_OPTIONS": launch.with_preload("--no-warnings", preload)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "loaded\ntrue\n", done.stderr


def test_the_preload_alone_changes_nothing(tmp_path: Path) -> None:
    """Without the parent's variables, with rubbish in them, in a worker."""
    script = tmp_path / "x.js"
    script.write_text(
        "const { Worker, isMainThread } = require('worker_threads');\n"
        "console.log(isMainThread ? 'main' : 'worker');\n"
        "if (isMainThread) new Worker(__filename);\n"
    )
    options = launch.with_preload("")
    for extra in (
        {},
        {"LEAN_EMU_SECRET": "s", "LEAN_EMU_PIPES": "x:y", "LEAN_EMU_PROJECT": str(tmp_path)},
        {"LEANCLOUD_API_SERVER": "no url", "LEAN_EMU_PIPES": "0:0", "LEAN_EMU_SECRET": "s"},
    ):
        done = subprocess.run(
            ["node", str(script)],
            env={**os.environ, "NODE_OPTIONS": options, **extra},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.stdout, done.stderr) == ("main\nworker\n", "")
