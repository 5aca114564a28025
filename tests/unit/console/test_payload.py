import pytest

from lean_emulator.console.payload import Problem, read_payload


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", {}),
        ("  \n", {}),
        ('{"a": [1, 2.5, null, true]}', {"a": [1, 2.5, None, True]}),
        ("{movie: 'A Quiet Place', // comment\n}", {"movie": "A Quiet Place"}),
        ("[1,]", [1]),
        ("0x10", 16),
        ("'中文'", "中文"),
    ],
)
def test_json5(text: str, value: object) -> None:
    assert read_payload(text) == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{a: 1 b: 2}", Problem("problem.comma", 1, 7, "b")),
        ("{\n  stars: 4 comment: 'x'\n}", Problem("problem.comma", 2, 12, "comment")),
        ("{a: [1, 2}", Problem("problem.end", 1, 11)),
        ("{a: 1", Problem("problem.end", 1, 6)),
        ("{a: movie}", Problem("problem.word", 1, 5, "movie")),
        ("nope", Problem("problem.word", 1, 1, "nope")),
        ("{a: 'x\ny'}", Problem("problem.string", 1, 7)),
        ("{a: 1}}", Problem("problem.found", 1, 7, "}")),
        ("{a: NaN}", Problem("problem.nan")),
        ("NaN", Problem("problem.nan")),
        ("[" * 101 + "]" * 101, Problem("problem.deep")),
        ("[" * 100_000, Problem("problem.deep")),
        ("{a: 1," + " " * 200_000 + "}", Problem("problem.long")),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_where_it_stops_being_json5(text: str, problem: Problem) -> None:
    assert read_payload(text) == problem


def test_plain_json_may_be_long() -> None:
    text = '["' + "x" * 500_000 + '"]'
    assert read_payload(text) == ["x" * 500_000]
