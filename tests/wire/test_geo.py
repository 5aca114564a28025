"""Queries for places (storage.md 4.3)."""

from pathlib import Path
from typing import Any

from tests.support.matchers import With, error, text_with
from tests.support.questions import Question, ask_all, rows, to
from tests.support.scenario import Id, SignedUp, Stored


def point(latitude: float, longitude: float) -> dict[str, Any]:
    return {"__type": "GeoPoint", "latitude": latitude, "longitude": longitude}


BEIJING = point(39.9042, 116.4074)
# Great circles from Beijing on a sphere of 6371 km, by another formula than ours (atan2 of cross
# and dot product): Tianjin 113.8 km or 70.7 miles, Shanghai 1067.3 km or 663.2 miles,
# Fiji 1.418 radians, Samoa 1.487.
STORED: list[Stored | SignedUp] = [
    Stored("shanghai", "Place", {"name": "s", "n": 3, "at": point(31.2304, 121.4737)}),
    Stored("nowhere", "Place", {"name": "x", "n": 9}),
    Stored("beijing", "Place", {"name": "b", "n": 1, "at": BEIJING}),
    Stored("tianjin", "Place", {"name": "t", "n": 2, "at": point(39.0842, 117.2009)}),
    Stored("null", "Place", {"name": "y", "n": 8, "at": None}),
    Stored("fiji", "Place", {"name": "f", "n": 5, "at": point(-17.7, 178.0)}),
    Stored("samoa", "Place", {"name": "a", "n": 4, "at": point(-13.8, -172.1)}),
    Stored("inner", "Trip", {"o": {"at": point(1, 1)}, "place": to("Place", Id("beijing"))}),
    Stored("listed", "Trip", {"l": [{"at": point(50, 50)}, {"at": point(2, 2)}], "n": 1,
                              "place": to("Place", Id("shanghai"))}),
]  # fmt: skip
FROM_BEIJING = ["beijing", "tianjin", "shanghai", "fiji", "samoa"]


def places(name: str, at: Any, *found: str, **params: Any) -> Question:
    return Question(name, "/1.1/classes/Place", rows(*found), {"where": {"at": at}, **params})


def trips(name: str, where: Any, *found: str) -> Question:
    return Question(name, "/1.1/classes/Trip", rows(*found), {"where": where})


def near(origin: Any = BEIJING, **limits: Any) -> dict[str, Any]:
    return {"$nearSphere": origin, **{f"${name}": limit for name, limit in limits.items()}}


