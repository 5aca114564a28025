"""Whole sentences with slots, one catalogue per language; names of the protocol stay as they are.

A catalogue value is a text, or ``{"one": …, "other": …}`` chosen by the slot ``n``.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal

from markupsafe import Markup, escape

from lean_emulator.assets import assets_dir
from lean_emulator.base.errors import Hint

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
HTML_LANG = {"en": "en", "zh": "zh-CN"}

Text = str | dict[str, str]
_RANGE = re.compile(r"^\s*([A-Za-z]+)[\w-]*\s*(?:;\s*q=([\d.]+))?\s*$")


def catalogue_file(language: Language) -> Path:
    return assets_dir("templates") / "console" / f"phrases.{language}.json"


@cache
def _catalogue(language: Language) -> dict[str, Text]:
    loaded: dict[str, Text] = json.loads(catalogue_file(language).read_text(encoding="utf-8"))
    return loaded


def choose(cookie: str | None, accept: str) -> Language:
    """The chosen language, else the browser's first that we have, else English."""
    for language in LANGUAGES:
        if cookie == language:
            return language
    wanted: list[tuple[float, int, str]] = []
    for part in accept[:500].split(","):
        match = _RANGE.match(part)
        if match and (quality := float(match[2] or 1)) > 0:
            wanted.append((-quality, len(wanted), match[1].lower()))
    for _, _, name in sorted(wanted):
        for language in LANGUAGES:
            if name == language:
                return language
    return "en"


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language. Calling it with a key gives safe HTML; slots are escaped unless ``Markup``."""

    language: Language

    def __call__(self, key: str, **slots: object) -> Markup:
        text = _catalogue(self.language)[key]
        if isinstance(text, dict):
            text = text["one" if slots.get("n") == 1 else "other"]
        return Markup(escape(text)).format(**slots)  # noqa: S704 - escaped; format() escapes slots

    def has(self, key: str) -> bool:
        return key in _catalogue(self.language)

    def of(self, text: object) -> str:
        """A text that comes in both languages (a ``Hint``, or a mapping of en and zh), or as is."""
        if isinstance(text, Hint):
            return text.zh if self.language == "zh" else text.en
        if isinstance(text, Mapping):
            return str(text.get(self.language) or text.get("en") or "")
        return "" if text is None else str(text)


def took(ms: object) -> str:
    """Milliseconds as people say them: ``28 µs``, ``9.4 ms``, ``15.0 s``; ``–`` for ``None``."""
    if not isinstance(ms, int | float):
        return "–"
    if 0 < ms < 0.095:
        return f"{max(ms * 1000, 1):.0f} µs"
    if ms < 9.95:
        return f"{ms:.1f} ms"
    if ms < 999.5:
        return f"{ms:.0f} ms"
    if ms < 59_950:
        return f"{ms / 1000:.1f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    return f"{minutes} min {seconds} s"


def percent(part: float | None) -> str:
    """A part of the whole: ``0``, ``0.4 %``, ``33 %``; ``–`` for ``None``."""
    if part is None:
        return "–"
    hundredths = part * 100
    if not part:
        return "0"
    return f"{hundredths:.0f} %" if hundredths >= 9.95 else f"{max(hundredths, 0.1):.1f} %"


def remaining(ms: float) -> str:
    """Time left, finer than ``took``: ``9.99 s``, ``680 ms``, ``0 s``."""
    if ms <= 0:
        return "0 s"
    return f"{ms / 1000:.3g} s" if ms >= 1000 else f"{ms:.0f} ms"


def axis_label(ms: float) -> str:
    if ms == 0:
        return "0"
    return f"{ms / 1000:g} s" if ms >= 1000 else f"{ms:g} ms"


def clock_text(ms: object, *, millis: bool = False) -> str:
    """An instant in milliseconds as the machine's own time of day; ``–`` for ``None``."""
    if not isinstance(ms, int | float):
        return "–"
    moment = datetime.fromtimestamp(ms / 1000).astimezone()
    return moment.strftime("%H:%M:%S") + (f".{int(ms) % 1000:03d}" if millis else "")


def short_id(text: str) -> str:
    """A long id with its middle cut: ``655fe2…31f0``."""
    return text if len(text) <= 14 else f"{text[:6]}…{text[-4:]}"
