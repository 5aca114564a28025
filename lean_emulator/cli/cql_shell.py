"""The prompt of ``lean-emu cql``: a line is a statement, with history and completion."""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

import click

readline: ModuleType | None
try:
    import readline
except ImportError:  # Windows; lines are read without help there
    readline = None

Classes: TypeAlias = Mapping[str, Iterable[str]]
"""Names of columns by class."""

PROMPT = "cql> "
HISTORY_LENGTH = 1_000
LEAVE = ("exit", "quit", r"\q")
HELP = """\
select * from Post where likes > 10 and title like 'A%' order by -createdAt limit 10
select count(*) from Post
select include author, title from Post where author = pointer('_User', '<id>')
insert into Post (title, likes) values ('Hello', 1), ('Bye', 2)
update Post set likes = op('Increment', {amount: 1}) where objectId = '<id>'
delete from Post where objectId = '<id>'

Tab completes, the arrow keys go through history, exit or Ctrl-D leaves."""

OPENINGS = ("select", "insert into", "update", "delete from", "help", "exit")
KEYWORDS = (
    "all", "and", "asc", "base64(", "by", "count(*)", "current_timestamp()", "date(", "delete",
    "desc", "exists", "false", "file(", "from", "geopoint(", "in", "include", "insert", "into",
    "is", "km", "like", "limit", "max", "miles", "min", "near", "not", "null", "op(", "or",
    "order by", "pointer(", "radians", "regexp", "related", "select", "set", "size(", "to", "true",
    "update", "values", "where", "within",
)  # fmt: skip
_BEFORE_A_CLASS = re.compile(r"\b(?:from|into|update)\s+$", re.I)
_IN_POINTER = re.compile(r"\bpointer\s*\(\s*['\"]$", re.I)
_CLASSES_OF = re.compile(r"\b(?:from|into|update)\s+`?(\w+)", re.I)
_DELIMITERS = " \t\n,()=<>!'\"[]{}:;?`"


def candidates(before: str, word: str, classes: Classes) -> list[str]:
    """What ``word`` could become after the text ``before`` it.

    Classes where one must stand; else keywords, and columns of the classes that the line names.
    """
    if _BEFORE_A_CLASS.search(before) or _IN_POINTER.search(before):
        return sorted(name for name in classes if name.lower().startswith(word.lower()))
    if not before.strip():
        return list(_beginning_with(word, OPENINGS))
    named = set(_CLASSES_OF.findall(before))
    columns = {column for name in named for column in classes.get(name, ())}
    known = sorted(column for column in columns if column.lower().startswith(word.lower()))
    return [*known, *_beginning_with(word, KEYWORDS)]


def _beginning_with(word: str, keywords: Iterable[str]) -> Iterator[str]:
    """Keywords, in capitals for those who write so."""
    for keyword in keywords:
        if keyword.startswith(word.lower()):
            yield keyword.upper() if word.isupper() else keyword


class Shell:
    """Reads lines until the end and hands each statement to ``run``.

    ``known`` gives what can be completed; it is asked at the first Tab after each statement.
    """

    def __init__(
        self,
        run: Callable[[str], None],
        known: Callable[[], Classes],
        read_line: Callable[[str], str] = input,
    ) -> None:
        self._run = run
        self._known = known
        self._read_line = read_line
        self._classes: Classes | None = None
        self._found: list[str] = []

    def serve(self, history: Path) -> None:
        """Until ``exit`` or the end of input; ``history`` is read and written where possible."""
        with self._editing(history):
            while (line := self._next()) not in (None, *LEAVE):
                assert line is not None
                if line == "help":
                    click.echo(HELP)
                elif line:
                    self._run(line)
                    self._classes = None

    def _next(self) -> str | None:
        """The next line without its semicolon; ``None`` at the end. Ctrl-C gives an empty one."""
        try:
            return self._read_line(PROMPT).strip().rstrip(";").rstrip()
        except KeyboardInterrupt:
            click.echo()
            return ""
        except EOFError:
            click.echo()
            return None

    @contextlib.contextmanager
    def _editing(self, history: Path) -> Iterator[None]:
        if readline is None:
            yield
            return
        readline.set_completer_delims(_DELIMITERS)
        readline.set_completer(self._complete)
        libedit = "libedit" in (readline.__doc__ or "")
        readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")
        readline.set_history_length(HISTORY_LENGTH)
        with contextlib.suppress(OSError):  # there is none yet
            readline.read_history_file(history)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # a read-only project keeps no history
                readline.write_history_file(history)

    def _complete(self, word: str, number: int) -> str | None:
        """The nth candidate, as readline asks for them one by one."""
        if number == 0:
            if self._classes is None:
                self._classes = self._known()
            assert readline is not None
            before = readline.get_line_buffer()[: readline.get_begidx()]
            self._found = candidates(before, word, self._classes)
            if len(self._found) == 1 and self._found[0][-1].isalnum():
                self._found = [f"{self._found[0]} "]  # the next word can follow at once
        return self._found[number] if number < len(self._found) else None
