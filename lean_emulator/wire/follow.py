"""Followers, followees, friends: below ``/users/:id`` (storage.md 6.9, 6.10)."""

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.model.operations import Operation, parse_write
from lean_emulator.model.where_json import parse_include, parse_keys, parse_query
from lean_emulator.service.follow import Follow, Follows, acting_user, named_user
from lean_emulator.service.friends import Blocklist, FriendRequests, required_user
from lean_emulator.service.objects import Page, Wish
from lean_emulator.wire.objects import ObjectHandlers
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route

_SERVER_SET = ("user", "follower", "followee", "ACL")
"""Columns of a row that no attribute can be called."""


class FollowHandlers:
    """Reads requests for the follow service."""

    def __init__(self, follows: Follows, objects: ObjectHandlers) -> None:
        self._follows = follows
        self._objects = objects

    def routes(self) -> list[Route]:
        pair = "/users/:id/friendship/:target"
        return [
            Route("POST", pair, self.follow),
            Route("PUT", pair, self.change),
            Route("DELETE", pair, self.unfollow),
            Route("GET", "/users/:id/followers", self.followers),
            Route("GET", "/users/:id/followees", self.followees),
            Route("GET", "/users/:id/followersAndFollowees", self.both),
            Route("GET", "/users/:id/mutualFollowees", self.mutual),
            Route("GET", "/users/:id/friends", self.friends),
            Route("GET", "/followers", self.all_followers),
            Route("GET", "/followees", self.all_followees),
        ]

    async def follow(self, request: Request, user: str, target: str) -> Answer:
        follow = Follow(acting_user(request.call, user), target)
        await self._follows.follow(request.call, follow, attributes(request.body))
        return Answer({})

    async def change(self, request: Request, user: str, target: str) -> Answer:
        follow = Follow(acting_user(request.call, user), target)
        return Answer(await self._follows.change(request.call, follow, _wrapped(request)))

    async def unfollow(self, request: Request, user: str, target: str) -> Answer:
        follow = Follow(acting_user(request.call, user), target)
        await self._follows.unfollow(request.call, follow)
        return Answer({})

    async def followers(self, request: Request, user: str) -> Answer:
        return _listed(await self._related(request, "_Follower", user))

    async def followees(self, request: Request, user: str) -> Answer:
        return _listed(await self._related(request, "_Followee", user))

    async def both(self, request: Request, user: str) -> Answer:
        """Both lists at once; ``skip`` and ``limit`` hold for each."""
        body: dict[str, Json] = {}
        for name, class_name in (("followers", "_Follower"), ("followees", "_Followee")):
            page = await self._related(request, class_name, user)
            body[name] = [*page.results]
            if page.count is not None:
                body[f"{name}_count"] = page.count
        return Answer(body)

    async def mutual(self, request: Request, user: str) -> Answer:
        return _listed(
            await self._follows.mutual(
                request.call,
                named_user(request.call.principal, user),
                parse_query("_Followee", request.params),
                wish_of(request),
                count=request.flag("count"),
            )
        )

    async def friends(self, request: Request, user: str) -> Answer:
        return _listed(
            await self._follows.friends(
                request.call,
                acting_user(request.call, user),
                parse_query("_Followee", request.params),
                wish_of(request),
                count=request.flag("count"),
            )
        )

    async def all_followers(self, request: Request) -> Answer:
        return await self._objects.find(request, "_Follower")

    async def all_followees(self, request: Request) -> Answer:
        return await self._objects.find(request, "_Followee")

    async def _related(self, request: Request, class_name: str, user: str) -> Page:
        return await self._follows.related(
            request.call,
            class_name,
            named_user(request.call.principal, user),
            parse_query(class_name, request.params),
            wish_of(request),
            count=request.flag("count"),
        )


