"""The old upload in one request: ``POST /files/<name>``, the bytes as its body (storage.md 8.1).

Such a body is read as the JSON that the same endpoint takes, so that nothing behind it differs.
"""

import base64
from collections.abc import Mapping

from lean_emulator.base.jsontext import Json

_JSON = ("application/json", "text/plain")
"""What JSON comes as; ``text/plain`` may be either (storage.md 1.3)."""


def direct_upload(
    method: str, path: tuple[str, ...], headers: Mapping[str, str], body: bytes
) -> dict[str, Json] | None:
    """The body as JSON with ``base64`` and ``mime_type``; ``None`` for any other request."""
    if method != "POST" or len(path) != 2 or path[0] != "files":
        return None
    kind = headers.get("Content-Type", "").strip()
    plain = kind.partition(";")[0].strip().lower()
    if plain == _JSON[0] or (plain == _JSON[1] and body.lstrip().startswith(b"{")):
        return None
    return {"base64": base64.b64encode(body).decode(), "mime_type": kind}
