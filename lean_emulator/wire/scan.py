"""``/scan/classes``: a whole class, page by page (storage.md 3.9)."""

from lean_emulator.model.where_json import parse_keys, parse_query
from lean_emulator.service.objects import Wish
from lean_emulator.service.scan import Scans, scan_key
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route


class ScanHandlers:
    """Reads requests for the scan service."""

    def __init__(self, scans: Scans) -> None:
        self._scans = scans

    def routes(self) -> list[Route]:
        return [Route("GET", "/scan/classes/:class", self.page)]

    async def page(self, request: Request, class_name: str) -> Answer:
        params = request.params
        cursor = params.get("cursor")
        wish = Wish(parse_keys(params.get("keys")), acl=request.flag("returnACL"))
        rows, following = await self._scans.page(
            request.call,
            parse_query(class_name, params),
            scan_key(params),
            str(cursor) if cursor else None,
            wish,
        )
        return Answer({"results": [*rows], "cursor": following})
