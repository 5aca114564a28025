"""What users do by short message: prove a number, change it, reset a password (storage.md 6.8)."""

from lean_emulator.model.contact import international
from lean_emulator.model.operations import Set
from lean_emulator.service.account_hooks import AccountHooks
from lean_emulator.service.account_options import AccountOptions
from lean_emulator.service.accounts import Accounts, nobody, taken
from lean_emulator.service.call import Call
from lean_emulator.service.objects import Fields
from lean_emulator.service.passwords import check_new_password
from lean_emulator.service.sessions import Sessions
from lean_emulator.service.short_messages import ShortMessages, Wording
from lean_emulator.service.verification import Codes, phone_not_verified, wrong_code

CHANGE_MINUTES = 6.0
"""How long the code for a new number works unless the client says otherwise."""


class PhoneFlows:
    """Messages with codes, and what the codes do."""

    def __init__(
        self,
        accounts: Accounts,
        sessions: Sessions,
        codes: Codes,
        messages: ShortMessages,
        hooks: AccountHooks,
        options: AccountOptions,
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._codes = codes
        self._messages = messages
        self._hooks = hooks
        self._options = options

    def number_given(self, call: Call, user: Fields) -> None:
        """A user has a new number: send a code to it, where the application wants that."""
        number = user.get("mobilePhoneNumber")
        if self._options.phone_verification and isinstance(number, str):
            self._messages.send(call, "verify", international(number))

    async def request_code(self, call: Call, phone: str, wording: Wording) -> None:
        """Send a code that has nothing to do with accounts. Raises what sending raises, and 127."""
        self._messages.send(call, "general", international(phone), wording)

    async def check_code(self, phone: str, digits: str) -> None:
        """Use up such a code. Raises 603 for a wrong one."""
        self._codes.redeem(international(phone), digits, "general")

    async def request_verify(self, call: Call, phone: str) -> None:
        """Send the code that proves a number; one that is verified already gets none.

        Raises 213 for nobody's number.
        """
        user = await self._of_number(phone)
        if user.get("mobilePhoneVerified") is not True:
            self._messages.send(call, "verify", international(phone))

    async def verify(self, call: Call, phone: str | None, digits: str) -> Fields:
        """Prove a number; without one, the code tells which. Raises 603, and 213 for nobody's."""
        code = self._codes.redeem(phone and international(phone), digits, "verify")
        user = await self._of_number(code.phone)
        verified = await self._accounts.change(
            call, str(user["objectId"]), {"mobilePhoneVerified": Set(True)}
        )
        if user.get("mobilePhoneVerified") is not True:
            await self._hooks.on_verified(call, "sms", verified)
        return verified

    async def request_login(self, call: Call, phone: str) -> None:
        """Send a code to log in with. Raises 213 for nobody's number, 215 for one not verified."""
        user = await self._of_number(phone)
        if user.get("mobilePhoneVerified") is not True:
            raise phone_not_verified()
        self._messages.send(call, "login", international(phone))

    async def request_reset(self, call: Call, phone: str, minutes: float) -> None:
        """Send a code to set a password with. Raises 213 for nobody's number, 215 for one that is
        not verified where the application wants that.
        """
        user = await self._of_number(phone)
        if not (self._options.reset_by_unverified_phone or user.get("mobilePhoneVerified") is True):
            raise phone_not_verified()
        self._messages.send(call, "reset", international(phone), Wording(minutes=minutes))

    async def reset(self, call: Call, phone: str | None, digits: str, given: object) -> Fields:
        """Set the password by a code; without a number, the code tells whose.

        Raises 201 and 218 for no password and a blank one, 603 for a wrong code.
        """
        password = check_new_password(given)
        code = self._codes.redeem(phone and international(phone), digits, "reset")
        user = await self._of_number(code.phone)
        return await self._sessions.reset_password(call, str(user["objectId"]), password)

    async def request_change(self, call: Call, phone: str, minutes: float) -> None:
        """Send a code to a number that the session's user wants to have.

        Raises 206 without a session, 214 for another's number.
        """
        user_id, number = await self._accounts.own_id(call), international(phone)
        await self._refuse_others(user_id, number)
        self._messages.send(call, "change", number, Wording(minutes=minutes), user_id)

    async def change(self, call: Call, user_id: str | None, phone: str, digits: str) -> Fields:
        """Give the number to who asked for the code: it is verified then.

        ``user_id`` is the session's user, ``None`` without one. Raises 603 for a code that is
        wrong or another's, 214 when somebody else has the number by now.
        """
        number = international(phone)
        code = self._codes.redeem(number, digits, "change")
        owner = code.user_id or user_id
        if owner is None or (user_id is not None and user_id != owner):
            raise wrong_code()
        await self._refuse_others(owner, number)
        return await self._accounts.change(
            call,
            owner,
            {"mobilePhoneNumber": Set(phone), "mobilePhoneVerified": Set(True)},
        )

    async def _refuse_others(self, user_id: str, number: str) -> None:
        holder = await self._accounts.by("mobilePhoneNumber", number)
        if holder is not None and holder["objectId"] != user_id:
            raise taken("mobilePhoneNumber")

    async def _of_number(self, phone: str) -> Fields:
        user = await self._accounts.by("mobilePhoneNumber", phone)
        if user is None:
            raise nobody("mobilePhoneNumber")
        return user
