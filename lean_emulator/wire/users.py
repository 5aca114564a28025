"""Accounts: sign-up, log-in, the current user (storage.md 6)."""

from dataclasses import replace

from lean_emulator.base import errors
from lean_emulator.base.errors import ApiError, DuplicateValue
from lean_emulator.base.jsontext import Json
from lean_emulator.model.auth_data import touches_auth_data
from lean_emulator.model.document import without
from lean_emulator.model.operations import Set, Write
from lean_emulator.service.third_party import ThirdParty
from lean_emulator.service.users import SERVER_SET, Users, taken
from lean_emulator.wire.objects import ObjectHandlers, guard_of, wants_fields
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route

_NAMES = ("username", "email", "mobilePhoneNumber")


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
            Route("GET", "/users", self.find),
            Route("GET", "/users/me", self.me),
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
        return Answer(user, 201, {"Location": f"/1.1/classes/_User/{user['objectId']}"})

    async def _sign_in_with(self, request: Request, auth_data: Json, write: Write) -> Answer:
        """By the account of another platform: 201 for who is new, 200 for who is known."""
        signed = await self._third_party.sign_in_with(
            request.hooked_call("_User"), auth_data, write, request.flag("failOnNotExist")
        )
        if not signed.is_new:
            return Answer(signed.user)
        location = f"/1.1/classes/_User/{signed.user['objectId']}"
        return Answer(signed.user, 201, {"Location": location})

    async def log_in(self, request: Request) -> Answer:
        given = {**request.params, **request.document()}
        name = next((name for name in _NAMES if isinstance(given.get(name), str)), None)
        if name is None:
            raise ApiError(200, "Username is missing or empty.")
        password = given.get("password")
        if not isinstance(password, str) or not password:
            raise ApiError(201, "Password is missing or empty.")
        return Answer(await self._users.log_in(request.call, name, str(given[name]), password))

    async def me(self, request: Request) -> Answer:
        """The user of the session; a dead or missing token is code 211."""
        user = request.call.principal.user
        if user is None:
            raise errors.USER_NOT_FOUND()
        shown = self._users.seen(request.call.principal, dict(user))
        return Answer({**shown, "sessionToken": user["sessionToken"]})

    async def get(self, request: Request, object_id: str) -> Answer:
        answer = await self._objects.get(request, "_User", object_id)
        if not answer.body:
            raise errors.USER_NOT_FOUND()
        return answer

    async def find(self, request: Request) -> Answer:
        return await self._objects.find(request, "_User")

    async def update(self, request: Request, object_id: str) -> Answer:
        self._own(request, object_id)
        if "password" in request.document():
            raise errors.NOT_BUILT("lean-emu cannot change a user's password yet.")
        own = replace(request, body=without(request.document(), SERVER_SET))
        write = own.write()
        try:
            if touches_auth_data(write):
                return Answer(
                    await self._third_party.update(
                        own.hooked_call("_User"),
                        object_id,
                        write,
                        guard=guard_of(own),
                        fetch=wants_fields(own),
                    )
                )
            return await self._objects.update(own, "_User", object_id)
        except DuplicateValue as e:
            raise taken(e.field) from e

    async def delete(self, request: Request, object_id: str) -> Answer:
        self._own(request, object_id)
        return await self._objects.delete(request, "_User", object_id)

    def _own(self, request: Request, object_id: str) -> None:
        """Only a user's own session and the master key may change a user (code 206)."""
        principal = request.call.principal
        if not principal.is_master and principal.user_id != object_id:
            raise ApiError(206, "The user cannot be altered by a client without the session.")
