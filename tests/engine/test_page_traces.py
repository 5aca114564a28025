"""What a page of the project does with the SDK stands below that page in the trace."""

from pathlib import Path

import aiohttp

from lean_emulator.emulator import Emulator
from lean_emulator.keys import Keys
from lean_emulator.settings import Settings
from tests.engine.harness import in_loop, wait_until

KEYS = Keys("test-app-id", "app-key-0123456789", "master-key-0123456", "hook-key-01234567")
WSGI = """
import leancloud
from leancloud import Engine

def pages(environ, start_response):
    note = leancloud.Object.extend('Note')()
    note.save()
    print('saved by a page')
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [note.id.encode()]

engine = application = Engine(pages)

@engine.before_save('Note')
def number(note):
    note.set('number', 1)
"""


@in_loop
async def test_a_page_that_saves_is_the_root_of_its_chain(python: str, tmp_path: Path) -> None:
    (tmp_path / "wsgi.py").write_text(WSGI)
    settings = Settings(project_dir=tmp_path, python=python, port=0)
    async with Emulator(settings, KEYS) as emulator, aiohttp.ClientSession() as session:
        async with session.get(f"{emulator.api_url}/new") as answer:
            assert answer.status == 200
            root = emulator.log.trace(answer.headers["X-Lean-Emu-Trace"])
            assert len(await answer.text()) == 24
        assert root is not None
        assert root.title == "GET /new"
        (save,) = root.children
        assert (save.title, save.status) == ("POST /1.1/classes/Note", 201)
        assert any(step.kind == "hook" for step in save.children)
        await wait_until(lambda: bool(root.prints), "the line has come")
        assert [line.text for line in root.prints or []] == ["saved by a page"]
        (line,) = (line for line in emulator.logbook.lines() if line.text == "saved by a page")
        assert line.trace == root.name, "the log leads to the request it was printed in"
