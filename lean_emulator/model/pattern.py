r"""Regular expressions of clients: ``\Q…\E`` quoting, and an end to those that would never end."""

import time

import regex

from lean_emulator.base import errors
from lean_emulator.base.jsontext import Json
from lean_emulator.model.values import Missing

TEXT_SECONDS = 0.05
"""What one pattern may take on one text before the query is refused."""
QUERY_SECONDS = 0.5
"""What its slow searches may take together."""
_SLOW = 0.001
"""Seconds from which a search counts; a million quick ones are no fault of the pattern."""

_QUOTED = regex.compile(r"\\Q(.*?)(?:\\E|\Z)|\\.", regex.S)
"""Quoting, and as a whole any escaped character, so that ``\\\\Q`` stays a backslash and a Q."""
_FLAGS = {"i": regex.I, "m": regex.M, "s": regex.S, "x": regex.X}


class Pattern:
    """One pattern in one query; both lose their patience together.

    ``options`` are letters out of ``imsx``. Raises ``InvalidQuery`` for what is no pattern.
    """

    def __init__(self, text: str, options: str = "") -> None:
        flags = 0
        for letter in options:
            flags |= _FLAGS[letter]
        try:
            self._compiled = regex.compile(_unquoted(text), flags)
        except regex.error as e:
            raise errors.INVALID_QUERY(f"The pattern '{text}' is not valid: {e}.") from e
        except RecursionError:
            raise errors.INVALID_QUERY(
                f"The pattern '{text[:40]}…' is not valid: it is nested too deep."
            ) from None
        self._text = text
        self._left = QUERY_SECONDS

    def found(self, value: Json | Missing) -> bool:
        """Whether it occurs in a text, or in a text of a list. Raises code 102 when out of time."""
        if isinstance(value, str):
            return self._searched(value)
        if isinstance(value, list):
            return any(self._searched(item) for item in value if isinstance(item, str))
        return False

    def _searched(self, text: str) -> bool:
        began = time.perf_counter()
        try:
            found = self._compiled.search(text, timeout=TEXT_SECONDS) is not None
        except TimeoutError:
            raise self._too_slow("on one text", TEXT_SECONDS) from None
        took = time.perf_counter() - began
        if took > _SLOW:
            self._left -= took
            if self._left < 0:
                raise self._too_slow("on all texts together", QUERY_SECONDS)
        return found

    def _too_slow(self, where: str, seconds: float) -> errors.ApiError:
        return errors.PATTERN_TOO_SLOW(
            f"The pattern '{self._text}' takes too long {where} (over {seconds * 1000:.0f} ms)."
        )


def _unquoted(pattern: str) -> str:
    return _QUOTED.sub(
        lambda found: found[0] if found[1] is None else regex.escape(found[1]), pattern
    )