class FriendHandlers:
    """Reads friend requests, and the blocklist of the session's user."""

    def __init__(
        self, friends: FriendRequests, blocklist: Blocklist, objects: ObjectHandlers
    ) -> None:
        self._friends = friends
        self._blocklist = blocklist
        self._objects = objects

    def routes(self) -> list[Route]:
        return [
            *self._of_requests("/users/friendshipRequests"),
            *self._of_requests("/friendshipRequests"),
            Route("POST", "/classes/_FriendshipRequest", self.ask),
            Route("POST", "/users/:id/friendBlocklist/:blocked", self.block),
            Route("DELETE", "/users/:id/friendBlocklist/:blocked", self.unblock),
            Route("GET", "/users/:id/friendBlocklist", self.blocked),
        ]

    def _of_requests(self, path: str) -> list[Route]:
        return [
            Route("POST", path, self.ask),
            Route("GET", path, self.find),
            Route("GET", f"{path}/:id", self.get),
            Route("DELETE", f"{path}/:id", self.delete),
            Route("PUT", f"{path}/:id", self.update),
            Route("PUT", f"{path}/:id/accept", self.accept),
            Route("PUT", f"{path}/:id/decline", self.decline),
        ]

    async def ask(self, request: Request) -> Answer:
        """``user`` asks ``friend``; the session must be that of ``user``."""
        body = request.document()
        user = acting_user(request.call, required_user(body.get("user"), "user"))
        asked = await self._friends.ask(
            request.call,
            user,
            required_user(body.get("friend"), "friend"),
            attributes(body.get("friendship")),
        )
        location = f"/1.1/classes/_FriendshipRequest/{asked['objectId']}"
        return Answer(asked, 201, {"Location": location})

    async def accept(self, request: Request, request_id: str) -> Answer:
        wanted = attributes(request.document().get("friendship"))
        return Answer(await self._friends.accept(request.call, request_id, wanted))

    async def decline(self, request: Request, request_id: str) -> Answer:
        return Answer(await self._friends.decline(request.call, request_id))

    async def find(self, request: Request) -> Answer:
        return await self._objects.find(request, "_FriendshipRequest")

    async def get(self, request: Request, request_id: str) -> Answer:
        return await self._objects.get(request, "_FriendshipRequest", request_id)

    async def delete(self, request: Request, request_id: str) -> Answer:
        return await self._objects.delete(request, "_FriendshipRequest", request_id)

    async def update(self, request: Request, request_id: str) -> Answer:
        return await self._objects.update(request, "_FriendshipRequest", request_id)

    async def block(self, request: Request, user: str, blocked: str) -> Answer:
        owner = acting_user(request.call, user)
        await self._blocklist.block(request.call, owner, blocked)
        return Answer({})

    async def unblock(self, request: Request, user: str, blocked: str) -> Answer:
        owner = acting_user(request.call, user)
        await self._blocklist.unblock(request.call, owner, blocked)
        return Answer({})

    async def blocked(self, request: Request, user: str) -> Answer:
        return _listed(
            await self._blocklist.page(
                request.call,
                acting_user(request.call, user),
                parse_query("_Blocklist", request.params),
                wish_of(request),
                count=request.flag("count"),
            )
        )


def wish_of(request: Request) -> Wish:
    """How the reader wants the rows of a list."""
    params = request.params
    return Wish(
        parse_keys(params.get("keys")),
        parse_include(params.get("include")),
        request.flag("returnACL"),
    )


def attributes(raw: Json) -> dict[str, Operation]:
    """What a client says of a relationship, less what only the server sets.

    Nothing and ``null`` are no attributes. Raises code 107 for what is no object.
    """
    if raw is None or raw == []:
        return {}
    if not isinstance(raw, dict):
        raise errors.INVALID_JSON("Attributes of a friendship must be a JSON object.")
    return parse_write({name: value for name, value in raw.items() if name not in _SERVER_SET})


def _wrapped(request: Request) -> dict[str, Operation]:
    """Attributes as the body, or as its member ``friendship`` as newer SDKs send them."""
    body = request.document()
    return attributes(body["friendship"] if set(body) == {"friendship"} else body)


def _listed(page: Page) -> Answer:
    body: dict[str, Json] = {"results": [*page.results]}
    if page.count is not None:
        body["count"] = page.count
    return Answer(body)