NEAR = [
    places("near to far, without those that are nowhere", near(), *FROM_BEIJING),
    places("a pair of numbers, longitude first", near([116.4074, 39.9042]), *FROM_BEIJING),
    places("from the other end", near(point(-14, -172)), *reversed(FROM_BEIJING)),
    places("over the pole", near(point(89, -60)), "beijing", "tianjin", "shanghai", "samoa",
           "fiji"),
    places("over the date line", near(point(-17, 179)), "fiji", "samoa", "shanghai", "tianjin",
           "beijing"),
    places("radians", near(maxDistance=114 / 6371), "beijing", "tianjin"),
    places("radians, less", near(maxDistance=113 / 6371), "beijing"),
    places("radians by name", near(maxDistanceInRadians=114 / 6371), "beijing", "tianjin"),
    places("kilometers", near(maxDistanceInKilometers=114), "beijing", "tianjin"),
    places("kilometers, less", near(maxDistanceInKilometers=113), "beijing"),
    places("miles", near(maxDistanceInMiles=71), "beijing", "tianjin"),
    places("miles, less", near(maxDistanceInMiles=70), "beijing"),
    places("at no distance", near(maxDistance=0), "beijing"),
    places("at less than no distance", near(maxDistance=-1)),
    places("at least", near(minDistance=114 / 6371), "shanghai", "fiji", "samoa"),
    places("at least radians by name", near(minDistanceInRadians=1.45), "samoa"),
    places("at least kilometers", near(minDistanceInKilometers=113), *FROM_BEIJING[1:]),
    places("at least miles", near(minDistanceInMiles=71), *FROM_BEIJING[2:]),
    places("from and to", near(minDistanceInKilometers=1, maxDistanceInKilometers=1068),
           "tianjin", "shanghai"),
    places("from and to in different units", near(minDistance=0.001, maxDistanceInMiles=664),
           "tianjin", "shanghai"),
    places("from after to", near(minDistanceInKilometers=200, maxDistanceInKilometers=100)),
    places("a page", near(), "tianjin", "shanghai", skip=1, limit=2),
    places("order wins", near(), "beijing", "tianjin", "shanghai", "samoa", "fiji", order="n"),
    places("order wins, descending", near(), "fiji", "samoa", "shanghai", "tianjin", "beijing",
           order="-n"),
    places("order wins, with a page", near(), "samoa", "fiji", order="n", skip=3, limit=5),
    places("beside another operator", near() | {"$ne": BEIJING}, *FROM_BEIJING[1:]),
    places("beside a $box", near() | {"$within": {"$box": [[110, 30], [130, 39.5]]}},
           "tianjin", "shanghai"),
    places("not near", {"$not": near(maxDistanceInKilometers=1068)}, "nowhere", "null", "fiji",
           "samoa"),
    places("beside a field", near(), "shanghai", where={"at": near(), "n": 3}),
    places("inside $and", None, "tianjin", "shanghai",
           where={"$and": [{"at": near()}, {"n": {"$in": [2, 3]}}]}),
    places("beside $or", None, "beijing", "shanghai",
           where={"at": near(), "$or": [{"n": 3}, {"n": 1}]}),
    places("in a list of conditions", None, "tianjin", "shanghai",
           where=[{"n": {"$in": [2, 3]}}, {"at": near()}]),
    places("keys do not change the order", near(), *FROM_BEIJING, keys="name"),
    Question("counted", "/1.1/classes/Place", {**rows("beijing"), "count": 5},
             {"where": {"at": near()}, "limit": 1, "count": 1}),
    Question("counted within", "/1.1/classes/Place", {"results": [], "count": 2},
             {"where": {"at": near(maxDistanceInKilometers=200)}, "limit": 0, "count": 1}),
    Question("no place is in a column that is none", "/1.1/classes/Place", rows(),
             {"where": {"n": near()}}),
    Question("no place is in a column nobody has", "/1.1/classes/Place", rows(),
             {"where": {"nothing": near()}}),
    trips("inside an Object", {"o.at": near(point(0, 0), maxDistanceInKilometers=200)}, "inner"),
    trips("inside a list of Objects", {"l.at": near(point(0, 0), maxDistanceInKilometers=400)},
          "listed"),
    trips("in a sub-query", {"place": {"$inQuery": {"className": "Place", "where": {
        "at": near(maxDistanceInKilometers=200)}}}}, "inner"),
    trips("the nearest, in a sub-query", {"place": {"$inQuery": {
        "className": "Place", "where": {"at": near(point(31, 121))}, "limit": 1}}}, "listed"),
]  # fmt: skip


def box(name: str, south_west: Any, north_east: Any, *found: str, **params: Any) -> Question:
    return places(f"$box {name}", {"$within": {"$box": [south_west, north_east]}}, *found, **params)


BOXES = [
    box("of points", point(39, 116), point(40, 118), "beijing", "tianjin"),
    box("of pairs of numbers", [116, 39], [118, 40], "beijing", "tianjin"),
    box("of one of each", [116, 39], point(40, 118), "beijing", "tianjin"),
    box("edges are in", BEIJING, BEIJING, "beijing"),
    box("of the world", [-180, -90], [180, 90], "shanghai", *FROM_BEIJING[:2], "fiji", "samoa"),
    box("north of south only", point(40, 116), point(39, 118)),
    box("across the date line", [170, -30], [-170, 0], "fiji", "samoa"),
    box("up to the date line", [170, -30], [180, 0], "fiji"),
    box("beyond the date line", [-180, -30], [-170, 0], "samoa"),
    box("everything but the Pacific", [-170, -90], [170, 90], "shanghai", "beijing", "tianjin"),
    box("in order", [100, 0], [130, 50], "tianjin", "beijing", order="-n", skip=1),
    box("empty", [0, 0], [1, 1]),
    places("$box negated", {"$not": {"$within": {"$box": [[100, 0], [130, 50]]}}}, "nowhere",
           "null", "fiji", "samoa"),
    places("$box inside $and", None, "shanghai",
           where={"$and": [{"at": {"$within": {"$box": [[100, 0], [130, 50]]}}}, {"n": 3}]}),
    trips("$box inside an Object", {"o.at": {"$within": {"$box": [[0, 0], [2, 2]]}}}, "inner"),
    Question("$box counted", "/1.1/classes/Place", {"results": [], "count": 3},
             {"where": {"at": {"$within": {"$box": [[100, 0], [130, 50]]}}}, "limit": 0,
              "count": 1}),
]  # fmt: skip

