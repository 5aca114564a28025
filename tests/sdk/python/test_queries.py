"""Every condition of leancloud.Query, order, pages, selection and scan."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import leancloud
import pytest
from emu_process import Emulator
from stored_objects import fresh_class, ids, save

pytestmark = pytest.mark.usefixtures("emu")


def day(number: int) -> datetime:
    return datetime(2021, 1, number, tzinfo=UTC)


PEOPLE: list[dict[str, Any]] = [
    {"name": "ann", "n": 1, "at": day(1), "tags": ["x", "y"], "on": True},
    {"name": "Bob", "n": 2, "at": day(2), "tags": ["y"], "on": False},
    {"name": "cid.e", "n": 3, "at": day(3), "tags": []},
    {"name": "dee", "n": None, "map": {"deep": {"q": 1}}},
    {"name": "eve", "list": [{"k": 1}, {"k": 2}]},
]


@pytest.fixture
def people() -> str:
    class_name = fresh_class("Person")
    leancloud.Object.save_all([leancloud.Object.create(class_name, **row) for row in PEOPLE])
    return class_name


def names(query: Any) -> list[str]:
    return [one.get("name") for one in query.find()]


CONDITIONS: list[tuple[str, Callable[[Any], Any], list[str]]] = [
    ("nothing", lambda q: q, ["Bob", "ann", "cid.e", "dee", "eve"]),
    ("equal_to a text", lambda q: q.equal_to("name", "ann"), ["ann"]),
    ("equal_to a date", lambda q: q.equal_to("at", day(2)), ["Bob"]),
    ("equal_to a member", lambda q: q.equal_to("tags", "y"), ["Bob", "ann"]),
    ("equal_to a whole list", lambda q: q.equal_to("tags", ["x", "y"]), ["ann"]),
    ("equal_to a map", lambda q: q.equal_to("map", {"deep": {"q": 1}}), ["dee"]),
    ("equal_to a dotted path", lambda q: q.equal_to("map.deep.q", 1), ["dee"]),
    ("equal_to inside a list", lambda q: q.equal_to("list.k", 2), ["eve"]),
    ("equal_to null", lambda q: q.equal_to("n", None), ["dee", "eve"]),
    ("not_equal_to", lambda q: q.not_equal_to("n", 2), ["ann", "cid.e", "dee", "eve"]),
    ("less_than", lambda q: q.less_than("n", 2), ["ann"]),
    ("less_than_or_equal_to", lambda q: q.less_than_or_equal_to("n", 2), ["Bob", "ann"]),
    ("greater_than", lambda q: q.greater_than("n", 2), ["cid.e"]),
    ("greater_than_or_equal_to", lambda q: q.greater_than_or_equal_to("n", 2), ["Bob", "cid.e"]),
    ("two bounds", lambda q: q.greater_than("n", 1).less_than("n", 3), ["Bob"]),
    ("bounds of dates", lambda q: q.greater_than("at", day(2)), ["cid.e"]),
    ("bounds of texts", lambda q: q.greater_than("name", "d"), ["dee", "eve"]),
    ("bounds keep to a type", lambda q: q.greater_than("name", 0), []),
    ("contained_in", lambda q: q.contained_in("n", [1, 3, 5]), ["ann", "cid.e"]),
    ("contained_in on a list", lambda q: q.contained_in("tags", ["x", "z"]), ["ann"]),
    ("not_contained_in", lambda q: q.not_contained_in("n", [1, 3]), ["Bob", "dee", "eve"]),
    ("contains_all", lambda q: q.contains_all("tags", ["y", "x"]), ["ann"]),
    ("size_equal_to", lambda q: q.size_equal_to("tags", 1), ["Bob"]),
    ("exists", lambda q: q.exists("n"), ["Bob", "ann", "cid.e", "dee"]),
    ("does_not_exist", lambda q: q.does_not_exist("n"), ["eve"]),
    ("contains", lambda q: q.contains("name", "e"), ["cid.e", "dee", "eve"]),
    ("startswith", lambda q: q.startswith("name", "a"), ["ann"]),
    ("endswith", lambda q: q.endswith("name", "ee"), ["dee"]),
    ("matched", lambda q: q.matched("name", "^[ac]"), ["ann", "cid.e"]),
    ("matched without case", lambda q: q.matched("name", "^[AB]", True), ["Bob", "ann"]),
    ("matched over lines", lambda q: q.matched("name", "^ann$", multi_line=True), ["ann"]),
]


@pytest.mark.parametrize(
    ("build", "expected"), [row[1:] for row in CONDITIONS], ids=[row[0] for row in CONDITIONS]
)
def test_condition(build: Callable[[Any], Any], expected: list[str], people: str) -> None:
    assert sorted(names(build(leancloud.Query(people)))) == expected


def test_or_and_and(people: str) -> None:
    def query() -> Any:
        return leancloud.Query(people)

    either = leancloud.Query.or_(query().equal_to("n", 1), query().equal_to("name", "eve"))
    assert sorted(names(either)) == ["ann", "eve"]
    assert names(either.exists("tags")) == ["ann"]
    both = leancloud.Query.and_(query().contains("name", "e"), query().contains("name", "v"))
    assert names(both) == ["eve"]
    nested = leancloud.Query.or_(both, query().equal_to("on", False))
    assert sorted(names(nested)) == ["Bob", "eve"]


def test_order_by_several_keys() -> None:
    class_name = fresh_class()
    for name, x, y in (("a", 2, 1), ("b", 1, 1), ("c", 2, 2)):
        save(class_name, name=name, x=x, y=y)
    save(class_name, name="d")

    def query() -> Any:
        return leancloud.Query(class_name)

    assert names(query().ascending("x").add_descending("y")) == ["d", "b", "c", "a"]
    assert names(query().descending("x").add_ascending("y")) == ["a", "c", "b", "d"]
    assert names(query()) == ["a", "b", "c", "d"], "the oldest first"


def test_pages_and_counts(people: str) -> None:
    def query() -> Any:
        return leancloud.Query(people).ascending("name")

    assert names(query().skip(1).limit(2)) == ["ann", "cid.e"]
    assert names(query().limit(0)) == []
    assert names(query().skip(9)) == []
    assert query().exists("n").limit(1).count() == 4
    assert query().first().get("name") == "Bob"
    with pytest.raises(leancloud.LeanCloudError) as missing:
        query().equal_to("name", "nobody").first()
    assert missing.value.code == 101


def test_select_and_its_opposite(people: str) -> None:
    query = leancloud.Query(people).equal_to("name", "ann")
    (chosen,) = query.select("name", "tags").find()
    assert (chosen.get("name"), chosen.get("tags"), chosen.get("n")) == ("ann", ["x", "y"], None)
    assert chosen.id
    assert chosen.created_at
    (rest,) = leancloud.Query(people).equal_to("name", "ann").select("-name").find()
    assert (rest.get("name"), rest.get("n")) == (None, 1)


def three_levels() -> Any:
    country = save(fresh_class("Country"), name="Iceland", size=3)
    city = save(fresh_class("City"), name="Vik", country=country)
    return save(fresh_class("House"), name="h", city=city, near=[city])


def test_include_over_several_levels_and_in_lists() -> None:
    house = three_levels()
    query = leancloud.Query(house._class_name).include("city.country", "near")
    (found,) = query.find()
    assert found.get("city").get("name") == "Vik"
    assert found.get("city").get("country").get("name") == "Iceland"
    assert found.get("near")[0].get("name") == "Vik"


def test_select_narrows_what_is_included() -> None:
    house = three_levels()
    query = leancloud.Query(house._class_name).include("city.country").select("city.country.size")
    (found,) = query.find()
    country = found.get("city").get("country")
    assert (country.get("size"), country.get("name"), found.get("name")) == (3, None, None)


def test_an_included_pointer_to_nothing_stays_a_pointer() -> None:
    post = save(fresh_class("Post"))
    comment = save(fresh_class("Comment"), post=post)
    post.destroy()
    (found,) = leancloud.Query(comment._class_name).include("post").find()
    assert found.get("post").id == post.id


@pytest.fixture
def comments() -> tuple[str, str]:
    """Names of a class of posts and of one whose objects point at them."""
    posts, class_name = fresh_class("Post"), fresh_class("Comment")
    good, bad = save(posts, title="good", stars=5), save(posts, title="bad", stars=1)
    save(class_name, name="one", post=good, topic="good")
    save(class_name, name="two", post=bad, topic="bad")
    save(class_name, name="three", topic="none")
    return posts, class_name


def test_matches_query(comments: tuple[str, str]) -> None:
    liked = leancloud.Query(comments[0]).greater_than("stars", 3)
    query = leancloud.Query(comments[1])
    assert names(query.matches_query("post", liked)) == ["one"]
    query = leancloud.Query(comments[1])
    assert names(query.does_not_match_query("post", liked)) == ["two", "three"]


def test_the_limit_of_an_inner_query_counts(comments: tuple[str, str]) -> None:
    best = leancloud.Query(comments[0]).descending("stars").limit(1)
    assert names(leancloud.Query(comments[1]).matches_query("post", best)) == ["one"]


def test_matches_key_in_query(comments: tuple[str, str]) -> None:
    bad = leancloud.Query(comments[0]).less_than("stars", 3)
    query = leancloud.Query(comments[1])
    assert names(query.matches_key_in_query("topic", "title", bad)) == ["two"]
    query = leancloud.Query(comments[1])
    assert names(query.does_not_match_key_in_query("topic", "title", bad)) == ["one", "three"]


def test_conditions_on_pointers_and_times(comments: tuple[str, str]) -> None:
    good = leancloud.Query(comments[0]).equal_to("title", "good").first()
    assert names(leancloud.Query(comments[1]).equal_to("post", good)) == ["one"]
    query = leancloud.Query(comments[1])
    assert query.greater_than("createdAt", datetime(2020, 1, 1, tzinfo=UTC)).count() == 3
    assert query.less_than("updatedAt", datetime(2020, 1, 1, tzinfo=UTC)).count() == 0


def numbered(count: int) -> str:
    class_name = fresh_class("Row")
    leancloud.Object.save_all([leancloud.Object.create(class_name, n=n) for n in range(count)])
    return class_name


def test_scan_walks_through_everything_with_the_master_key() -> None:
    class_name = numbered(23)
    leancloud.use_master_key(True)
    rows = list(leancloud.Query(class_name).scan(batch_size=10))
    assert sorted(row.get("n") for row in rows) == list(range(23))
    assert [row.id for row in rows] == ids(rows)


def test_scan_obeys_conditions_and_another_key() -> None:
    class_name = numbered(12)
    leancloud.use_master_key(True)
    query = leancloud.Query(class_name).greater_than_or_equal_to("n", 2)
    assert len(list(query.scan(batch_size=5, scan_key="createdAt"))) == 10
    assert list(leancloud.Query(class_name).equal_to("n", 99).scan()) == []


def test_scan_without_the_master_key_is_refused() -> None:
    class_name = numbered(1)
    with pytest.raises(leancloud.LeanCloudError) as refused:
        list(leancloud.Query(class_name).scan())
    assert (refused.value.code, refused.value.error) == (
        1,
        "The request must be signed by master key.",
    )


def test_a_hundred_objects_come_unless_told(emu: Emulator) -> None:
    class_name = numbered(120)
    assert len(leancloud.Query(class_name).find()) == 100
    assert len(leancloud.Query(class_name).limit(1000).find()) == 120


CITIES = {
    "Beijing": (39.9042, 116.4074),
    "Tianjin": (39.0842, 117.2009),
    "Shanghai": (31.2304, 121.4737),
    "Reykjavik": (64.1466, -21.9426),
}
BEIJING = leancloud.GeoPoint(*CITIES["Beijing"])


@pytest.fixture
def cities() -> str:
    class_name = fresh_class("City")
    for name, place in reversed(CITIES.items()):
        save(class_name, name=name, place=leancloud.GeoPoint(*place))
    save(class_name, name="nowhere")
    return class_name


def test_near_gives_the_nearest_first(cities: str) -> None:
    assert names(leancloud.Query(cities).near("place", BEIJING)) == list(CITIES)
    query = leancloud.Query(cities).near("place", BEIJING).skip(1).limit(1)
    assert names(query) == ["Tianjin"]


def test_circles_and_rings(cities: str) -> None:
    def query() -> Any:
        return leancloud.Query(cities)

    near = ["Beijing", "Tianjin"]
    assert names(query().within_kilometers("place", BEIJING, 200)) == near
    assert names(query().within_miles("place", BEIJING, 125)) == near
    assert names(query().within_radians("place", BEIJING, 200 / 6371)) == near
    assert names(query().within_kilometers("place", BEIJING, 1200, 50)) == ["Tianjin", "Shanghai"]


def test_a_box(cities: str) -> None:
    southwest, northeast = leancloud.GeoPoint(38, 115), leancloud.GeoPoint(41, 118)
    query = leancloud.Query(cities).within_geo_box("place", southwest, northeast)
    assert names(query.ascending("name")) == ["Beijing", "Tianjin"]


def test_an_order_wins_over_the_distance(cities: str) -> None:
    query = leancloud.Query(cities).within_kilometers("place", BEIJING, 1200)
    assert names(query.descending("name")) == ["Tianjin", "Shanghai", "Beijing"]
