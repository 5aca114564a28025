"""Random JSON, conditions and statements: half of it nearly right, so that it gets far."""

import json
import random
from dataclasses import dataclass, field
from typing import Any

from lean_emulator.model.operations import OPERATIONS
from lean_emulator.model.where_json import OPERATORS

CLASSES = ("Thing", "Post", "Fan", "Hooked", "_User", "_Role", "_File", "_Installation")
STRANGE_CLASSES = (
    "NoSuch",
    "_Own",
    "1x",
    "a b",
    "影",
    "X" * 300,
    ".",
    "..",
    "$cmd",
    "Thing\0",
    "*",
)
FIELDS = (
    "n", "text", "flag", "list", "map", "at", "place", "post", "fans", "bytes", "file", "id",
    "username", "password", "email", "sessionToken", "authData", "salt", "mobilePhoneNumber",
    "objectId", "createdAt", "updatedAt", "ACL", "map.a", "map.a.b", "list.0", "post.n", "name",
)  # fmt: skip
STRANGE_FIELDS = (
    "", ".", "..", "a..b", ".a", "a.", "$where", "$or", "影", "x y", "0", "2fa", "_x", "__x",
    "__type", "__op", "className", "acl", "n\0", "a" * 300, "ACL.*.read", "map.$a", "constructor",
    "__ignore_hooks", "__internalId", "__children", "_where", "_fetchWhenSave", "_method",
    "__before", "__after", "__proto__", "n'", 'n"', "n\\", "v0", "None", "{x}", "%s",
)  # fmt: skip
TEXTS = (
    "", "a", "text", "\0", "\\", "'", '"', "\\Q", "\\Qa\\E", "\\E", "(", "[a-", "(a+)+$", "(?<x>",
    "a{99999}", "(?i)A", "^.*$", "a" * 2_000, "影\U0001f3ac", "\u2028", "2020-01-01T00:00:00.000Z",
    "2020-13-45", "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00Z", "now", "*", "role:editors",
    "true", "1", "NaN", "../../etc/passwd", "{}", "[]", "null", "%00", "a" * 26 + "!",
)  # fmt: skip
NUMBERS = (
    0, 1, -1, 2, 3.5, -0.0, 1e-320, 1e308, -1e308, 0.1, 91, 181, -181, 2**31, 2**53 + 1, 2**63 - 1,
    2**63, 2**64, -(2**63), -(2**64), 10**30,
)  # fmt: skip
TYPES = ("Date", "Pointer", "GeoPoint", "Bytes", "File", "Relation", "Object", "_File", "Nope")
MEMBERS = {
    "Date": ("iso",),
    "Pointer": ("className", "objectId"),
    "GeoPoint": ("latitude", "longitude"),
    "Bytes": ("base64",),
    "File": ("id", "objectId", "name", "url"),
    "Relation": ("className",),
    "Object": ("className", "objectId", "n"),
}
OP_MEMBERS = ("objects", "amount", "value", "ops")


