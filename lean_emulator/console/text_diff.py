"""What changed inside a long text: equal, deleted and inserted pieces."""

import re
from difflib import SequenceMatcher
from typing import Literal

Side = list[tuple[Literal["same", "cut", "del", "ins"], str]]

_PIECES = re.compile(r"\w+|\s+|[^\w\s]")
_LONG = 90
_MARGIN = 36
_LIMIT = 4_000
"""Words compared at most; beyond it only the common ends are taken off."""


def text_diff(before: str, after: str) -> tuple[Side, Side]:
    """The old and the new text in pieces; ``cut`` stands for equal text that was left out."""
    old, new = _PIECES.findall(before), _PIECES.findall(after)
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    old_mid, new_mid = old[head : len(old) - tail], new[head : len(new) - tail]
    left: Side = [("same", "".join(old[:head]))]
    right: Side = [("same", "".join(new[:head]))]
    if len(old_mid) + len(new_mid) > _LIMIT:
        left.append(("del", "".join(old_mid)))
        right.append(("ins", "".join(new_mid)))
    else:
        _compare(old_mid, new_mid, left, right)
    rest = "".join(old[len(old) - tail :])
    left.append(("same", rest))
    right.append(("same", rest))
    return _shorten(left), _shorten(right)


def _compare(old: list[str], new: list[str], left: Side, right: Side) -> None:
    for op, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if op == "equal":
            left.append(("same", "".join(old[a:b])))
            right.append(("same", "".join(new[c:d])))
            continue
        left.append(("del", "".join(old[a:b])))
        right.append(("ins", "".join(new[c:d])))


def _common(one: list[str], two: list[str]) -> int:
    count = 0
    for a, b in zip(one, two, strict=False):
        if a != b:
            break
        count += 1
    return count


def _shorten(side: Side) -> Side:
    """Long equal stretches keep only their ends; at the very start and end the outer one goes."""
    pieces = [(kind, text) for kind, text in side if text]
    short: Side = []
    for number, (kind, text) in enumerate(pieces):
        if kind != "same" or len(text) <= _LONG:
            short.append((kind, text))
            continue
        head, tail = _word_end(text, _MARGIN), _word_start(text, len(text) - _MARGIN)
        last = number == len(pieces) - 1 and len(pieces) > 1
        short.append(("same", text[:head]))
        short.append(("cut", text[head:] if last else text[head:tail]))
        if not last:
            short.append(("same", text[tail:]))
    return short


def _word_end(text: str, near: int) -> int:
    """A place to cut at, just after the space nearest before ``near``."""
    space = text.rfind(" ", near // 2, near)
    return near if space < 0 else space + 1


def _word_start(text: str, near: int) -> int:
    space = text.find(" ", near, near + _MARGIN // 2)
    return near if space < 0 else space