EQUAL = [
    places("a point", BEIJING, "beijing"),
    places("a point of whole numbers", point(1, 1)),
    trips("a point of whole numbers inside an Object", {"o.at": point(1, 1)}, "inner"),
    places("$in", {"$in": [BEIJING, point(-17.7, 178)]}, "beijing", "fiji"),
    Question("coordinates come back as doubles", "/1.1/classes/Trip/{inner}",
             With({"o": {"at": point(1.0, 1.0)}})),
]  # fmt: skip

NOT_QUERIES: list[tuple[str, Any, Any]] = [
    ("no point", near(5), error(1, text_with("$nearSphere", "at"))),
    ("a text", near("39,116"), error(1)),
    ("nothing", near(None), error(1)),
    ("one number", near([1]), error(1)),
    ("three numbers", near([1, 2, 3]), error(1)),
    ("texts for numbers", near(["1", "2"]), error(1)),
    ("truth for numbers", near([True, False]), error(1)),
    ("a point without a longitude", near({"__type": "GeoPoint", "latitude": 1}), error(1)),
    ("a point without a type", near({"latitude": 1, "longitude": 2}), error(1)),
    ("a pointer", near(to("Place", "x")), error(1)),
    ("a latitude out of range", near(point(90.1, 0)), error(302)),
    ("a longitude out of range", near(point(0, -180.1)), error(302)),
    ("a pair out of range", near([0, 91]), error(302)),
    ("a distance in a unit nobody knows", near(maxDistanceInMetres=5),
     error(1, text_with("$maxDistanceInMetres", "at"))),
    ("a distance that is no number", near(maxDistance="5"), error(1)),
    ("a distance that is null", near(minDistance=None), error(1)),
    ("a distance that is true", near(minDistanceInMiles=True), error(1)),
    ("a distance from nowhere", {"$maxDistance": 5}, error(1, text_with("$maxDistance", "at"))),
    ("$within of nothing", {"$within": {}}, error(1, text_with("$within", "at"))),
    ("$within of a list", {"$within": [[0, 0], [1, 1]]}, error(1)),
    ("$within another figure", {"$within": {"$polygon": [[0, 0], [1, 1], [2, 0]]}}, error(1)),
    ("$box of one corner", {"$within": {"$box": [[0, 0]]}}, error(1)),
    ("$box of three corners", {"$within": {"$box": [[0, 0], [1, 1], [2, 2]]}}, error(1)),
    ("$box of numbers", {"$within": {"$box": [0, 0]}}, error(1, text_with("$box", "at"))),
    ("$box out of range", {"$within": {"$box": [[0, 0], [181, 1]]}}, error(302)),
    ("$near", {"$near": BEIJING}, error(1, text_with("$near"))),
    ("$geoWithin", {"$geoWithin": {"$box": [[0, 0], [1, 1]]}}, error(1)),
]  # fmt: skip
INSIDE_OR = [
    Question(f"refused: {name}", "/1.1/classes/Place", error(1, text_with("'at'", "$or")),
             {"where": where}, status=400)
    for name, where in [
        ("$nearSphere in $or", {"$or": [{"at": near()}, {"n": 1}]}),
        ("$within in $or", {"$or": [{"n": 1}, {"at": {"$within": {"$box": [[0, 0], [1, 1]]}}}]}),
        ("$within in $nor", {"$nor": [{"at": {"$within": {"$box": [[0, 0], [1, 1]]}}}]}),
        ("deeper", {"$or": [{"$and": [{"n": 1}, {"at": {"$not": {"$within": {
            "$box": [[0, 0], [1, 1]]}}}}]}, {"n": 2}]}),
    ]
]  # fmt: skip
REFUSED = [
    Question(f"refused: {name}", "/1.1/classes/Place", answer, {"where": {"at": at}}, status=400)
    for name, at, answer in NOT_QUERIES
]


async def test_geo(tmp_path: Path) -> None:
    await ask_all([*NEAR, *BOXES, *EQUAL, *INSIDE_OR, *REFUSED], STORED, tmp_path)
