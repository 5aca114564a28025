import json
import re

import pytest
from markupsafe import Markup

from lean_emulator.assets import assets_dir
from lean_emulator.base.errors import Hint
from lean_emulator.console.phrases import (
    LANGUAGES,
    Language,
    Phrases,
    axis_label,
    catalogue_file,
    choose,
    remaining,
    short_id,
    took,
)
from lean_emulator.console.rendering import short_path

TEMPLATES = assets_dir("templates") / "console"


def catalogue(language: Language) -> dict[str, str | dict[str, str]]:
    loaded: dict[str, str | dict[str, str]] = json.loads(
        catalogue_file(language).read_text("utf-8")
    )
    return loaded


def slots(text: str | dict[str, str]) -> set[str]:
    whole = text if isinstance(text, str) else " ".join(text.values())
    return set(re.findall(r"{(\w+)}", whole))


def test_both_languages_say_the_same_things_with_the_same_slots() -> None:
    english, chinese = catalogue("en"), catalogue("zh")
    assert list(english) == list(chinese)
    for key, text in english.items():
        assert slots(text) == slots(chinese[key]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_that_a_template_names_exists(language: Language) -> None:
    known = catalogue(language)
    for template in TEMPLATES.glob("*.html"):
        for key, joined in re.findall(
            r"say\([\"']([\w.]+)[\"'](\s*~)?", template.read_text("utf-8")
        ):
            found = any(name.startswith(key) for name in known) if joined else key in known
            assert found, f"{template.name}: {key}"


def test_slots_are_escaped_and_the_text_is_too() -> None:
    say = Phrases("en")
    assert say("missing.text", path="<b>") == "Nothing is served at &lt;b&gt;."
    assert say("missing.text", path=Markup("<b>x</b>")) == "Nothing is served at <b>x</b>."


def test_one_and_many() -> None:
    say = Phrases("en")
    assert say("count.hooks", n=1) == "1 hook"
    assert say("count.hooks", n=0) == "0 hooks"
    assert Phrases("zh")("count.hooks", n=1) == "1 个 hook"


def test_texts_that_come_in_both_languages() -> None:
    assert Phrases("zh").of(Hint("fix it", "修好它")) == "修好它"
    assert Phrases("zh").of({"en": "why", "zh": "原因"}) == "原因"
    assert Phrases("zh").of({"en": "why"}) == "why"
    assert Phrases("en").of("as it is") == "as it is"
    assert Phrases("en").of(None) == ""


@pytest.mark.parametrize(
    ("cookie", "accept", "language"),
    [
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "en-GB,en;q=0.9,zh;q=0.8", "en"),
        (None, "de-DE,zh;q=0.5,en;q=0.7", "en"),
        (None, "de, zh;q=0", "en"),
        (None, "", "en"),
        (None, ";;;q=x,,", "en"),
        ("zh", "en", "zh"),
        ("xx", "zh", "zh"),
    ],
)
def test_language_choice(cookie: str | None, accept: str, language: str) -> None:
    assert choose(cookie, accept) == language


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "–"),
        (0, "0.0 ms"),
        (0.028, "28 µs"),
        (0.0001, "1 µs"),
        (9.44, "9.4 ms"),
        (9.96, "10 ms"),
        (41.2, "41 ms"),
        (999.4, "999 ms"),
        (999.6, "1.0 s"),
        (15_000, "15.0 s"),
        (65_000, "1 min 5 s"),
    ],
)
def test_durations(ms: float | None, text: str) -> None:
    assert took(ms) == text


def test_small_words() -> None:
    assert remaining(9990) == "9.99 s"
    assert remaining(680) == "680 ms"
    assert remaining(-3) == "0 s"
    assert [axis_label(ms) for ms in (0, 10, 5000)] == ["0", "10 ms", "5 s"]
    assert short_id("655fe2a09c4e2a0011f031f0") == "655fe2…31f0"
    assert (
        short_path("/1.1/classes/Review/655fe2a09c4e2a0011f031f0") == "/classes/Review/655fe2…31f0"
    )
    assert short_path("/1.1/classes/Review?where=%7B%7D") == "/classes/Review?…"
