"""The pytest plugin, in this process by ``pytester`` and as somebody runs it."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support.tested_project import write_project

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.timeout(90)

ROOT = Path(__file__).parents[2]
PLUGIN = ("-p", "no:lean_emu", "-p", "lean_emulator.pytest_plugin")
"""By its module, so that it need not be installed, and once only where it is."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "项目 with blanks")


def outside(
    project: Path, tests: str, *options: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    """A pytest of its own in the project, warnings being errors."""
    (project / "test_reviews.py").write_text(textwrap.dedent(tests), encoding="utf-8")
    usual = {k: v for k, v in os.environ.items() if not k.startswith(("LEAN_EMU_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *PLUGIN, "-q", "-W", "error", *options],
        cwd=project,
        env={**usual, "PYTHONPATH": str(ROOT), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=80,
        check=False,
    )


def left_over(project: Path) -> list[str]:
    """What a session must not leave: processes, and anything of ours in the folder."""
    found = [str(path) for path in (project / ".lean-emu",) if path.exists()]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            at = os.readlink(process / "cwd")
        except OSError:
            continue
        if at == str(project):
            found.append(process.name)
    return found


def test_what_the_fixture_offers(pytester: pytest.Pytester, project: Path) -> None:
    pytester.makepyfile(
        """
        import os
        from datetime import UTC, datetime, timedelta
        import pytest
        from lean_emulator.testing.client import Refused

        def test_hooks(lean_emu_reset):
            cut = lean_emu_reset.save("Review", comment="x" * 200)
            assert cut["comment"] == "x" * 140 + "…"
            assert lean_emu_reset.hooks_fired() == ["beforeSave Review", "afterSave Review"]
            assert lean_emu_reset.hooks_fired("Album") == []
            with pytest.raises(Refused, match="No comment!") as refused:
                lean_emu_reset.save("Review")
            assert (refused.value.code, refused.value.status) == (142, 400)
            assert lean_emu_reset.hooks_fired()[2:] == ["beforeSave Review"]
            assert lean_emu_reset.traces()[0]["title"] == "POST /1.1/classes/Review"

        def test_nothing_is_left_of_other_tests(lean_emu_reset):
            emu = lean_emu_reset
            assert (emu.find("Review"), emu.hooks_fired(), emu.traces()[1:]) == ([], [], [])
            assert emu.inbox.messages() == []
            assert not emu.clock.frozen

        def test_seeds_fire_nothing(lean_emu_reset, tmp_path):
            file = tmp_path / "seeds.json"
            file.write_text('{"Movie": [{"title": "Alien"}]}')
            (alien,) = lean_emu_reset.seed(file)["Movie"]
            stored = lean_emu_reset.seed({"Review": [{"stars": n} for n in range(3)]})["Review"]
            assert lean_emu_reset.hooks_fired() == []
            assert lean_emu_reset.get("Movie", alien["objectId"])["title"] == "Alien"
            found = lean_emu_reset.find("Review", {"stars": {"$gt": 0}}, order="stars")
            assert [row["objectId"] for row in found] == [row["objectId"] for row in stored[1:]]
            with pytest.raises(Refused, match="Review.*bad key"):
                lean_emu_reset.seed({"Review": [{"bad key": 1}]})

        def test_users(lean_emu_reset):
            tom = lean_emu_reset.as_user("tom", email="tom@example.com")
            acl = {tom.id: {"read": True, "write": True}}
            mine = tom.save("Note", text="mine", ACL=acl, by=tom.pointer)
            assert lean_emu_reset.find("Note") == []
            assert tom.update("Note", mine["objectId"], text="still mine")["text"] == "still mine"
            assert lean_emu_reset.as_user("tom").find("Note")[0]["text"] == "still mine"
            assert lean_emu_reset.as_user("ann").find("Note") == []
            tom.delete("Note", mine["objectId"])
            assert lean_emu_reset.master.find("Note") == []

        def test_inbox(lean_emu_reset):
            body = {"mobilePhoneNumber": "+8613800000000"}
            lean_emu_reset.request("POST", "/1.1/requestSmsCode", body)
            code = lean_emu_reset.inbox.code("+8613800000000")
            assert code.isdigit() and len(lean_emu_reset.inbox) == 1
            with pytest.raises(LookupError, match="has a link.*sms to"):
                lean_emu_reset.inbox.link()
            lean_emu_reset.inbox.clear()
            assert len(lean_emu_reset.inbox) == 0

        def test_clock(lean_emu_reset):
            clock = lean_emu_reset.clock
            clock.freeze("2030-01-01T00:00:00Z")
            assert clock.advance(timedelta(days=1)) == 0
            assert clock.now == datetime(2030, 1, 2, tzinfo=UTC)
            assert lean_emu_reset.save("Plain")["createdAt"] == "2030-01-02T00:00:00.000Z"
            clock.set(datetime(2031, 1, 1))
            assert clock.now.year == 2031
            clock.resume()
            assert abs(clock.now - datetime.now(UTC)) < timedelta(minutes=1)
            with pytest.raises(ValueError):
                clock.advance(-1)

        def test_functions_and_environment(lean_emu_reset):
            assert lean_emu_reset.run("hello", name="tests") == "Hello, tests!"
            url = lean_emu_reset.api_url
            assert os.environ["LEANCLOUD_API_SERVER"] == url
            assert lean_emu_reset.run("environment", name="LEANCLOUD_API_SERVER") == url
        """
    )
    before = dict(os.environ)
    result = pytester.runpytest_inprocess(*PLUGIN, "--lean-emu-project", str(project))
    result.assert_outcomes(passed=7)
    changed = {k for k in {*before, *os.environ} if before.get(k) != os.environ.get(k)}
    assert changed <= {"PYTEST_CURRENT_TEST"}
    assert left_over(project) == []


def test_a_session_keeps_what_it_begins_with(pytester: pytest.Pytester, project: Path) -> None:
    pytester.makeini(f"[pytest]\nlean_emu_project = {project}\n")
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(scope="session")
        def lean_emu_settings():
            return {"unknown_class": "empty"}

        @pytest.fixture(scope="session", autouse=True)
        def movies(lean_emu):
            lean_emu.seed({"Movie": [{"title": "Alien"}]})
            lean_emu.keep()
        """
    )
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("n", range(3))
        def test_it_is_there(lean_emu_reset, n):
            (movie,) = lean_emu_reset.find("Movie")
            lean_emu_reset.master.delete("Movie", movie["objectId"])
            lean_emu_reset.save("Movie", title="Aliens")
            assert lean_emu_reset.request("GET", "/1.1/classes/Nobody") == {"results": []}
        """
    )
    pytester.runpytest_inprocess(*PLUGIN).assert_outcomes(passed=3)


BROKEN = "import sys\nsys.exit('no database here')\n"


@pytest.mark.parametrize(
    ("options", "server", "said"),
    [
        ((), BROKEN, ["did not load", "no database here"]),
        (("--lean-emu-project", "nowhere"), "", ["There is no folder", "nowhere"]),
        (("-o", "lean_emu_now=tomorrow"), "", ["did not start", "tomorrow"]),
        (("-o", "lean_emu_seed=many"), "", ["lean_emu_seed must be a whole number, not 'many'"]),
    ],
)
def test_what_keeps_it_from_starting_is_told(
    tmp_path: Path, options: tuple[str, ...], server: str, said: list[str]
) -> None:
    project = write_project(tmp_path / "project", *([server] if server else ()))
    done = outside(project, "def test_one(lean_emu):\n    pass\n", *options)
    assert done.returncode == 1, done.stdout
    for text in said:
        assert text in done.stdout
    assert "1 error" in done.stdout
    assert "Traceback (most recent call last)" not in done.stdout.partition("did not load")[0]
    assert "During handling" not in done.stdout
    assert left_over(project) == []


MANY = """
    import os
    from pathlib import Path
    import pytest

    @pytest.mark.parametrize("n", range(12))
    def test_alone(lean_emu_reset, n):
        assert lean_emu_reset.find("Review") == []
        lean_emu_reset.save("Review", comment="mine", n=n)
        assert [row["n"] for row in lean_emu_reset.find("Review")] == [n]
        worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
        Path(f"{worker}.url").write_text(lean_emu_reset.api_url)
    """


@pytest.mark.parametrize("options", [("-p", "no:randomly"), ("-p", "randomly"), ("-n", "2")])
def test_alone_shuffled_and_in_parallel(project: Path, options: tuple[str, ...]) -> None:
    done = outside(project, MANY, *(() if options == ("-p", "randomly") else options))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "12 passed" in done.stdout
    urls = [path.read_text() for path in project.glob("*.url")]
    assert len(urls) == len(set(urls)) == (2 if options[0] == "-n" else 1)
    assert left_over(project) == []


REPEATED = """
    import pytest

    @pytest.mark.parametrize("n", range(4))
    def test_same(lean_emu_reset, n):
        made = lean_emu_reset.save("Plain", n=n)
        user = lean_emu_reset.as_user("tom")
        print("MADE", made["objectId"], made["createdAt"], user.session_token)
    """


def test_ids_and_time_repeat_on_request(project: Path) -> None:
    said = [
        re.findall("MADE .*", outside(project, REPEATED, "-s", *options).stdout)
        for options in (
            ("--lean-emu-seed", "7"),
            ("-o", "lean_emu_seed=7"),
            ("--lean-emu-seed", "8"),
            (),
        )
    ]
    assert [len(lines) for lines in said] == [4, 4, 4, 4]
    assert len(set(said[0] + said[1])) == 1
    assert "2024-01-01T00:00:00.000Z" in said[0][0]
    assert len({*said[0], *said[2], *said[3]}) == 6


def test_output_of_the_code_stands_with_the_test_that_failed(project: Path) -> None:
    done = outside(
        project,
        """
        def test_hello(lean_emu_reset):
            assert lean_emu_reset.run("hello") == "Bye"
        """,
    )
    assert done.returncode == 1
    assert "│ hello was called" in done.stdout


TASKS = """
    from datetime import timedelta
    import pytest

    @pytest.mark.parametrize("n", range(2))
    def test_a_day(lean_emu_reset, n):
        emu = lean_emu_reset
        (task,) = emu.master.request("GET", "/__emu/tasks")["results"]
        assert (task["name"], task["runs"]) == ("nightly", 0)
        emu.clock.freeze()
        assert emu.clock.advance(timedelta(days=1)) == 1
        assert [trace["kind"] for trace in emu.traces()] == ["task"]
        made = {"name": "by hand", "function": "hello", "every": 60}
        emu.master.request("POST", "/__emu/tasks", made)
    """


def test_scheduled_tasks_run_when_time_passes_and_none_are_kept(project: Path) -> None:
    (project / "tasks.toml").write_text(
        '[[task]]\nname = "nightly"\nfunction = "hello"\ncron = "0 0 3 * * ?"\n'
    )
    done = outside(project, TASKS, "-p", "no:randomly")
    assert "2 passed" in done.stdout, done.stdout
    assert left_over(project) == []


def test_it_costs_nothing_until_it_is_used() -> None:
    code = (
        "import sys, lean_emulator.pytest_plugin\n"
        "assert not {'aiohttp', 'lean_emulator.emulator'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
