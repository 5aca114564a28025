"""Stand-ins for what a test cannot know: they equal anything that looks right."""

import re
from collections.abc import Mapping
from typing import Any


class Looks:
    """Equals a text that a pattern matches from end to end."""

    def __init__(self, name: str, pattern: str) -> None:
        self._name = name
        self._pattern = re.compile(pattern, re.DOTALL)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and self._pattern.fullmatch(other) is not None

    def __hash__(self) -> int:
        return hash(self._pattern)

    def __repr__(self) -> str:
        return f"<{self._name}>"


class Anything:
    """Equals whatever there is."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "<anything>"


class With:
    """Equals an object that has these members, whatever else it has; ``without`` must be absent."""

    def __init__(self, members: Mapping[str, Any], without: tuple[str, ...] = ()) -> None:
        self.members = members
        self.without = without

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, dict)
            and all(name in other and other[name] == self.members[name] for name in self.members)
            and not any(name in other for name in self.without)
        )

    def __hash__(self) -> int:
        return hash(tuple(self.members))

    def __repr__(self) -> str:
        return f"<with {self.members!r}, without {self.without!r}>"


ANYTHING: Any = Anything()
ANY_ID: Any = Looks("an objectId", "[0-9a-f]{24}")
ANY_DATE: Any = Looks("an instant", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ANY_TOKEN: Any = Looks("a session token", "[0-9a-z]{25}")
ANY_TEXT: Any = Looks("a text", ".+")


def text_with(*parts: str) -> Any:
    """Equals a text in which the parts stand in this order."""
    return Looks(f"a text with {parts}", ".*".join(["", *map(re.escape, parts), ""]))


def error(code: int, text: Any = ANY_TEXT) -> dict[str, Any]:
    """An error body, exactly."""
    return {"code": code, "error": text}
