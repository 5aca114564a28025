"""Random values and where documents, from a small world so that things often match."""

from typing import Any

from hypothesis import strategies as st

FIELDS = ("a", "b", "c")
PATHS = (*FIELDS, "a.b", "b.a", "a.b.c", "c.a")

SCALARS: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    2,
    1.0,
    1.5,
    -1,
    "",
    "x",
    "X",
    "xy",
    "1",
    {"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"},
    {"__type": "Date", "iso": "2021-06-01T12:00:00.500Z"},
    {"__type": "Pointer", "className": "Post", "objectId": "p1"},
    {"__type": "Pointer", "className": "Post", "objectId": "p2"},
    {"__type": "GeoPoint", "latitude": 1.0, "longitude": 2.0},
    {"__type": "Bytes", "base64": "YQ=="},
    {"__type": "Bytes", "base64": "Yg=="},
    {"__type": "File", "id": "f1"},
]
ORDERED = [
    value
    for value in SCALARS
    if not isinstance(value, dict) or value["__type"] in ("Date", "Bytes")
]

scalars = st.sampled_from(SCALARS)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=2)
    ),
    max_leaves=4,
)
documents = st.dictionaries(st.sampled_from(FIELDS), values, max_size=3)

PATTERNS = ["x", "^x", "y$", "^$", "X", "[xy]+", "^1|y"]


def _operator_objects() -> st.SearchStrategy[Any]:
    lists = st.lists(values, max_size=3)
    return st.fixed_dictionaries(
        {},
        optional={
            "$eq": values,
            "__eq": values,
            "$ne": values,
            "$lt": st.sampled_from(ORDERED),
            "$lte": st.sampled_from(ORDERED),
            "$gt": st.sampled_from(ORDERED),
            "$gte": st.sampled_from(ORDERED),
            "$in": lists | st.lists(st.sampled_from(["x", "1", ""]), max_size=3),
            "$nin": lists | st.lists(st.sampled_from(["x", "1", ""]), max_size=3),
            "$all": lists,
            "$size": st.integers(0, 3),
            "$exists": st.booleans(),
            "$regex": st.sampled_from(PATTERNS),
        },
    ).filter(lambda found: 0 < len(found) <= 2)


_with_options = st.fixed_dictionaries(
    {"$regex": st.sampled_from(PATTERNS), "$options": st.sampled_from(["", "i", "im"])}
)
operators = _operator_objects() | _with_options
conditions = values | operators | st.fixed_dictionaries({"$not": operators})
fields = st.dictionaries(st.sampled_from(PATHS), conditions, max_size=2)
wheres = st.recursive(
    fields,
    lambda inner: st.fixed_dictionaries({}, optional={
        "$and": st.lists(inner, min_size=1, max_size=3),
        "$or": st.lists(inner, min_size=1, max_size=3),
        "$nor": st.lists(inner, min_size=1, max_size=2),
    }) | st.lists(inner, max_size=2),
    max_leaves=4,
)  # fmt: skip
