"""``/batch/save``: how the Swift, Objective-C and Java SDKs save (storage.md 3.8)."""

from dataclasses import replace
from functools import partial

from lean_emulator.base import errors
from lean_emulator.base.errors import DuplicateValue
from lean_emulator.base.jsontext import Json
from lean_emulator.model.auth_data import AuthData, touches_auth_data
from lean_emulator.model.file_record import CLASS as FILE_CLASS
from lean_emulator.model.operations import Write
from lean_emulator.model.values import check_object_id
from lean_emulator.model.where_json import truth
from lean_emulator.service.accounts import taken
from lean_emulator.service.call import Call
from lean_emulator.service.compound import Child, Compound, Entry
from lean_emulator.service.installations import Installations
from lean_emulator.service.objects import Fields
from lean_emulator.service.third_party import ThirdParty
from lean_emulator.service.users import Users, without_secrets
from lean_emulator.storage.contract import Committed
from lean_emulator.wire.batch import MAX_REQUESTS, read_member
from lean_emulator.wire.objects import guard_of, wants_fields
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route

_SHORT_PATHS = {
    "users": "_User",
    "roles": "_Role",
    "installations": "_Installation",
    "files": "_File",
    "statuses": "_Status",
}


class BatchSaveHandlers:
    """Reads compound saves."""

    def __init__(
        self,
        compound: Compound,
        users: Users,
        third_party: ThirdParty,
        installations: Installations,
    ) -> None:
        self._compound = compound
        self._users = users
        self._third_party = third_party
        self._installations = installations

    def routes(self) -> list[Route]:
        return [Route("POST", "/batch/save", self.save)]

    async def save(self, request: Request) -> Answer:
        """One answer per internal id; any refusal refuses the whole, and nothing is saved."""
        members = request.document().get("requests")
        if not isinstance(members, list) or len(members) > MAX_REQUESTS:
            raise errors.INVALID_REQUEST(
                f"A batch wants a list named 'requests' with at most {MAX_REQUESTS} members."
            )
        asked = [await self._registered(_entry(request, member)) for member in members]
        linked: dict[str, AuthData] = {}
        entries = await self._as_accounts(asked, linked)
        commit = partial(self._third_party.commit, linked=linked) if linked else None
        try:
            return Answer({**await self._compound.save(request.call, entries, commit)})
        except DuplicateValue as e:
            if any(entry.class_name == "_User" for entry in entries):
                raise taken(e.field) from e
            raise

    async def _registered(self, entry: Entry) -> Entry:
        """A device that registers again as a change of its row (storage.md 9.1)."""
        if entry.class_name != "_Installation" or entry.object_id is not None:
            return entry
        known = await self._installations.known(entry.write)
        return entry if known is None else replace(entry, object_id=str(known["objectId"]))

    async def _as_accounts(self, entries: list[Entry], linked: dict[str, AuthData]) -> list[Entry]:
        """The entries, those of users made into sign-ups and changes of accounts.

        ``linked`` is filled with the accounts of other platforms that users get.
        """
        ready: list[Entry] = []
        signing_up: set[str] = set()
        for entry in entries:
            if entry.class_name != "_User":
                ready.append(entry)
                continue
            is_new = entry.object_id is None or entry.internal_id in signing_up
            if is_new and any(path.partition(".")[0] == "authData" for path in entry.write):
                raise errors.NOT_BUILT(
                    "lean-emu does not sign up by authData through /batch/save yet."
                )
            if entry.internal_id in signing_up:
                ready.append(replace(entry, write=without_secrets(entry.write)))
            elif entry.object_id is None:
                signing_up.add(entry.internal_id)
                ready.append(await self._sign_up(entry))
            else:
                ready.append(await self._change(entry, entry.object_id, linked))
        return ready

    async def _sign_up(self, entry: Entry) -> Entry:
        def welcome(call: Call, done: Committed) -> Fields:
            assert done.after is not None
            return self._users.welcome(call, done.after)

        fields = await self._users.new_user(entry.call.principal, entry.write)
        return replace(entry, write=fields, follow=welcome)

    async def _change(self, entry: Entry, user_id: str, linked: dict[str, AuthData]) -> Entry:
        def updated(call: Call, done: Committed) -> Fields:
            self._users.updated(call, done)
            return {}

        if touches_auth_data(entry.write):
            (named, added), accounts = await self._third_party.changes(
                entry.call, user_id, entry.write
            )
            linked[user_id] = {**linked.get(user_id, {}), **accounts}
        else:
            named, added = await self._users.changes(entry.call, user_id, entry.write)
        return replace(entry, write=named, added=added, follow=updated)


def _entry(batch: Request, member: Json) -> Entry:
    inner, written, _ = read_member(batch, member)
    assert isinstance(member, dict)
    class_name, object_id = _target(inner.path, written)
    body = inner.document()
    internal_id = body.get("__internalId") or object_id
    if not isinstance(internal_id, str):
        raise errors.INVALID_REQUEST(f"{written}: a new object wants an __internalId.")
    is_new = object_id is None or truth(member.get("new"))
    return Entry(
        inner.hooked_call(class_name),
        class_name,
        internal_id,
        None if is_new else object_id,
        _without_keys(inner.write()) if class_name == FILE_CLASS else inner.write(),
        _children(body.get("__children")),
        guard_of(inner),
        wants_fields(inner),
    )


def _without_keys(write: Write) -> Write:
    """What a save says of a file; where its content lies is not for a client to say."""
    return {name: operation for name, operation in write.items() if name not in ("key", "bucket")}


def _target(path: tuple[str, ...], written: str) -> tuple[str, str | None]:
    if path and path[0] in _SHORT_PATHS:
        path = ("classes", _SHORT_PATHS[path[0]], *path[1:])
    match path:
        case ("classes", class_name):
            return class_name, None
        case ("classes", class_name, object_id):
            check_object_id(object_id)
            return class_name, object_id
        case _:
            raise errors.INVALID_REQUEST(f"/batch/save cannot save to '{written}'.")


def _children(raw: Json) -> tuple[Child, ...]:
    if raw is None:
        return ()
    children = []
    for item in raw if isinstance(raw, list) else [raw]:
        named = item if isinstance(item, dict) else {}
        field, class_name, cid = (named.get(key) for key in ("key", "className", "cid"))
        if not (isinstance(field, str) and isinstance(class_name, str) and isinstance(cid, str)):
            raise errors.INVALID_REQUEST("A member of __children wants key, className and cid.")
        children.append(Child(field, class_name, cid))
    return tuple(children)
