"""``--params`` from text, files and standard input."""

import io
import sys
from pathlib import Path

import click
import pytest

from lean_emulator.cli.params import read_params


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
