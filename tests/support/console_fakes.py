"""What stands behind a console in tests: the user's code and the workbench, over sample traces."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lean_emulator.base import errors
from lean_emulator.base.errors import Hint
from lean_emulator.base.jsontext import Json
from lean_emulator.console.contract import Instance, State
from lean_emulator.model.hook_answers import Remark
from tests.support.console_samples import CLOUD, COMMENT, NAMES, WHERE, Story, broken_text


@dataclass
class FakeFailure:
    last_line: str
    traceback: str
    file: str | None
    line: int | None
    message: str
    hint: Hint | None = None


@dataclass
class FakeRuntime:
    """The user's code, as far as the console sees it."""

    state: State = "ready"
    names: frozenset[str] = NAMES
    where: Mapping[str, str] = field(default_factory=lambda: dict(WHERE))
    failure: FakeFailure | None = None
    loaded_at_ms: int | None = 1_795_000_000_000
    load_seconds: float | None = 0.027

    def break_down(self, project: str) -> None:
        self.state = "broken"
        self.failure = FakeFailure(
            "NameError: name 'cached' is not defined",
            broken_text(project),
            f"{project}/cloud.py",
            37,
            "name 'cached' is not defined",
        )
        broken = CLOUD + "\n\naverageStars = cached(averageStars)\n"
        Path(project, "cloud.py").write_text(broken, encoding="utf-8")

    def heal(self) -> None:
        self.state, self.failure = "ready", None


@dataclass
class FakeResult:
    status: int
    body: Json
    took_ms: float
    trace: str
    remarks: tuple[Remark, ...] = ()


class FakeWorkbench:
    """Answers as the sample cloud.py would, and leaves traces; ``sent`` holds what came in."""

    def __init__(self, story: Story, project: str) -> None:
        self._story = story
        self._project = project
        self.sent: list[tuple[str, Any]] = []
        self.hold: asyncio.Event | None = None

    async def run_function(
        self,
        name: str,
        params: Json,
        *,
        rpc: bool = False,
        user: str | None = None,
        master: bool = False,
    ) -> FakeResult:
        self.sent.append((name, {"params": params, "rpc": rpc, "user": user, "master": master}))
        if user not in (None, "mia"):
            raise errors.USER_NOT_FOUND(f"There is no user {user!r}.")
        if self.hold is not None:
            await self.hold.wait()
        if name == "monthlyReport":
            root = self._story.timed_out()
            return FakeResult(503, {"code": 124, "error": "timed out"}, 15_000.0, root.name)
        root = self._story.average()
        return FakeResult(200, {"result": 4.333333333333333}, 41.2, root.name)

    async def run_hook(
        self,
        class_name: str,
        hook: str,
        *,
        object: Json | None,  # noqa: A002 - the protocol's own word
        object_id: str | None,
        updated_keys: list[str],
        user: str | None = None,
        master: bool = False,
        chain: bool = False,
    ) -> FakeResult:
        self.sent.append(
            (
                f"{class_name}/{hook}",
                {
                    "object": object,
                    "object_id": object_id,
                    "updated_keys": updated_keys,
                    "user": user,
                    "master": master,
                    "chain": chain,
                },
            )
        )
        if hook == "onLogin":
            root = self._story.average()
            said = Remark(Hint("The user is logged in.", "用户登录成功。"))
            odd = Remark(Hint("'x' means nothing.", "“x”没有意义。"), wrong=True)
            return FakeResult(200, {"result": None}, 3.1, root.name, (said, odd))
        if isinstance(object, dict) and not object.get("comment"):
            root = self._story.rejected(self._project)
            return FakeResult(400, {"code": 142, "error": "No comment provided!"}, 6.9, root.name)
        root = self._story.review()
        return FakeResult(200, {"comment": COMMENT[:140] + "…"}, 9.4, root.name)


def sample_instance(project: Path) -> Instance:
    return Instance(
        name="reviews",
        version="0.1.0",
        project_dir=str(project),
        api_url="http://127.0.0.1:3000",
        app_id="lean-emu-reviews",
        started_ms=1_795_000_000_000,
        storage="memory",
    )
