"""The prompt of ``lean-emu cql``: what a line does, and what Tab offers."""

import re
from pathlib import Path

import pytest

from lean_emulator.cli import cql_shell
from lean_emulator.cli.cql_shell import HELP, KEYWORDS, Classes, Shell, candidates

CLASSES: Classes = {"Post": ["title", "tags", "likes"], "Person": ["name"], "_User": ["username"]}


@pytest.mark.parametrize(
    ("before", "word", "found"),
    [
        ("", "", ["select", "insert into", "update", "delete from", "help", "exit"]),
        ("", "se", ["select"]),
        ("", "SE", ["SELECT"]),
        ("select * from ", "", ["Person", "Post", "_User"]),
        ("select * from ", "P", ["Person", "Post"]),
        ("select * from ", "po", ["Post"]),
        ("insert into ", "_", ["_User"]),
        ("UPDATE ", "Pe", ["Person"]),
        ("select * from Post where a in (select * from ", "Pe", ["Person"]),
        ("select * from X where a = pointer('", "_U", ["_User"]),
        ("select * ", "fr", ["from"]),
        ("select * ", "xyz", []),
        ("select * from Post where ", "t", ["tags", "title", "to", "true"]),
        ("select * from Post where ", "likes", ["likes"]),
        ("select * from Person where ", "tit", []),
        ("insert into Post (", "ti", ["title"]),
        ("select * from Nothing where ", "nu", ["null"]),
        ("select * from Post ", "ORD", ["ORDER BY"]),
    ],
)
def test_what_tab_offers(before: str, word: str, found: list[str]) -> None:
    assert candidates(before, word, CLASSES) == found


def test_keywords_are_those_of_the_grammar() -> None:
    grammar = (Path(cql_shell.__file__).parents[1] / "model" / "cql.lark").read_text("utf-8")
    words = {word for keyword in KEYWORDS for word in keyword.rstrip("()*").split()}
    assert not [word for word in words if not re.search(rf"[/|(]{word}\b", grammar)]


class Typed:
    """Lines as somebody types them; an exception stands for a key that raises it."""

    def __init__(self, *lines: str | type[BaseException]) -> None:
        self._lines = iter(lines)
        self.prompts = 0

    def __call__(self, prompt: str) -> str:
        self.prompts += 1
        line = next(self._lines)
        if isinstance(line, str):
            return line
        raise line


def served(typed: Typed, folder: Path) -> list[str]:
    run: list[str] = []
    Shell(run.append, lambda: CLASSES, typed).serve(folder / "history")
    return run


def test_each_line_is_a_statement(tmp_path: Path) -> None:
    typed = Typed("select * from A;", "", "  select * from B where a = ';' ", EOFError)
    assert served(typed, tmp_path) == ["select * from A", "select * from B where a = ';'"]


@pytest.mark.parametrize("word", ["exit", "quit", r"\q", "exit;"])
def test_leaving(word: str, tmp_path: Path) -> None:
    typed = Typed("select", word, "never read")
    assert served(typed, tmp_path) == ["select"]
    assert typed.prompts == 2


def test_ctrl_c_gives_up_a_line_and_not_the_prompt(tmp_path: Path) -> None:
    assert served(Typed(KeyboardInterrupt, "select", EOFError), tmp_path) == ["select"]


def test_help_is_shown_and_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert served(Typed("help", EOFError), tmp_path) == []
    assert HELP in capsys.readouterr().out


class Editor:
    """Stands in for the readline module."""

    __doc__ = "GNU"

    def __init__(self) -> None:
        self.buffer = ""
        self.begin = 0
        self.written: list[Path] = []
        self.bound: list[str] = []

    def set_completer_delims(self, text: str) -> None:
        assert "_" not in text

    def set_completer(self, completer: object) -> None: ...

    def parse_and_bind(self, text: str) -> None:
        self.bound.append(text)

    def set_history_length(self, length: int) -> None: ...

    def read_history_file(self, path: Path) -> None:
        raise FileNotFoundError(path)

    def write_history_file(self, path: Path) -> None:
        self.written.append(path)

    def get_line_buffer(self) -> str:
        return self.buffer

    def get_begidx(self) -> int:
        return self.begin


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch) -> Editor:
    editor = Editor()
    monkeypatch.setattr(cql_shell, "readline", editor)
    return editor


def test_history_is_kept_even_when_a_statement_ends_the_command(
    editor: Editor, tmp_path: Path
) -> None:
    def fail(_: str) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        Shell(fail, lambda: CLASSES, Typed("select")).serve(tmp_path / "history")
    assert editor.written == [tmp_path / "history"]
    assert editor.bound == ["tab: complete"]


def test_classes_are_asked_for_once_between_two_statements(editor: Editor, tmp_path: Path) -> None:
    asked: list[bool] = []

    def known() -> Classes:
        asked.append(True)
        return CLASSES

    shell = Shell(lambda _: None, known, Typed("select", EOFError))
    editor.buffer, editor.begin = "select * from Po", 14
    assert [shell._complete("Po", number) for number in (0, 1)] == ["Post ", None]
    assert [shell._complete("P", number) for number in (0, 1, 2)] == ["Person", "Post", None]
    assert len(asked) == 1
    shell.serve(tmp_path / "history")
    assert shell._complete("Po", 0) == "Post "
    assert len(asked) == 2


def test_nothing_follows_an_open_bracket_by_itself(editor: Editor) -> None:
    shell = Shell(lambda _: None, lambda: CLASSES)
    editor.buffer, editor.begin = "select * from Post where a = geo", 29
    assert shell._complete("geo", 0) == "geopoint("
