"""Session tokens: whose one is, and when a user gets another (storage.md 6.4)."""

from lean_emulator.base.ids import Ids
from lean_emulator.model.operations import Operation, Set
from lean_emulator.service.accounts import Accounts
from lean_emulator.service.call import Call
from lean_emulator.service.objects import Fields
from lean_emulator.service.passwords import Lockout, Passwords


class Sessions:
    """One token per user; who gets a new one is signed out everywhere else."""

    def __init__(
        self, accounts: Accounts, passwords: Passwords, lockout: Lockout, ids: Ids
    ) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._lockout = lockout
        self._ids = ids

    async def of_token(self, token: str) -> Fields | None:
        """The stored user a session token belongs to, ``None`` for a dead one."""
        return await self._accounts.by("sessionToken", token) if token else None

    def fresh(self) -> dict[str, Operation]:
        """The operation that gives a user a new token."""
        return {"sessionToken": Set(self._ids.session_token())}

    async def refresh(self, call: Call, user_id: str) -> Fields:
        """Give a user a new token; answers the user as stored."""
        return await self._accounts.change(call, user_id, self.fresh())

    async def reset_password(self, call: Call, user_id: str, password: str) -> Fields:
        """A new password for who forgot it: a new token, too, and no failure is remembered."""
        write = {**await self._passwords.write(password), **self.fresh()}
        changed = await self._accounts.change(call, user_id, write)
        self._lockout.forget(user_id)
        return changed
