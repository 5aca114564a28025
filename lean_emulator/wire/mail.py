"""Asking for mails with links (storage.md 6.7); the links lead to ``account_pages``."""

from lean_emulator.base.errors import ApiError
from lean_emulator.service.mail_flows import MailFlows
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route


class MailHandlers:
    """Reads requests about e-mail addresses."""

    def __init__(self, mails: MailFlows) -> None:
        self._mails = mails

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/requestEmailVerify", self.request_verify),
            Route("POST", "/requestPasswordReset", self.request_reset),
        ]

    async def request_verify(self, request: Request) -> Answer:
        await self._mails.request_verify(request.call, _email_in(request))
        return Answer({})

    async def request_reset(self, request: Request) -> Answer:
        await self._mails.request_reset(request.call, _email_in(request))
        return Answer({})


def _email_in(request: Request) -> str:
    email = request.document().get("email")
    if not isinstance(email, str) or not email:
        raise ApiError(204, "The email address is missing.")
    return email
