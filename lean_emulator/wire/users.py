"""Accounts: sign-up, log-in, the current user (storage.md 6)."""

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError
from lean_emulator.base.jsontext import Json
from lean_emulator.model.auth_data import touches_auth_data
from lean_emulator.model.operations import Set, Write
from lean_emulator.model.values import check_object_id
from lean_emulator.service.objects import Fields
from lean_emulator.service.third_party import ThirdParty
from lean_emulator.service.users import Users
from lean_emulator.service.verification import wrong_code
from lean_emulator.wire.objects import ObjectHandlers, guard_of, wants_fields
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route

_NAMES = {
    "username": (200, "Username is missing or empty."),
    "email": (204, "The email address is missing."),
    "mobilePhoneNumber": (212, "The mobile phone number is missing."),
}
"""What a user may log in by, and the error for an empty one."""


class UserHandlers:
    """Reads requests for the user service."""

    def __init__(self, users: Users, third_party: ThirdParty, objects: ObjectHandlers) -> None:
        self._users = users
        self._third_party = third_party
        self._objects = objects

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/users", self.sign_up),
            Route("POST", "/classes/_User", self.sign_up),
            Route("POST", "/login", self.log_in),
            Route("GET", "/login", self.log_in),
            Route("POST", "/usersByMobilePhone", self.sign_in_by_phone),
            Route("GET", "/users", self.find),
            Route("GET", "/users/me", self.me),
            Route("GET", "/users/strictlyQuery", self.find),
            Route("PUT", "/users/:id/refreshSessionToken", self.refresh_session_token),
            Route("PUT", "/users/:id/updatePassword", self.update_password),
            Route("GET", "/users/:id", self.get),
            Route("GET", "/classes/_User/:id", self.get),
            Route("PUT", "/classes/_User/:id", self.update),
            Route("PUT", "/users/:id", self.update),
            Route("DELETE", "/classes/_User/:id", self.delete),
            Route("DELETE", "/users/:id", self.delete),
        ]

    async def sign_up(self, request: Request, *_: str) -> Answer:
        write = dict(request.write())
        auth_data = write.pop("authData", None)
        if isinstance(auth_data, Set) and auth_data.value:
            return await self._sign_in_with(request, auth_data.value, write)
        user = await self._users.sign_up(request.hooked_call("_User"), write)
        return _created(await self._users.with_files(user))

    async def _sign_in_with(self, request: Request, auth_data: Json, write: Write) -> Answer:
        """By the account of another platform: 201 for who is new, 200 for who is known."""
        signed = await self._third_party.sign_in_with(
            request.hooked_call("_User"), auth_data, write, request.flag("failOnNotExist")
        )
        user = await self._users.with_files(signed.user)
        return _created(user) if signed.is_new else Answer(user)

    async def log_in(self, request: Request) -> Answer:
        """By name, address or number with the password, or by number with a code; a name wins."""
        given = {**request.params, **request.document()}
        name = next((name for name in _NAMES if isinstance(given.get(name), str)), None)
        if name is None or not given[name]:
            raise ApiError(*_NAMES[name or "username"])
        value = str(given[name])
        digits = given.get("smsCode")
        if name == "mobilePhoneNumber" and isinstance(digits, str) and not given.get("password"):
            user = await self._users.log_in_by_code(request.call, value, digits)
            return Answer(await self._users.with_files(user))
        password = given.get("password")
        if not isinstance(password, str) or not password:
            raise ApiError(201, "Password is missing or empty.")
        user = await self._users.log_in(request.call, name, value, password)
        return Answer(await self._users.with_files(user))

    async def sign_in_by_phone(self, request: Request) -> Answer:
        """Log in by number and code; who is new is signed up."""
        given = request.document()
        phone, digits = phone_in(given), given.get("smsCode")
        if not isinstance(digits, str):
            raise wrong_code()
        user, is_new = await self._users.sign_in_by_phone(
            request.hooked_call("_User"), phone, digits, request.write()
        )
        user = await self._users.with_files(user)
        return _created(user) if is_new else Answer(user)

    async def me(self, request: Request) -> Answer:
        """The user of the session; a dead or missing token is code 211."""
        user = request.call.principal.user
        if user is None:
            raise errors.USER_NOT_FOUND()
        shown = await self._users.with_files(self._users.seen(request.call.principal, dict(user)))
        return Answer({**shown, "sessionToken": user["sessionToken"]})

    async def refresh_session_token(self, request: Request, object_id: str) -> Answer:
        user = await self._users.refresh_session_token(request.call, object_id)
        return Answer(await self._users.with_files(user))

    async def update_password(self, request: Request, object_id: str) -> Answer:
        given = request.document()
        old = given.get("old_password")
        if not isinstance(old, str) or not old:
            raise ApiError(201, "The old password is missing or empty.")
        changed = await self._users.update_password(
            request.call, object_id, old, given.get("new_password")
        )
        return Answer(changed)

    async def get(self, request: Request, object_id: str) -> Answer:
        answer = await self._objects.get(request, "_User", object_id)
        if not answer.body:
            raise errors.USER_NOT_FOUND()
        return answer

    async def find(self, request: Request) -> Answer:
        return await self._objects.find(request, "_User")

    async def update(self, request: Request, object_id: str) -> Answer:
        check_object_id(object_id)
        write = request.write()
        service = self._third_party if touches_auth_data(write) else self._users
        updated = await service.update(
            request.hooked_call("_User"),
            object_id,
            write,
            guard=guard_of(request),
            fetch=wants_fields(request),
        )
        return Answer(updated)

    async def delete(self, request: Request, object_ids: str) -> Answer:
        """One id, or several joined by commas; the first refusal ends the list."""
        ids = [part for part in object_ids.split(",") if part]
        for object_id in ids:
            check_object_id(object_id)
        call, guard = request.hooked_call("_User"), guard_of(request)
        for object_id in ids:
            await self._users.delete(call, object_id, guard=guard)
        return Answer({})


def phone_in(given: Fields) -> str:
    """The phone number of a body. Raises code 212 without one."""
    phone = given.get("mobilePhoneNumber")
    if not isinstance(phone, str) or not phone:
        raise ApiError(*_NAMES["mobilePhoneNumber"])
    return phone


def _created(user: Fields) -> Answer:
    return Answer(user, 201, {"Location": f"/1.1/classes/_User/{user['objectId']}"})
