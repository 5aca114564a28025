"""Users in tests of accounts: what was sent to them, and who they are in a request."""

from typing import Any

import aiohttp

from lean_emulator.service.inbox import Message
from tests.support.api import CLIENT, Api

PHONE = "+8613800000000"
EMAIL = "ann@example.com"
ANN = {"username": "ann", "password": "pw-of-ann", "email": EMAIL, "mobilePhoneNumber": PHONE}
BOB = {"username": "bob", "password": "pw-of-bob"}


def session_of(user: Any) -> dict[str, str]:
    """Headers of a client that signed in as the user of an answer."""
    return {**CLIENT, "X-LC-Session": user["sessionToken"]}


async def signed_up(api: Api, fields: dict[str, Any]) -> Any:
    """A new user as its sign-up answers it; the inbox is empty then."""
    answer = await api("POST", "/1.1/users", fields)
    assert answer.status == 201, answer.json
    api.emulator.inbox.clear()
    return answer.json


async def verified_phone(api: Api) -> None:
    """Prove the number of ``ANN``, and let a minute pass so that it can get another message."""
    await api("POST", "/1.1/requestMobilePhoneVerify", {"mobilePhoneNumber": PHONE})
    verified = await api("POST", f"/1.1/verifyMobilePhone/{code_in(api)}")
    assert verified.status == 200, verified.json
    api.emulator.inbox.clear()
    api.clock.advance(61)


def sent(api: Api) -> Message:
    """The one message that was sent since the inbox was empty."""
    (message,) = api.emulator.inbox.messages()
    return message


def code_in(api: Api) -> str:
    code = sent(api).code
    assert code is not None
    return code


def path_in(api: Api) -> str:
    """The path of the link that was mailed."""
    link = sent(api).link
    assert link is not None
    return link.removeprefix(api.emulator.api_url)


async def post_form(api: Api, path: str, headers: Any = None, **fields: str) -> tuple[int, str]:
    """What a browser posts from a page of ours: status and page."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(api.emulator.api_url + path, data=fields, headers=headers) as answer,
    ):
        return answer.status, await answer.text()
