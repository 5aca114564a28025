"""What links in mails lead to, and the pictures of captchas: open addresses, no keys needed.

The token in an address is its only key. Whoever has it may use the form, so no page of another
site can: it neither knows the token nor may it frame the page or post to it.
"""

import base64
import hashlib
from collections.abc import Mapping
from urllib.parse import urlsplit

import jinja2
from aiohttp import web

from lean_emulator.assets import assets_dir
from lean_emulator.base.clock import Clock
from lean_emulator.base.deadline import Deadline
from lean_emulator.base.errors import ApiError, Hint
from lean_emulator.base.trace import EventLog, Span
from lean_emulator.model.access import ANONYMOUS
from lean_emulator.service.call import Call
from lean_emulator.service.captcha import Captchas
from lean_emulator.service.mail_flows import MailFlows
from lean_emulator.service.verification import LinkUse

_PAGES: Mapping[LinkUse, str] = {"verify": "verifyEmail", "reset": "resetPassword"}
_PICTURE = "/1.1/captchaImage"
_VERSIONS = ("/1.1/", "/1/")
_MAX_FORM = 64 * 1024
"""Bytes of a form with two passwords in it."""

_SECONDS = 60.0
_DIFFERENT = Hint("The two are not the same.", "两次输入的密码不一致。")
_NO_PASSWORD = Hint("A password cannot be empty or blank.", "密码不能为空。")


def link_path(use: LinkUse, token: str) -> str:
    """Where the page for a mailed token is."""
    return f"/1.1/{_PAGES[use]}/{token}"


def picture_path(app_id: str, token: str) -> str:
    """Where the picture of a captcha is."""
    return f"{_PICTURE}?appId={app_id}&token={token}"


class AccountPages:
    """Answers browsers; each visit of a link is a request in the trace, its token is not."""

    def __init__(self, mails: MailFlows, captchas: Captchas, log: EventLog, clock: Clock) -> None:
        self._mails = mails
        self._captchas = captchas
        self._log = log
        self._clock = clock
        folder = assets_dir("templates") / "account"
        self._style = (folder / "style.css").read_text("utf-8")
        self._headers = _headers(self._style)
        self._env = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folder),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )

    def raw_routes(self) -> list[web.RouteDef]:
        routes = [web.get(_PICTURE, self.picture)]
        for version in _VERSIONS:
            for method in ("GET", "POST"):
                routes += [
                    web.route(method, f"{version}{_PAGES['verify']}/", self.verify),
                    web.route(method, f"{version}{_PAGES['reset']}/", self.reset),
                ]
        return routes

    async def verify(self, request: web.BaseRequest) -> web.StreamResponse:
        """Mark the address as verified."""
        call = self._call(request, "verify")
        user = await self._mails.verify(call, _token(request))
        if user is None:
            return self._page(call, "dead.html", 404)
        return self._page(call, "verified.html", 200, user=user)

    async def reset(self, request: web.BaseRequest) -> web.StreamResponse:
        """The form for a new password, and what it sends."""
        call = self._call(request, "reset")
        token = _token(request)
        user = await self._mails.may_reset(token)
        if user is None:
            return self._page(call, "dead.html", 404)
        if request.method == "GET":
            return self._page(call, "reset.html", 200, user=user, wrong=None)
        if _from_elsewhere(request) or (request.content_length or 0) > _MAX_FORM:
            return self._page(call, "dead.html", 403)
        form = await request.post()
        password = str(form.get("password", ""))
        if password != form.get("again"):
            return self._page(call, "reset.html", 400, user=user, wrong=_DIFFERENT)
        try:
            changed = await self._mails.reset(call, token, password)
        except ApiError:
            return self._page(call, "reset.html", 400, user=user, wrong=_NO_PASSWORD)
        if changed is None:
            return self._page(call, "dead.html", 404)
        return self._page(call, "done.html", 200, user=changed)

    async def picture(self, request: web.BaseRequest) -> web.StreamResponse:
        """The picture of a captcha that still waits for its answer."""
        picture = self._captchas.picture(request.query.get("token", ""))
        if picture is None:
            return web.Response(status=404, text="There is no such captcha, or it is too old.\n")
        return web.Response(
            body=picture, content_type="image/png", headers={"Cache-Control": "no-store"}
        )

    def _call(self, request: web.BaseRequest, use: LinkUse) -> Call:
        path = link_path(use, "…")
        span = self._log.begin(
            "request", f"{request.method} {path}", None, method=request.method, path=path
        )
        span.detail["identity"] = ANONYMOUS.kind
        return Call(
            ANONYMOUS,
            Deadline.after(self._clock, _SECONDS),
            span,
            remote_address=request.remote or "127.0.0.1",
        )

    def _page(self, call: Call, template: str, status: int, **data: object) -> web.Response:
        text = self._env.get_template(template).render(style=self._style, **data)
        if isinstance(call.span, Span):
            self._log.answered(call.span)
            self._log.end(call.span, "ok" if status < 400 else "rejected", status)
        return web.Response(
            body=text.encode("utf-8", "replace"), status=status, headers=self._headers
        )


def _token(request: web.BaseRequest) -> str:
    return request.path.rpartition("/")[2]


def _from_elsewhere(request: web.BaseRequest) -> bool:
    """Whether a browser says that another site's page sent the form."""
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
        return True
    return request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")


def _headers(style: str) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-store",
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
            "frame-ancestors 'none'; base-uri 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # the address is a secret; same-origin lets our own form still say where it is from
        "Referrer-Policy": "same-origin",
    }
