"""Distances on the globe and rectangles on the map (storage.md 4.3)."""

from math import asin, cos, radians, sin, sqrt

from lean_emulator.base.jsontext import Json
from lean_emulator.model.values import Missing

EARTH_KILOMETERS = 6371.0
EARTH_MILES = 3958.8
"""What the SDKs divide by to get radians."""


def distance(latitude: float, longitude: float, value: Json | Missing) -> float | None:
    """Radians between a point and a GeoPoint value; ``None`` for any other value."""
    other = coordinates(value)
    if other is None:
        return None
    here, there = radians(latitude), radians(other[0])
    across = sin(radians(other[1] - longitude) / 2) ** 2
    chord = sin((there - here) / 2) ** 2 + cos(here) * cos(there) * across
    return 2 * asin(min(1.0, sqrt(chord)))


def coordinates(value: Json | Missing) -> tuple[float, float] | None:
    """Latitude and longitude of a GeoPoint value; ``None`` for any other value."""
    if not isinstance(value, dict) or value.get("__type") != "GeoPoint":
        return None
    latitude, longitude = value.get("latitude"), value.get("longitude")
    if isinstance(latitude, float) and isinstance(longitude, float):
        return latitude, longitude
    return None
