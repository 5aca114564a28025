"""What browsers want to hear before they let a page call us (storage.md 1.6)."""

from collections.abc import Mapping

_HEADERS = ", ".join(
    [
        "Content-Type", "Origin", "X-Requested-With", "X-LC-Id", "X-LC-Key", "X-LC-Sign",
        "X-LC-Session", "X-LC-Prod", "X-LC-UA", "X-LC-Hook-Key", "X-LC-IM-Session-Token",
        "X-AVOSCloud-Application-Id", "X-AVOSCloud-Application-Key", "X-AVOSCloud-Request-Sign",
        "X-AVOSCloud-Session-Token", "X-AVOSCloud-Application-Production",
        "X-AVOSCloud-Client-Version", "X-Uluru-Application-Id", "X-Uluru-Application-Key",
        "X-Uluru-Application-Production", "X-Uluru-Client-Version", "X-Uluru-Session-Token",
        "Cache-Control", "Authorization",
    ]
)  # fmt: skip


def preflight(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of the answer to an ``OPTIONS`` request."""
    return {
        "Access-Control-Allow-Origin": headers.get("Origin", "*"),
        "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH",
        "Access-Control-Allow-Headers": headers.get("Access-Control-Request-Headers") or _HEADERS,
        "Access-Control-Max-Age": "86400",
        "Vary": "Origin, Access-Control-Request-Headers",
    }


def allowed(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of any other answer; nothing for requests that come from no page."""
    if "Origin" not in headers:
        return {}
    return {
        "Access-Control-Allow-Origin": headers["Origin"],
        "Access-Control-Expose-Headers": "X-Lean-Emu-Trace, Location",
        "Vary": "Origin",
    }
