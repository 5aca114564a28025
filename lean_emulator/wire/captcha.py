"""``/requestCaptcha`` and ``/verifyCaptcha`` (storage.md 6.8)."""

from collections.abc import Callable, Mapping

from lean_emulator.base.jsontext import Json
from lean_emulator.service.captcha import Captchas, Size
from lean_emulator.wire.request import Answer, Request
from lean_emulator.wire.routes import Route


class CaptchaHandlers:
    """Hands out captchas; ``url`` gives where the picture of a token is."""

    def __init__(self, captchas: Captchas, url: Callable[[str], str]) -> None:
        self._captchas = captchas
        self._url = url

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/requestCaptcha", self.request),
            Route("POST", "/verifyCaptcha", self.verify),
        ]

    async def request(self, request: Request) -> Answer:
        """A token and the address of its picture; only master chooses how hard it is."""
        params, usual = request.params, Size()
        size = Size(_number(params, "width", usual.width), _number(params, "height", usual.height))
        if request.call.principal.is_master:
            size = Size(
                size.width,
                size.height,
                _number(params, "size", usual.digits),
                _number(params, "ttl", usual.seconds),
            )
        token = self._captchas.ask(size)
        return Answer({"captcha_token": token, "captcha_url": self._url(token)})

    async def verify(self, request: Request) -> Answer:
        given = request.document()
        token, code = given.get("captcha_token"), given.get("captcha_code")
        return Answer({"validate_token": self._captchas.answer(str(token), str(code))})


def _number(params: Mapping[str, Json], name: str, usual: int) -> int:
    """A whole number among the parameters; anything else counts as none."""
    raw = params.get(name)
    text = str(raw)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else usual
