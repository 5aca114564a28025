"""Distances and rectangles, held against other ways to work them out."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lean_emulator.model.geo import EARTH_KILOMETERS, EARTH_MILES, coordinates, distance
from lean_emulator.model.predicate import compile_where, nearness
from lean_emulator.model.query import All, Near, Within
from lean_emulator.model.values import MISSING

latitudes = st.floats(-90, 90) | st.sampled_from([-90.0, 0.0, 90.0])
longitudes = st.floats(-180, 180) | st.sampled_from([-180.0, 0.0, 180.0])
places = st.tuples(latitudes, longitudes)
Place = tuple[float, float]


def point(place: Place) -> dict[str, Any]:
    return {"__type": "GeoPoint", "latitude": float(place[0]), "longitude": float(place[1])}


def apart(a: Place, b: Place) -> float:
    found = distance(*a, point(b))
    assert found is not None
    return found


def on_the_sphere(place: Place) -> tuple[float, float, float]:
    latitude, longitude = map(math.radians, place)
    return (
        math.cos(latitude) * math.cos(longitude),
        math.cos(latitude) * math.sin(longitude),
        math.sin(latitude),
    )


def angle(a: Place, b: Place) -> float:
    """Between two vectors, by their cross and dot products."""
    (x, y, z), (u, v, w) = on_the_sphere(a), on_the_sphere(b)
    across = math.hypot(y * w - z * v, z * u - x * w, x * v - y * u)
    return math.atan2(across, x * u + y * v + z * w)


@given(places, places)
def test_distance_is_the_angle_between_vectors(a: Place, b: Place) -> None:
    # near the antipode, the sine loses half of its digits
    assert apart(a, b) == pytest.approx(angle(a, b), abs=1e-7)


@given(places, places)
def test_distance_is_the_same_both_ways_and_never_over_half_way_around(a: Place, b: Place) -> None:
    assert apart(a, b) == pytest.approx(apart(b, a), abs=1e-7)
    assert 0 <= apart(a, b) <= math.pi


@given(places)
def test_no_place_is_far_from_itself(place: Place) -> None:
    assert apart(place, place) == 0


@given(places, places, places)
def test_a_detour_is_no_shorter(a: Place, b: Place, c: Place) -> None:
    assert apart(a, c) <= apart(a, b) + apart(b, c) + 1e-6


@given(latitudes)
def test_the_date_line_is_one_line(latitude: float) -> None:
    assert apart((latitude, 180.0), (latitude, -180.0)) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize(
    ("a", "b", "kilometers"),
    [
        ((0, 0), (0, 180), math.pi * EARTH_KILOMETERS),
        ((90, 0), (-90, 77), math.pi * EARTH_KILOMETERS),
        ((90, 0), (0, -33), math.pi / 2 * EARTH_KILOMETERS),
        ((0, 0), (0, 1), 111.19),
        ((39.9042, 116.4074), (31.2304, 121.4737), 1067.3),
        ((-17, 179), (-17.7, 178), 131.6),
    ],
)
def test_known_distances(a: Place, b: Place, kilometers: float) -> None:
    assert apart(a, b) * EARTH_KILOMETERS == pytest.approx(kilometers, rel=1e-3)
    assert apart(a, b) * EARTH_MILES == pytest.approx(kilometers / 1.60934, rel=1e-3)


@pytest.mark.parametrize(
    "value",
    [
        MISSING,
        None,
        5,
        [1.0, 2.0],
        {},
        {"latitude": 1.0, "longitude": 2.0},
        {"__type": "GeoPoint", "latitude": 1.0},
        {"__type": "GeoPoint", "latitude": "1", "longitude": 2.0},
        {"__type": "Pointer", "latitude": 1.0, "longitude": 2.0},
    ],
)
def test_what_is_no_place_has_no_distance(value: Any) -> None:
    assert coordinates(value) is None
    assert distance(0, 0, value) is None
    assert not compile_where(Near("at", 0, 0))({} if value is MISSING else {"at": value})
    assert not compile_where(Within("at", -90, -180, 90, 180))({"at": value})


@given(places, places, st.floats(0, 4), st.floats(0, 4))
def test_near_holds_between_its_distances(a: Place, b: Place, least: float, most: float) -> None:
    found = compile_where(Near("at", *a, least, most))({"at": point(b)})
    assert found is (least <= apart(a, b) <= most)


@given(places, places, places)
def test_a_box_is_walked_eastwards(south_west: Place, north_east: Place, place: Place) -> None:
    (south, west), (north, east) = south_west, north_east
    found = compile_where(Within("at", south, west, north, east))({"at": point(place)})
    width = east - west if east >= west else east - west + 360
    steps = place[1] - west if place[1] >= west else place[1] - west + 360
    edge = place[1] in (west, east) or math.isclose(steps, width)  # doubles round on the way
    if not edge:
        assert found is (south <= place[0] <= north and steps <= width)


@given(places, st.lists(places, max_size=6))
def test_what_is_nearer_comes_first(origin: Place, found: list[Place]) -> None:
    key = nearness(All((Near("at", *origin),)))
    assert key is not None
    rows: list[dict[str, Any]] = [{"at": point(place)} for place in found]
    expected = sorted(found, key=lambda place: apart(origin, place))
    assert [row["at"] for row in sorted(rows, key=key)] == [point(place) for place in expected]


def test_of_several_places_the_nearest_counts() -> None:
    key = nearness(Near("l.at", 0, 0))
    assert key is not None
    near, far = point((1, 1)), point((50, 50))
    assert key({"l": [{"at": far}, {"at": near}]}) == key({"l": [{"at": near}]})
    assert key({"l": [{"at": None}]}) == math.inf
    assert nearness(Within("at", 0, 0, 1, 1)) is None
