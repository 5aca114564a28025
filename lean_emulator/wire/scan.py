"""``/scan/classes``: a whole class, page by page (storage.md 3.9)."""

from lean_emulator.model.behaviour import USUAL, Behaviour
from lean_emulator.model.where_json import parse_keys, parse_query
from lean_emulator.service.objects import Wish
from lean_emulator.service.scan import Scans, scan_key
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route


class ScanHandlers:
    """Reads requests for the scan service."""

    def __init__(self, scans: Scans, behaviour: Behaviour = USUAL) -> None:
        self._scans = scans
        self._large_limit = behaviour.large_limit
        self._returns_acl = behaviour.returns_acl

    def routes(self) -> list[Route]:
        return [Route("GET", "/scan/classes/:class", self.page)]

    async def page(self, request: Request, class_name: str) -> Answer:
        params = request.params
        cursor = params.get("cursor")
        acl = self._returns_acl and request.flag("returnACL")
        wish = Wish(parse_keys(params.get("keys")), acl=acl)
        rows, following = await self._scans.page(
            request.call,
            parse_query(class_name, params, self._large_limit),
            scan_key(params),
            str(cursor) if cursor else None,
            wish,
        )
        return Answer({"results": [*rows], "cursor": following})
