"""What users do by e-mail: prove an address, and get a new password (storage.md 6.7)."""

from collections.abc import Callable

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError, Hint
from lean_emulator.model.operations import Set
from lean_emulator.service.account_hooks import AccountHooks
from lean_emulator.service.account_options import AccountOptions
from lean_emulator.service.accounts import Accounts
from lean_emulator.service.call import Call
from lean_emulator.service.inbox import Inbox
from lean_emulator.service.objects import Fields
from lean_emulator.service.passwords import check_new_password
from lean_emulator.service.sessions import Sessions
from lean_emulator.service.verification import Link, Links, LinkUse, email_not_verified

LinkTo = Callable[[LinkUse, str], str]
"""The URL of the page for a token."""


class MailFlows:
    """Mails with links, and what the links do."""

    def __init__(
        self,
        accounts: Accounts,
        sessions: Sessions,
        links: Links,
        inbox: Inbox,
        hooks: AccountHooks,
        options: AccountOptions,
        link_to: LinkTo,
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._links = links
        self._inbox = inbox
        self._hooks = hooks
        self._options = options
        self._link_to = link_to

    def address_given(self, call: Call, user: Fields) -> None:
        """A user has a new address: ask it to prove it, where the application wants that."""
        if self._options.email_verification and isinstance(user.get("email"), str):
            self._ask_to_verify(call, user)

    async def request_verify(self, call: Call, email: str) -> None:
        """Mail the link once more; an address that is verified already gets none.

        Raises 205 for nobody's address, 119 where the application verifies none.
        """
        if not self._options.email_verification:
            raise errors.NOT_FOR_CLIENTS(
                "Email verification is not enabled for this application.",
                hint=Hint(
                    "`email_verification = true` in the settings turns it on.",
                    "在设置中写 `email_verification = true` 即可启用。",
                ),
            )
        user = await self._of_address(email)
        if user.get("emailVerified") is not True:
            self._ask_to_verify(call, user)

    async def verify(self, call: Call, token: str) -> Fields | None:
        """Follow a link: the user, whose address is verified now; ``None`` for a dead link.

        A link may be followed again, as mail programs do to look at it.
        """
        found = await self._live("verify", token)
        if found is None:
            return None
        user, _ = found
        if user.get("emailVerified") is True:
            return user
        verified = await self._accounts.change(
            call, str(user["objectId"]), {"emailVerified": Set(True)}
        )
        await self._hooks.on_verified(call, "email", verified)
        return verified

    async def request_reset(self, call: Call, email: str) -> None:
        """Mail a link to the page that takes a new password.

        Raises 205 for nobody's address, 216 for one not verified where that keeps from logging in.
        """
        user = await self._of_address(email)
        if self._options.login_needs_email and user.get("emailVerified") is not True:
            raise email_not_verified()
        link = self._link("reset", user)
        self._inbox.add(
            "mail",
            email,
            "Set a new password · 重设密码",
            f"Hello {user['username']},\n\nset your new password here: {link}\n"
            "The link works once, for a week.\n\n"
            f"{user['username']}，您好：\n\n请点击链接重设密码：{link}\n链接一周内有效，仅可使用一次。",
            link=link,
            detail={"use": "reset", "userId": user["objectId"]},
            trace=None if call.span is None else call.span.root.name,
        )

    async def may_reset(self, token: str) -> Fields | None:
        """The user whose password a link can set, ``None`` for a dead link."""
        found = await self._live("reset", token)
        return None if found is None else found[0]

    async def reset(self, call: Call, token: str, password: str) -> Fields | None:
        """Set the password by a link, which is spent then; ``None`` for a dead link.

        Raises 201 and 218 for no password and a blank one; the link still works then.
        """
        check_new_password(password)
        found = await self._live("reset", token)
        if found is None:
            return None
        self._links.spend(token)
        return await self._sessions.reset_password(call, found[1].user_id, password)

    async def _live(self, use: LinkUse, token: str) -> tuple[Fields, Link] | None:
        link = self._links.find(use, token)
        user = None if link is None else await self._accounts.get(link.user_id)
        if link is None or user is None or _proof(use, user) != link.proof:
            return None
        return user, link

    async def _of_address(self, email: str) -> Fields:
        user = await self._accounts.by("email", email)
        if user is None:
            raise ApiError(205, "Could not find a user with this email address.")
        return user

    def _ask_to_verify(self, call: Call, user: Fields) -> None:
        link = self._link("verify", user)
        self._inbox.add(
            "mail",
            str(user["email"]),
            "Please confirm your address · 验证邮箱",
            f"Hello {user['username']},\n\nplease confirm that this address is yours: {link}\n"
            "The link works for a week.\n\n"
            f"{user['username']}，您好：\n\n请点击链接验证邮箱：{link}\n链接一周内有效。",
            link=link,
            detail={"use": "verify", "userId": user["objectId"]},
            trace=None if call.span is None else call.span.root.name,
        )

    def _link(self, use: LinkUse, user: Fields) -> str:
        token = self._links.issue(use, str(user["objectId"]), _proof(use, user))
        return self._link_to(use, token)


def _proof(use: LinkUse, user: Fields) -> str:
    """What ends a link when it changes: the address, or the password it is to replace."""
    return str(user.get("email") if use == "verify" else user.get("salt"))