_DATE = {"__type": "Date", "iso": "2021-05-05T05:05:05.555Z"}
_SENSIBLE: dict[str, tuple[Any, ...]] = {
    "n": (0, 1, 2, -3, 2.5, {"__op": "Increment", "amount": 1}, {"__op": "BitOr", "value": 4}),
    "text": ("a", "b", "text", "a" * 30 + "!", None, {"__op": "Delete"}),
    "name": ("fan", "post", "x"),
    "flag": (True, False),
    "list": ([], [1, 2], ["a", {"n": 2}], {"__op": "Add", "objects": [1, [2]]},
             {"__op": "AddUnique", "objects": [1, {"n": 2}]}, {"__op": "Remove", "objects": [1]}),
    "map": ({}, {"a": {"b": 1}}, {"a": [1, {"b": 2}]}, {"__op": "Delete"}),
    "map.a": (1, {"b": 2}, [1], {"__op": "Delete"}, {"__op": "Add", "objects": [1]}),
    "map.a.b": (1, None, {"__op": "Increment", "amount": 1.5}, {"__op": "Delete"}),
    "at": (_DATE, {**_DATE, "iso": "1999-01-01T00:00:00.000Z"}),
    "place": ({"__type": "GeoPoint", "latitude": 1, "longitude": 2},),
    "bytes": ({"__type": "Bytes", "base64": "aGVsbG8="},),
    "ACL": ({"*": {"read": True, "write": True}}, {"*": {"read": True}}, {}),
}  # fmt: skip
_NO_OPERATORS = (
    "$near",
    "$text",
    "$where",
    "$",
    "$maxDistanceInFeet",
    "$expr",
    "$elemMatch",
    "__eq_",
)
_OPERANDS: dict[str, tuple[Any, ...]] = {
    "$regex": (
        "a",
        "^a+$",
        "\\Q.\\E",
        "(a+)+$",
        "(a|aa)+!",
        "[^a]",
        "(?=a)",
        ".{0,9}",
        "(",
        "\\",
        "",
    ),
    "$options": ("", "i", "imsx", "g", "x"),
    "$size": (0, 1, 2, 3),
    "$exists": (True, False, 1, 0),
}


@dataclass
class Known:
    """What exists, so that cases can speak of it."""

    ids: dict[str, list[str]] = field(default_factory=dict)
    """Ids of objects, by class."""
    tokens: list[str] = field(default_factory=list)
    """Session tokens."""

    def learn(self, class_name: str, object_id: str) -> None:
        """Something was made."""
        self.ids.setdefault(class_name, []).append(object_id)


