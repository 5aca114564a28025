"""Captchas: off as on the platform, or drawn and wanted (storage.md 6.8)."""

import struct
import zlib
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from lean_emulator.service.captcha_image import _GLYPHS, drawn
from tests.support.accounts import ANN, PHONE, code_in, session_of, signed_up
from tests.support.api import MASTER, Api, running_api
from tests.support.matchers import Looks, error

TO_PHONE = {"mobilePhoneNumber": PHONE}
TOKEN = Looks("a token", "[0-9a-z]{16}")


def pixels(png: bytes) -> list[bytes]:
    """The rows of a grey PNG, read by its own rules."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        (check,) = struct.unpack(">I", png[at + 8 + length : at + 12 + length])
        assert check == zlib.crc32(kind + data)
        chunks[kind] = data
        at += 12 + length
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colour) == (8, 0)
    raw = zlib.decompress(chunks[b"IDAT"])
    assert len(raw) == height * (width + 1)
    return [raw[row * (width + 1) + 1 : (row + 1) * (width + 1)] for row in range(height)]


def read(png: bytes, digits: int) -> str:
    """What a person reads in the picture: the digits whose dots are the darkest."""
    rows = pixels(png)
    width, height = len(rows[0]), len(rows)
    dot = max(1, min(width // (digits * 6 + 1), height // 9))
    step = width / digits
    found = ""
    for place in range(digits):
        left = int(place * step + (step - 5 * dot) / 2)
        scores = {
            digit: max(_score(rows, glyph, left, top, dot) for top in range(height - 7 * dot + 1))
            for digit, glyph in _GLYPHS.items()
        }
        found += max(scores, key=lambda digit: scores[digit])
    return found


def _score(rows: list[bytes], glyph: tuple[int, ...], left: int, top: int, dot: int) -> int:
    """How many dots are as the glyph wants them."""
    return sum(
        (rows[top + line * dot][left + column * dot] < 100) == bool(bits >> (4 - column) & 1)
        for line, bits in enumerate(glyph)
        for column in range(5)
    )


async def picture(api: Api, url: str) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.read()


async def solved(api: Api, **params: Any) -> str:
    asked = (await api("GET", "/1.1/requestCaptcha", **params)).json
    status, png = await picture(api, asked["captcha_url"])
    assert status == 200
    answer = await api(
        "POST",
        "/1.1/verifyCaptcha",
        {"captcha_token": asked["captcha_token"], "captcha_code": read(png, 4)},
    )
    assert answer.status == 200, answer.json
    return str(answer.json["validate_token"])


async def test_off(tmp_path: Path) -> None:
    async with running_api(project=tmp_path) as api:
        asked = await api("GET", "/1.1/requestCaptcha")
        assert (asked.status, asked.json) == (403, error(119))
        body = {"captcha_token": "x", "captcha_code": "1"}
        assert (await api("POST", "/1.1/verifyCaptcha", body)).json == error(119)
        ask = {**TO_PHONE, "validate_token": "whatever"}
        assert (await api("POST", "/1.1/requestSmsCode", ask)).json == {}


async def test_reading_the_picture_earns_a_message(tmp_path: Path) -> None:
    async with running_api(project=tmp_path, captcha=True, sms_limits=False) as api:
        asked = await api("GET", "/1.1/requestCaptcha")
        assert set(asked.json) == {"captcha_token", "captcha_url"}
        assert asked.json["captcha_token"] == TOKEN
        assert asked.json["captcha_url"].startswith(f"{api.emulator.api_url}/1.1/captchaImage?")

        token = await solved(api)
        first = await api("POST", "/1.1/requestSmsCode", {**TO_PHONE, "validate_token": token})
        assert first.json == {}
        again = await api("POST", "/1.1/requestSmsCode", {**TO_PHONE, "validate_token": token})
        assert (again.status, again.json) == (400, error(608))


@pytest.mark.parametrize(
    "path",
    [
        "requestSmsCode",
        "requestMobilePhoneVerify",
        "requestLoginSmsCode",
        "requestPasswordResetBySmsCode",
        "requestChangePhoneNumber",
    ],
)
async def test_every_message_wants_one(path: str, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"captcha": True, "sms_limits": False}
    async with running_api(project=tmp_path, **settings, reset_by_unverified_phone=True) as api:
        user = await signed_up(api, ANN)
        own = session_of(user)
        for given in ({}, {"validate_token": None}, {"validate_token": "x"}):
            refused = await api("POST", f"/1.1/{path}", {**TO_PHONE, **given}, headers=own)
            assert (refused.status, refused.json) == (400, error(608))
        if path == "requestLoginSmsCode":
            await api("POST", "/1.1/requestMobilePhoneVerify", TO_PHONE, headers=MASTER)
            await api("POST", f"/1.1/verifyMobilePhone/{code_in(api)}")
            api.emulator.inbox.clear()
        body = {**TO_PHONE, "validate_token": await solved(api)}
        assert (await api("POST", f"/1.1/{path}", body, headers=own)).json == {}
        assert len(api.emulator.inbox.messages()) == 1


async def test_master_needs_none(tmp_path: Path) -> None:
    async with running_api(project=tmp_path, captcha=True) as api:
        assert (await api("POST", "/1.1/requestSmsCode", TO_PHONE, headers=MASTER)).json == {}


async def test_one_answer_each_and_in_time(tmp_path: Path) -> None:
    async with running_api(project=tmp_path, captcha=True) as api:
        asked = (await api("GET", "/1.1/requestCaptcha")).json
        _, png = await picture(api, asked["captcha_url"])
        right = {"captcha_token": asked["captcha_token"], "captcha_code": read(png, 4)}
        wrong = {**right, "captcha_code": "none"}
        for body in (wrong, right, {}, {"captcha_token": 5}):
            answer = await api("POST", "/1.1/verifyCaptcha", body)
            assert (answer.status, answer.json) == (400, error(1))
        assert (await picture(api, asked["captcha_url"]))[0] == 404

        asked = (await api("GET", "/1.1/requestCaptcha")).json
        api.clock.advance(60)
        assert (await picture(api, asked["captcha_url"]))[0] == 404
        late = {"captcha_token": asked["captcha_token"], "captcha_code": "1"}
        assert (await api("POST", "/1.1/verifyCaptcha", late)).json == error(1)

        token = await solved(api)
        api.clock.advance(600)
        ask = {**TO_PHONE, "validate_token": token}
        assert (await api("POST", "/1.1/requestSmsCode", ask)).json == error(608)


@pytest.mark.parametrize(
    ("params", "headers", "size"),
    [
        ({}, None, (85, 30)),
        ({"width": "200", "height": "100"}, None, (200, 100)),
        ({"width": "9999", "height": "1"}, None, (200, 30)),
        ({"width": "-5", "height": "x"}, None, (85, 30)),
        ({"size": "6", "width": "200"}, MASTER, (200, 30)),
    ],
)
async def test_sizes(
    params: dict[str, Any], headers: Any, size: tuple[int, int], tmp_path: Path
) -> None:
    async with running_api(project=tmp_path, captcha=True) as api:
        asked = (await api("GET", "/1.1/requestCaptcha", headers=headers, **params)).json
        _, png = await picture(api, asked["captcha_url"])
        rows = pixels(png)
        assert (len(rows[0]), len(rows)) == size
        digits = 6 if headers is MASTER else 4
        answer = await api(
            "POST",
            "/1.1/verifyCaptcha",
            {"captcha_token": asked["captcha_token"], "captcha_code": read(png, digits)},
        )
        assert answer.status == 200


async def test_how_long_master_lets_it_wait(tmp_path: Path) -> None:
    async with running_api(project=tmp_path, captcha=True) as api:
        for headers, seconds in ((MASTER, 180), (None, 60)):
            asked = (await api("GET", "/1.1/requestCaptcha", headers=headers, ttl="180")).json
            api.clock.advance(seconds - 1)
            assert (await picture(api, asked["captcha_url"]))[0] == 200
            api.clock.advance(1)
            assert (await picture(api, asked["captcha_url"]))[0] == 404


@pytest.mark.parametrize("digits", ["0123", "456789", "888"])
@pytest.mark.parametrize("size", [(60, 30), (85, 30), (200, 100), (200, 30)])
def test_a_picture_can_be_read(digits: str, size: tuple[int, int]) -> None:
    for seed in ("a", "b", "c"):
        assert read(drawn(digits, *size, seed), len(digits)) == digits
