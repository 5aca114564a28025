"""Projects of other runtimes than Python, really started."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.engine.front_door import front_door
from tests.engine.harness import in_loop, running


@in_loop
async def test_a_static_site(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>Home</h1>")
    (tmp_path / "app.js").write_text("one()")
    (tmp_path / ".env").write_text("SECRET=1")
    async with front_door(tmp_path, sys.executable, project_python=None) as door:
        assert door.code.state == "ready", door.code.runtime.failure
        async with door.get("/") as answer:
            assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
            assert await answer.text() == "<h1>Home</h1>"
            tag = answer.headers["ETag"]
        async with door.get("/", headers={"If-None-Match": tag}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")
        async with door.get("/app.js", headers={"Range": "bytes=0-2"}) as answer:
            assert (answer.status, await answer.text()) == (206, "one")
            assert answer.headers["Content-Range"] == "bytes 0-2/5"
        async with door.get("/index.html") as answer:
            assert (answer.status, answer.headers["Location"]) == (301, "/")
        async with door.get("/.env") as answer:
            assert answer.status == 404
        async with door.session.head(f"{door.url}/app.js") as answer:
            assert (answer.status, answer.headers["Content-Length"]) == (200, "5")
        pid = door.code.pid()
        (tmp_path / "app.js").write_text("two()")
        (tmp_path / "static.json").write_text(json.dumps({"cleanUrls": False}))
        assert await door.text("/app.js") == "two()"
        assert await door.text("/index.html") == "<h1>Home</h1>"
        assert door.code.pid() == pid


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
@in_loop
async def test_functions_that_are_switched_off_or_must_be_told(tmp_path: Path) -> None:
    (tmp_path / "server.js").write_text(
        "require('http').createServer((req, res) => {\n"
        "  const ops = req.url.endsWith('/metadatas');\n"
        "  res.statusCode = ops && !process.env.TELLS ? 401 : 200;\n"
        "  res.end(ops ? '{\"result\": [\"hello\"]}' : '{}');\n"
        "}).listen(process.env.LEANCLOUD_APP_PORT);\n"
    )
    (tmp_path / "package.json").write_text("{}")
    yaml = tmp_path / "leanengine.yaml"
    async with running(tmp_path, sys.executable, None, project_python=None) as code:
        assert (code.state, code.runtime.names) == ("ready", frozenset())
    yaml.write_text("functionsMode: strict")
    async with running(tmp_path, sys.executable, None, project_python=None) as code:
        assert code.state == "broken"
        assert code.runtime.failure is not None
        assert "strict" in code.runtime.failure.message
    tells = {"TELLS": "1"}
    async with running(
        tmp_path, sys.executable, None, project_python=None, extra_environment=tells
    ) as code:
        assert code.runtime.names == frozenset({"hello"})
    yaml.write_text("functionsMode: disabled")
    async with running(
        tmp_path, sys.executable, None, project_python=None, extra_environment=tells
    ) as code:
        assert (code.state, code.runtime.names) == ("ready", frozenset())
