"""User code that calls back: what an SDK inside a hook or function does, as a fake handler does it.

A request that comes from inside a call carries the hook key and, as the boot script would tag it,
the id of that call.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.support.api import ENGINE, KEYS, MASTER, Api, WireAnswer
from tests.support.fake_engine import Handler, refuse

Ask = Callable[..., Awaitable[WireAnswer]]
"""Sends a request from inside the current call: method, path, body."""

Code = Callable[[dict[str, Any], Ask], Awaitable[Any]]
"""A hook or function that can call back; it is given the request's JSON and a way to ask."""


class CodeClient:
    """Makes handlers out of code that calls back into one emulator.

    ``tagged=False`` is code that no boot script helps: its requests carry no call id.
    """

    def __init__(self, *, tagged: bool = True, master: bool = False) -> None:
        self.api: Api | None = None
        self.answers: list[WireAnswer] = []
        self._headers = {**(MASTER if master else ENGINE), "X-LC-Hook-Key": KEYS.hook_key}
        self._tagged = tagged

    def handler(self, code: Code) -> Handler:
        async def handle(given: dict[str, Any]) -> Any:
            assert self.api is not None
            call_id = self.api.engine.received[-1].call_id
            return await code(given, self._ask(call_id))

        return handle

    def _ask(self, call_id: str | None) -> Ask:
        headers = dict(self._headers)
        if self._tagged and call_id is not None:
            headers["X-Lean-Emu-Call"] = call_id

        async def ask(method: str, path: str, body: Any = None) -> WireAnswer:
            assert self.api is not None
            answer = await self.api(method, path, body, headers=headers)
            self.answers.append(answer)
            return answer

        return ask


def or_refuse(answer: WireAnswer, value: Any) -> Any:
    """As the SDK does it: an error answer is raised in the hook, which then refuses."""
    if answer.status >= 400:
        text = f"{answer.json['error']} [{answer.json['code']}]"
        return refuse(text, 400, answer.json["code"])
    return value