class Material:
    """Everything a case is made of; the same source of chance gives the same cases."""

    def __init__(self, chance: random.Random, known: Known) -> None:
        self.chance = chance
        self.known = known

    def often(self, share: float) -> bool:
        return self.chance.random() < share

    def class_name(self) -> str:
        return self.chance.choice(CLASSES if self.often(0.96) else STRANGE_CLASSES)

    def field(self) -> str:
        return self.chance.choice(FIELDS if self.often(0.85) else STRANGE_FIELDS)

    def object_id(self, class_name: str | None = None) -> str:
        ids = self.known.ids.get(class_name or self.chance.choice(CLASSES), [])
        if ids and self.often(0.93):
            return self.chance.choice(ids)
        return self.chance.choice(
            ("0123456789abcdef01234567", "x", "", "../x", "a,b", "影", "0" * 99)
        )

    def text(self) -> str:
        if self.often(0.1):
            return "".join(chr(self.chance.randrange(1, 0xD7FF)) for _ in range(12))
        return self.chance.choice(TEXTS)

    def scalar(self) -> Any:
        kind = self.chance.randrange(8)
        if kind == 0:
            return None
        if kind == 1:
            return self.often(0.5)
        if kind in (2, 3, 4):
            return self.chance.choice(NUMBERS if self.often(0.5) else (0, 1, 2, 3, 5))
        return self.text()

    def value(self, depth: int = 3) -> Any:
        """Any JSON value, ours or nobody's."""
        kind = self.chance.randrange(12)
        if depth <= 0 or kind < 5:
            return self.scalar()
        if kind < 7:
            return [self.value(depth - 1) for _ in range(self.chance.randrange(4))]
        if kind < 9:
            return {self.field(): self.value(depth - 1) for _ in range(self.chance.randrange(4))}
        if kind == 9:
            return self.operation(depth - 1)
        return self.typed(depth - 1)

    def typed(self, depth: int) -> Any:
        kind = self.chance.choice(TYPES)
        made: dict[str, Any] = {"__type": kind if self.often(0.95) else self.scalar()}
        for name in MEMBERS.get(kind, ("n",)):
            if self.often(0.9):
                made[name] = self._member(name, depth)
        return made

    def _member(self, name: str, depth: int) -> Any:
        if self.often(0.2):
            return self.value(depth)
        if name == "iso":
            return self.chance.choice(("2021-05-05T05:05:05.555Z", "2021-05-05", self.text()))
        if name == "className":
            return self.class_name()
        if name in ("objectId", "id"):
            return self.object_id()
        if name in ("latitude", "longitude"):
            return self.chance.choice((0, 39.9, 116.4, -90, 180, *NUMBERS))
        return self.chance.choice(("aGVsbG8=", "?", self.text()))

    def operation(self, depth: int) -> Any:
        word = self.chance.choice(OPERATIONS) if self.often(0.96) else self.scalar()
        made: dict[str, Any] = {"__op": word}
        for name in OP_MEMBERS:
            if self.often(0.6):
                made[name] = self._argument(name, depth)
        return made

    def _argument(self, name: str, depth: int) -> Any:
        if self.often(0.15):
            return self.value(depth)
        if name == "objects":
            make = self.typed if self.often(0.5) else self.value
            return [make(depth - 1) for _ in range(self.chance.randrange(4))]
        if name == "ops":
            return [self.operation(depth - 1) for _ in range(self.chance.randrange(3))]
        return self.chance.choice(NUMBERS)

    def document(self) -> dict[str, Any]:
        """A body: columns with values and operations, sometimes with marks and an ACL."""
        if self.often(0.6):
            return self.sensible()
        made = {self.field(): self.value() for _ in range(self.chance.randrange(5))}
        if self.often(0.1):
            made["ACL"] = {self.text(): self.value(1)} if self.often(0.5) else self.value()
        if self.often(0.1):
            made["__ignore_hooks"] = self.value(2)
        return made

    def sensible(self) -> dict[str, Any]:
        """A body that may well be stored; now and then with one wrong value in it."""
        names = self.chance.sample(list(_SENSIBLE), self.chance.randrange(4))
        made = {name: self.chance.choice(_SENSIBLE[name]) for name in names}
        if self.often(0.2):
            made["post"] = self._pointer("Post")
        if self.often(0.2):
            word = self.chance.choice(("AddRelation", "RemoveRelation"))
            made["fans"] = {"__op": word, "objects": [self._pointer("Fan")]}
        if self.often(0.15):
            made[self.field()] = self.value()
        if self.often(0.2):
            made["username"], made["password"] = f"u{self.chance.randrange(9)}", "p"
        return made

    def _pointer(self, class_name: str) -> dict[str, Any]:
        return {
            "__type": "Pointer",
            "className": class_name,
            "objectId": self.object_id(class_name) or "x",
        }

    def where(self, depth: int = 3) -> Any:
        """A condition of up to some levels."""
        if self.often(0.01):
            return self.value()
        made: dict[str, Any] = {}
        for _ in range(self.chance.randrange(1, 4)):
            if depth > 0 and self.often(0.25):
                word = self.chance.choice(("$or", "$and", "$nor"))
                parts = self.chance.choice((1, 1, 2, 2, 3)) if self.often(0.95) else 0
                made[word] = [self.where(depth - 1) for _ in range(parts)]
            elif self.often(0.1):
                made["$relatedTo"] = self._related_to()
            else:
                made[self.field()] = self._condition(depth)
        return made

    def _related_to(self) -> Any:
        if self.often(0.2):
            return {"object": self.typed(1), "key": self.field()}
        return {"object": self._pointer("Thing"), "key": "fans"}

    def _condition(self, depth: int) -> Any:
        if self.often(0.25):
            value = self.chance.choice(self.chance.choice(list(_SENSIBLE.values())))
            return self.chance.choice((value, {"$gte": value}, {"$ne": value}, {"$in": [value]}))
        if self.often(0.3):
            return self.value(2)
        known = OPERATORS if self.often(0.96) else _NO_OPERATORS
        names = [self.chance.choice(known) for _ in range(self.chance.randrange(1, 3))]
        return {name: self._operand(name, depth) for name in names}

    def _operand(self, name: str, depth: int) -> Any:
        if self.often(0.05):
            return self.value(2)
        if name in _OPERANDS:
            return self.chance.choice(_OPERANDS[name])
        if name in ("$in", "$nin", "$all"):
            return [self.value(1) for _ in range(self.chance.randrange(4))]
        if name == "$not" and depth > 0:
            return self._condition(depth - 1)
        if name in ("$inQuery", "$notInQuery"):
            return self._inner(depth)
        if name in ("$select", "$dontSelect"):
            return {"query": self._inner(depth), "key": self.field()}
        if name == "$within":
            return {"$box": [self.point(), self.point()]}
        if name == "$nearSphere":
            return self.point()
        return self.chance.choice(NUMBERS) if "Distance" in name else self.value(1)

    def _inner(self, depth: int) -> Any:
        inner: dict[str, Any] = {"className": self.class_name()}
        if depth > 0:
            inner["where"] = self.where(depth - 1)
        for name in ("limit", "skip", "order", "keys", "include"):
            if self.often(0.15):
                inner[name] = self.scalar()
        return inner

    def point(self) -> Any:
        pair = [self.chance.choice((0, 39.9, 91, *NUMBERS)) for _ in range(2)]
        if self.often(0.2):
            return pair
        return {"__type": "GeoPoint", "latitude": pair[0], "longitude": pair[1]}

    def deep(self) -> Any:
        """Far more of something than anybody needs."""
        size = self.chance.choice((30, 90, 99, 150, 1_000))
        kind = self.chance.randrange(7)
        if kind == 0:
            return {self.field(): {"$in": list(range(size * 12))}}
        if kind == 1:
            return {"$or": [{self.field(): self.scalar()} for _ in range(size)]}
        if kind == 2:
            return {f"f{i}": self.scalar() for i in range(size)}
        if kind == 3:
            pattern = self.chance.choice(("(a|a?)+" * (size // 10), "(" * size + "a" + ")" * size))
            return {self.field(): {"$regex": pattern, "$options": "x"}}
        if kind == 4:
            return {".".join(["a"] * size): {"$gt": 1}}
        way = self.chance.choice(("$or", "$and", "$nor", "$not", "list", "map"))
        return self._nested(min(size, 150), way)

    def _nested(self, size: int, way: str) -> Any:
        made: Any = {"n": {"$gt": 1}} if way != "$not" else {"$gt": 1}
        for _ in range(size):
            if way in ("$or", "$and", "$nor"):
                made = {way: [made, {"n": 1}]}
            elif way == "list":
                made = [made]
            else:
                made = {way if way == "$not" else "a": made}
        return {"n": made} if way == "$not" else made

    def path_list(self) -> str:
        """``keys``, ``include`` or ``order``: names and signs in any number."""
        if self.often(0.03):
            return ",".join([self.field()] * 3_000)
        signs = ("", "", "-", "+", "--", " ", "- ")
        parts = [self.chance.choice(signs) + self.field() for _ in range(self.chance.randrange(5))]
        return self.chance.choice((",", ", ", ",,")).join(parts)

    def json_text(self, value: Any) -> str:
        """The value as JSON; sometimes a little broken."""
        if self.often(0.002):
            return self.chance.choice(("[", '{"a":', '{"$or":[')) * 50_000
        text = json.dumps(value, ensure_ascii=self.often(0.5))
        if self.often(0.01):
            text = text.replace(
                "1", self.chance.choice(("NaN", "-Infinity", "01", "1.", "1" * 400))
            )
        if self.often(0.03):
            text = text.replace('"a"', '"\\ud800"')
        return self.broken(text) if self.often(0.04) else text

    def broken(self, text: str) -> str:
        """The text with a piece cut out, doubled or replaced."""
        if not text:
            return self.text()
        start = self.chance.randrange(len(text))
        end = min(len(text), start + self.chance.randrange(1, 9))
        piece = self.chance.choice(("", text[start:end] * 2, self.text(), "}", "[", ",", "\0"))
        return text[:start] + piece + text[end:]

    def garbage(self, most: int = 60) -> bytes:
        return self.chance.randbytes(self.chance.randrange(most))
