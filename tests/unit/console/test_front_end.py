"""The files that browsers get: colours, icons, and nothing from elsewhere."""

import re
from pathlib import Path

import pytest

from lean_emulator.assets import assets_dir

STATIC = assets_dir("static")
TEMPLATES = assets_dir("templates") / "console"
CSS = (STATIC / "console.css").read_text("utf-8")

GROUNDS = ("ground", "surface", "sunken", "hover", "selected", "raised")
TEXT = [(ink, on) for ink in ("text", "text-2", "text-3", "accent") for on in GROUNDS]
TEXT += [
    (tone, on)
    for tone in ("ok", "rejected", "failed", "loop", "skipped")
    for on in ("surface", "hover", "selected", "raised", f"{tone}-soft")
]
TEXT += [("on-accent", "accent-solid"), ("on-accent", "accent-solid-hover")]
TEXT += [
    (f"syn-{kind}", on)
    for kind in ("key", "string", "number", "word", "comment")
    for on in ("surface", "sunken")
]
TEXT += [("text", "diff-add"), ("text", "diff-del"), ("text", "failed-soft")]
EDGES = [("control-line", on) for on in ("surface", "raised", "sunken")] + [
    ("focus", on) for on in GROUNDS
]


def tokens(opening: str) -> dict[str, str]:
    """Custom properties of the block that starts with ``opening``."""
    start = CSS.index(opening) + len(opening)
    return dict(re.findall(r"--([\w-]+): ([^;]+);", CSS[start : CSS.index("}", start)]))


LIGHT = tokens(":root {")
DARK = tokens(':root:not([data-theme="light"]) {')


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_dark_colours_are_the_same_by_wish_and_by_system() -> None:
    assert tokens(':root[data-theme="dark"] {') == DARK
    assert set(DARK) <= set(LIGHT)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_ink_can_be_read_on_every_ground(theme: dict[str, str]) -> None:
    weak = {pair: c for pair in TEXT if (c := contrast(theme[pair[0]], theme[pair[1]])) < 4.5}
    assert not weak
    weak = {pair: c for pair in EDGES if (c := contrast(theme[pair[0]], theme[pair[1]])) < 3}
    assert not weak


def test_every_colour_that_is_used_is_defined() -> None:
    used = set(re.findall(r"var\(--([\w-]+)", CSS))
    defined = set(re.findall(r"--([\w-]+):", CSS))
    assert used <= defined


def test_every_icon_that_is_named_is_drawn() -> None:
    drawn = set(re.findall(r'id="([\w-]+)"', (STATIC / "icons.svg").read_text("utf-8")))
    named: set[str] = set()
    for template in TEMPLATES.glob("*.html"):
        named |= set(re.findall(r'icon\("([\w-]+)"', template.read_text("utf-8")))
    for script in (STATIC / "console").glob("*.js"):
        named |= set(re.findall(r"icons\.svg#([\w-]+)", script.read_text("utf-8")))
    named |= {"ok", "rejected", "failed", "timeout", "loop", "skipped", "running"}
    named |= {"request", "hook", "function", "storage", "task", "reload", "message"}
    assert named <= drawn


def files() -> list[Path]:
    return [*TEMPLATES.glob("*.html"), *STATIC.rglob("*.js"), STATIC / "console.css"]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_nothing_is_fetched_from_elsewhere(path: Path) -> None:
    assert not re.search(r"(?:https?:)?//[\w.-]+\.\w{2,}/", path.read_text("utf-8"))


@pytest.mark.parametrize("path", [*TEMPLATES.glob("*.html")], ids=lambda path: path.name)
def test_no_inline_style_or_script(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"\sstyle=|<style|\son\w+=\"|javascript:", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
