"""``--params`` from text, files and standard input."""

import io
import sys
from pathlib import Path

import click
import pytest

from lean_emulator.cli.params import read_object, read_params, read_settings


def refused(source: str) -> str:
    with pytest.raises(click.BadParameter) as caught:
        read_params(source)
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{}", {}),
        ("", {}),
        ('{"a": 1}', {"a": 1}),
        ("{a: 'b', /* why */ c: [1, 2,],}", {"a": "b", "c": [1, 2]}),
        ('{movie: "异形"}', {"movie": "异形"}),
        ("{a: 0x10, b: .5, c: null, d: true}", {"a": 16, "b": 0.5, "c": None, "d": True}),
    ],
)
def test_json5(text: str, value: object) -> None:
    assert read_params(text) == value


def test_nothing_given_is_no_parameters() -> None:
    assert read_params(None) == {}


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "params.json5"
    path.write_bytes(b"\xef\xbb\xbf{a: 1}")
    assert read_params(f"@{path}") == {"a": 1}


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{a: 1}")))
    assert read_params("-") == {"a": 1}


def test_a_mistake_is_named_with_line_and_column() -> None:
    message = refused("{\n  movie: ,\n}")
    assert "line 2 column 10" in message
    assert "','" in message


@pytest.mark.parametrize("text", ["[1]", "1", '"a"', "null", "true"])
def test_parameters_are_an_object(text: str) -> None:
    assert "functions take an object" in refused(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{a: 1", "too early"),
        ("{a: NaN}", "NaN"),
        ("{a: " + "[" * 200 + "]" * 200 + "}", "too deep"),
        ("{a: 1 b: 2}", "comma"),
    ],
)
def test_what_is_not_json5(text: str, said: str) -> None:
    assert said in refused(text)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert "cannot be read" in refused(f"@{tmp_path / 'missing'}")
    binary = tmp_path / "binary"
    binary.write_bytes(b"{\xff}")
    assert "not UTF-8" in refused(f"@{binary}")


def test_set_takes_json5_and_plain_text() -> None:
    given = [
        "stars=5",
        "movie=Alien",
        "movie2=Alien: 3",
        "tags=['a', \"b\"]",
        "empty=",
        "gone=null",
    ]
    assert read_settings([*given, "quoted='5'", "a.b=true", "equals=a=b"]) == {
        "stars": 5, "movie": "Alien", "movie2": "Alien: 3", "tags": ["a", "b"], "empty": "",
        "gone": None, "quoted": "5", "a.b": True, "equals": "a=b",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("stars", "'stars' is not NAME=VALUE"),
        ("=5", "'=5' is not NAME=VALUE"),
        ("post={a: 1", "the value of post is not JSON5, line 1 column"),
    ],
)
def test_set_refuses(given: str, said: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        read_settings([given])
    assert said in caught.value.message
    assert caught.value.param_hint == "--set"


def test_an_object_is_named_by_its_option() -> None:
    with pytest.raises(click.BadParameter) as caught:
        read_object("[1]", "--object", "a hook takes an object")
    assert caught.value.message == "the text is a list, but a hook takes an object: {name: value}"
    assert caught.value.param_hint == "--object"
