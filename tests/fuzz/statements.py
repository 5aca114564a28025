"""Random CQL: statements that are right, nearly right, and strings of words."""

from typing import Any

from tests.fuzz.material import Material

_STATEMENTS = (
    "select {fields} from {class}",
    "select {fields} from {class} where {cond}",
    "select {fields} from {class} where {cond} limit {count}, {count} order by {order}",
    "select count(*), {fields} from {class} where {cond} order by {order} limit {count}",
    "select include {name}, * from {class}",
    "insert into {class} ({name}, {name}) values ({value}, {value})",
    "insert into {class} ({name}) values ({value}), ({value})",
    "update {class} set {name} = {value}, {name} = {value} where objectId = '{id}'",
    "update {class} set {name} = {value} where objectId = '{id}' and {cond}",
    "delete from {class} where objectId = '{id}' and {cond}",
    "delete from {class} where objectId = ?",
)
_CONDITIONS = (
    "{name} = {value}", "{name} != {value}", "{name} >= {value}", "{name} like {string}",
    "{name} not like {string}", "{name} regexp {string}", "{name} in ({value}, {value})",
    "{name} not in ({value})", "{name} is exists", "{name} is not exists", "{name} all ({value})",
    "size({name}) = {count}", "{name} near [{count}, {count}] max {count} km",
    "{name} near ? min {count} miles max {count}", "{name} within [{count}, {count}] and ?",
    "related {name} to pointer('{class}', '{id}')",
    "{name} in (select * from {class} where {cond})",
    "{name} = (select {name} from {class} limit {count})", "({cond})", "{cond} and {cond}",
    "{cond} or {cond}",
)  # fmt: skip
_VALUES = (
    "1", "-1.5e3", "1e999", "'text'", '"text"', "'it''s'", "'\\\\'", "'", "true", "null", "?", "[]",
    "[1, 'a', {a: 1}]", "{a: {b: [1]}}", "{'$gt': 1}", "date('2020-01-01T00:00:00.000Z')",
    "date('x')", "pointer('Post', 'x')", "pointer('Post')", "geopoint(116.4, 39.9)",
    "geopoint(999, 1)", "file('x')", "base64('aGVsbG8=')", "current_timestamp()",
    "op('Increment', {\"amount\": 2})", "op('Nope', {})", "op('Add', {\"objects\": 1})", "now()",
)  # fmt: skip
_NAMES = ("n", "text", "flag", "list", "map", "at", "place", "post", "fans", "map.a", "objectId")
_WORDS = (
    "select", "from", "where", "and", "or", "not", "in", "like", "regexp", "is", "exists", "order",
    "by", "limit", "asc", "desc", "count", "*", "(", ")", ",", "=", "<>", "!=", "?", ";", "--",
    "insert", "into", "values", "update", "set", "delete", "include", "size", "all", "near", "max",
    "km", "within", "related", "to", "`", "'", "[", "]", "{", "}", ":", "\n", "union", "objectId",
)  # fmt: skip


class Statements:
    """Statements out of material."""

    def __init__(self, material: Material) -> None:
        self._material = material

    def statement(self) -> str:
        chance = self._material.chance
        kind = chance.randrange(20)
        if kind == 0:
            return " ".join(chance.choice(_WORDS) for _ in range(chance.randrange(15)))
        if kind == 1:
            depth = chance.choice((20, 80, 400))
            return f"select * from Thing where {'(' * depth}n = 1{')' * depth}"
        if kind == 2:
            return f"select * from Thing where {' or '.join(['n = 1'] * chance.choice((50, 200)))}"
        text = self._filled(chance.choice(_STATEMENTS), 3)
        return self._material.broken(text) if kind < 5 else text

    def values(self) -> Any:
        """What stands in for the question marks."""
        material = self._material
        if material.often(0.1):
            return material.value()
        return [material.value(2) for _ in range(material.chance.randrange(5))]

    def _filled(self, template: str, depth: int) -> str:
        material, chance = self._material, self._material.chance
        made = {
            "fields": material.chance.choice(("*", "n, text", "-n", "count(objectId)", "n, n")),
            "class": material.class_name(),
            "name": chance.choice(_NAMES) if material.often(0.9) else material.field(),
            "id": material.object_id(),
            "order": material.path_list(),
            "count": str(material.chance.choice((0, 1, 10, -1, 2**70, 0.5, "?"))),
            "string": material.chance.choice(("'%a_%'", "'\\\\'", "'('", "?", "'a%'", '"x"')),
            "value": material.chance.choice(_VALUES),
            "cond": "",
        }
        if "{cond}" in template:
            inner = material.chance.choice(_CONDITIONS if depth else _CONDITIONS[:10])
            made["cond"] = self._filled(inner, depth - 1)
        return template.format(**made)
