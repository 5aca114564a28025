"""CQL through leancloud.Query.do_cloud_query."""

from typing import Any

import leancloud
import pytest
from stored_objects import bare, fresh_class, reread, save

pytestmark = pytest.mark.usefixtures("emu")


@pytest.fixture
def scores() -> str:
    class_name = fresh_class("Score")
    save(class_name, name="ann", points=10, tags=["x", "y"])
    save(class_name, name="bob", points=20, tags=["y"], place=leancloud.GeoPoint(39.9, 116.4))
    save(class_name, name="cid", points=30)
    save(class_name, name="d%e")
    return class_name


def cql(text: str, *values: Any) -> Any:
    return leancloud.Query.do_cloud_query(text, *values)


def names(answer: Any) -> list[str]:
    return [one.get("name") for one in answer.results]


def test_select_gives_objects_of_the_class(scores: str) -> None:
    answer = cql(f"select * from {scores}")
    assert (answer.class_name, answer.count) == (scores, None)
    assert names(answer) == ["ann", "bob", "cid", "d%e"]
    assert all(one.id and one.created_at for one in answer.results)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("name = 'ann'", ["ann"]),
        ("points > 10 and points <= 30", ["bob", "cid"]),
        ("points < 15 or name = 'cid'", ["ann", "cid"]),
        ("points not in (10, 30)", ["bob", "d%e"]),
        ("points is not exists", ["d%e"]),
        ("name like 'b%'", ["bob"]),
        ("tags all ('x', 'y')", ["ann"]),
        ("place near [116.4, 39.9] max 10 km", ["bob"]),
    ],
)
def test_where(where: str, expected: list[str], scores: str) -> None:
    assert sorted(names(cql(f"select * from {scores} where {where}"))) == expected


def test_values_stand_in_for_question_marks(scores: str) -> None:
    text = f"select * from {scores} where name = ? and points > ? limit ?"
    assert names(cql(text, "bob", 5, 10)) == ["bob"]
    assert names(cql(text, ["bob", 5, 10])) == ["bob"], "as a list they are encoded twice"
    near = f"select * from {scores} where place near ? max 5 km"
    assert names(cql(near, leancloud.GeoPoint(39.9, 116.4).dump())) == ["bob"]


def test_count_limit_and_order(scores: str) -> None:
    counted = cql(f"select count(*) from {scores}")
    assert (counted.count, counted.results) == (4, [])
    best = cql(f"select * from {scores} where points is exists limit 2 order by points desc")
    assert names(best) == ["cid", "bob"]


def test_pointers_are_compared_and_included(scores: str) -> None:
    (ann,) = leancloud.Query(scores).equal_to("name", "ann").find()
    game = save(fresh_class("Game"), best=ann)
    text = f"select include best, * from {game._class_name} where best = pointer('{scores}', ?)"
    (found,) = cql(text, ann.id).results
    assert found.get("best").get("name") == "ann"


def test_insert_update_and_delete(scores: str) -> None:
    (made,) = cql(f"insert into {scores} (name, points) values (?, 5)", "eve").results
    assert reread(made).get("points") == 5
    change = f"""update {scores} set points = op('Increment', {{"amount": 2}}) where objectId = ?"""
    cql(change, made.id)
    assert reread(bare(made)).get("points") == 7
    cql(f"delete from {scores} where objectId = ?", made.id)
    assert not reread(made).is_existed()


def test_a_mistake_shows_where_it_is() -> None:
    with pytest.raises(leancloud.LeanCloudError) as refused:
        cql("select * GameScore limit 10")
    assert refused.value.code == 300
    assert refused.value.error.startswith(
        "CQL syntax error.Detail: Parse error at line 1, column 10:\n"
        "select * GameScore limit 10\n         ^\nExpected one of:\n"
    )
