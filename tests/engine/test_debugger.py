"""A debugger's port in the code's process: where it opens, what is said when it cannot."""

import socket
from pathlib import Path

from lean_emulator.emulator import Emulator
from lean_emulator.keys import Keys
from lean_emulator.settings import Settings
from tests.engine.harness import HEAD, function, in_loop, running

FAKE = """
import socket
def listen(address):
    global server
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(address)
    server.listen()
"""
"""What debugpy does, as far as the port goes."""

SOURCE = HEAD + function("answer", "return 1")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@in_loop
async def test_a_debugger_can_attach_also_after_edits(python: str, tmp_path: Path) -> None:
    packages, project = tmp_path / "packages", tmp_path / "project"
    packages.mkdir()
    project.mkdir()
    (packages / "debugpy.py").write_text(FAKE)
    port = free_port()
    extra = {"PYTHONPATH": str(packages)}
    async with running(project, python, SOURCE, debugger=port, extra_environment=extra) as code:
        assert code.state == "ready", code.runtime.failure
        assert listens(port)
        for number in (2, 3):
            code.write(SOURCE.replace("return 1", f"return {number}"))
            assert await code.run("answer") == number
            assert listens(port)
            assert len(code.pids()) == 1
    assert not listens(port)


@in_loop
async def test_debugpy_that_is_missing_is_told_with_the_command(
    python: str, tmp_path: Path
) -> None:
    async with running(tmp_path, python, SOURCE, debugger=free_port()) as code:
        failure = code.runtime.failure
        assert failure is not None
        assert failure.last_line == f"debugpy is not installed in {python}"
        assert f"{python} -m pip install debugpy" in failure.hint.en


def test_nothing_is_timed_while_somebody_may_be_at_a_breakpoint(tmp_path: Path) -> None:
    keys = Keys("test-app-id", "app-key-0123456789", "master-key-0123456", "hook-key-01234567")
    timed = Emulator(Settings(project_dir=tmp_path, code=False), keys)
    assert timed.settings.timeouts
    debugged = Emulator(Settings(project_dir=tmp_path, code=False, debugpy=5678), keys)
    assert not debugged.settings.timeouts
