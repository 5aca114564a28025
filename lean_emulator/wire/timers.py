"""``/__emu/tasks`` and ``/__emu/clock``: scheduled tasks, and the time they run by."""

from lean_emulator.base import errors
from lean_emulator.base.clock import TurnableClock, iso_text
from lean_emulator.base.jsontext import Json
from lean_emulator.model.task import parse_task
from lean_emulator.model.time_text import MAX_ADVANCE, read_instant
from lean_emulator.service.agenda import Agenda
from lean_emulator.service.tasks import Tasks
from lean_emulator.wire.master_only import master_only
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route


class TimerHandlers:
    """Answers with the master key alone; leaves no traces but those of the runs."""

    def __init__(self, tasks: Tasks, agenda: Agenda, clock: TurnableClock) -> None:
        self._tasks = tasks
        self._agenda = agenda
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/tasks", master_only(self.all)),
            Route("POST", "/tasks", master_only(self.add)),
            Route("GET", "/tasks/:name", master_only(self.one)),
            Route("PUT", "/tasks/:name", master_only(self.edit)),
            Route("DELETE", "/tasks/:name", master_only(self.remove)),
            Route("GET", "/tasks/:name/records", master_only(self.records)),
            Route("POST", "/tasks/:name/enable", master_only(self.enable)),
            Route("POST", "/tasks/:name/disable", master_only(self.disable)),
            Route("POST", "/tasks/:name/run", master_only(self.run)),
            Route("GET", "/clock", master_only(self.time)),
            Route("POST", "/clock", master_only(self.turn)),
        ]

    async def all(self, request: Request) -> Answer:
        return Answer({"results": [*self._tasks.all()]})

    async def one(self, request: Request, name: str) -> Answer:
        return Answer(self._tasks.told(name))

    async def records(self, request: Request, name: str) -> Answer:
        return Answer({"results": [*self._tasks.records(name)]})

    async def add(self, request: Request) -> Answer:
        """Make a task; it is off until it is switched on, unless it says ``enabled``."""
        task = parse_task(request.document(), origin="user")
        self._tasks.add(task)
        return Answer(self._tasks.told(task.name), 201)

    async def edit(self, request: Request, name: str) -> Answer:
        """Put members in the place of others; ``null`` takes one away."""
        known = self._tasks.told(name)
        members = ("name", "function", "zone", "params", "on_error", "enabled", "staging")
        before = {key: known[key] for key in (*members, "cron", "every") if key in known}
        given = request.document()
        if "cron" in given:
            before.pop("every", None)
        if "every" in given:
            before.pop("cron", None)
        merged = {key: value for key, value in {**before, **given}.items() if value is not None}
        task = parse_task(merged, origin="user")
        self._tasks.edit(name, task)
        return Answer(self._tasks.told(task.name))

    async def remove(self, request: Request, name: str) -> Answer:
        self._tasks.remove(name)
        return Answer({})

    async def enable(self, request: Request, name: str) -> Answer:
        self._tasks.switch(name, on=True)
        return Answer(self._tasks.told(name))

    async def disable(self, request: Request, name: str) -> Answer:
        self._tasks.switch(name, on=False)
        return Answer(self._tasks.told(name))

    async def run(self, request: Request, name: str) -> Answer:
        """Run a task now, or with time standing still at ``at``; answers the record."""
        at = request.document().get("at")
        if at is None:
            return Answer((await self._tasks.run_now(name)).to_json())
        async with self._agenda.as_if_at(_instant(at)):
            return Answer((await self._tasks.run_now(name)).to_json())

    async def time(self, request: Request) -> Answer:
        return Answer(self._told_time())

    async def turn(self, request: Request) -> Answer:
        """``freeze``, ``resume``, ``advance`` by ``seconds``, or ``set`` the time ``to`` another.

        To advance runs what falls due on the way, in order; to set time jumps over it.
        """
        wish = request.document()
        action, worked = wish.get("action"), None
        if action == "freeze":
            self._clock.freeze()
        elif action == "resume":
            self._clock.resume()
        elif action == "set":
            self._clock.turn(_instant(wish.get("to")))
        elif action == "advance":
            worked = await self._agenda.advance(round(_seconds(wish.get("seconds")) * 1000))
        else:
            raise errors.INVALID_REQUEST(
                f"A clock can freeze, resume, advance or set, and not {action!r}."
            )
        return Answer({**self._told_time(), "instants": worked})

    def _told_time(self) -> dict[str, Json]:
        due = self._agenda.due_ms()
        return {
            "now": iso_text(self._clock.now_ms()),
            "frozen": self._clock.frozen,
            "aheadSeconds": self._clock.ahead_ms / 1000,
            "next": None if due is None else iso_text(due),
        }


def _instant(raw: Json) -> int:
    """Milliseconds of an ISO time; one without a zone is UTC. Raises code 1."""
    found = read_instant(str(raw))
    if found is None:
        raise errors.INVALID_REQUEST(
            f"An ISO time like 2026-01-31T08:00:00Z is wanted, got {raw!r}."
        )
    return found


def _seconds(raw: Json) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw <= MAX_ADVANCE:
        raise errors.INVALID_REQUEST(
            f"seconds must be a number from 0 to {MAX_ADVANCE:.0f}, got {raw!r}."
        )
    return float(raw)
