"""Objects and the operations on their columns, through the official Python SDK."""

import threading
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import leancloud
import pytest
from emu_process import Emulator
from stored_objects import bare, fresh_class, reread, save, stored

pytestmark = pytest.mark.usefixtures("emu")

NO_SUCH_ID = "0123456789abcdef01234567"


def code_of(refused: pytest.ExceptionInfo[Any]) -> int:
    return int(refused.value.code)


def test_a_first_save_gives_id_and_times() -> None:
    post = save(fresh_class("Post"), title="first")
    assert len(post.id) == 24
    assert post.created_at == post.updated_at
    assert reread(post).created_at == post.created_at


def test_a_later_save_leaves_created_at() -> None:
    post = save(fresh_class("Post"), title="old")
    post.set("title", "new")
    post.save()
    found = reread(post)
    assert found.get("title") == "new"
    assert found.created_at <= found.updated_at == post.updated_at


@pytest.mark.parametrize(
    "value",
    [
        "影评 “quoted” 🎬 \u2028 \\ / \n\t",
        "",
        42,
        -7,
        0.1,
        2**53 + 1,
        1.7976931348623157e308,
        True,
        False,
        None,
        [],
        [1, "two", [3, [4]], {"five": 6}, None],
        {},
        {"a": {"b": {"c": [1, {"d": "e"}]}}},
    ],
    ids=str,
)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    found = reread(save(fresh_class(), value=value)).get("value")
    assert found == value
    assert type(found) is type(value)


def test_instants_keep_their_milliseconds_whatever_their_zone() -> None:
    moment = datetime(2024, 2, 29, 20, 30, 15, 123000, timezone(timedelta(hours=8)))
    found = reread(save(fresh_class(), at=moment, list=[moment], map={"at": moment}))
    assert [found.get("at"), found.get("list")[0], found.get("map")["at"]] == [moment] * 3


def test_a_pointer_is_fetched_when_asked_to() -> None:
    post = save(fresh_class("Post"), title="target")
    target = reread(save(fresh_class("Comment"), post=post)).get("post")
    assert (target.id, target.get("title")) == (post.id, None)
    target.fetch()
    assert target.get("title") == "target"


def test_unsaved_children_are_saved_first() -> None:
    child = leancloud.Object.create(fresh_class("Child"), n=1)
    parent = save(fresh_class("Parent"), child=child, children=[child])
    assert child.id
    found = reread(parent)
    assert found.get("child").id == found.get("children")[0].id == child.id


def test_a_dotted_key_changes_one_member_of_a_map() -> None:
    thing = save(fresh_class(), profile={"name": "Mia", "age": 41})
    changed = bare(thing)
    changed.set("profile.age", 42)
    changed.save()
    assert reread(thing).get("profile") == {"name": "Mia", "age": 42}


def test_operations_reach_into_maps() -> None:
    thing = save(fresh_class(), stats={"seen": 1, "gone": True, "tags": ["a"]})
    changed = bare(thing)
    changed.increment("stats.seen", 4)
    changed._changes["stats.gone"] = leancloud.operation.Unset()
    changed.add("stats.tags", "b")
    changed.save()
    assert reread(thing).get("stats") == {"seen": 5, "tags": ["a", "b"]}


def test_unset_removes_a_column_from_an_object() -> None:
    thing = save(fresh_class(), a=1, b=2)
    thing.unset("a")
    thing.save()
    found = reread(thing)
    assert (found.has("a"), found.get("b")) == (False, 2)


def test_null_is_stored_and_is_not_absence() -> None:
    assert reread(save(fresh_class(), a=None)).has("a")


def test_increments_add_up() -> None:
    thing = save(fresh_class(), n=10)
    for amount in (1, 5, -0.5):
        thing.increment("n", amount)
        thing.save()
    assert reread(thing).get("n") == 15.5


def test_increments_at_once_lose_none() -> None:
    thing = save(fresh_class(), n=0)

    def add_ten() -> None:
        for _ in range(10):
            copy = bare(thing)
            copy.increment("n")
            copy.save()

    threads = [threading.Thread(target=add_ten) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert reread(thing).get("n") == 50


def test_operations_on_absent_columns_of_a_new_object() -> None:
    made = leancloud.Object.create(fresh_class())
    made.increment("n", 3)
    made.add("added", "a")
    made.add_unique("unique", "u")
    made.save()
    found = reread(made)
    assert [found.get(name) for name in ("n", "added", "unique")] == [3, ["a"], ["u"]]


def test_operations_on_absent_columns_of_a_stored_object() -> None:
    changed = bare(save(fresh_class()))
    changed.increment("n", -3)
    changed.add("added", "a")
    changed.add_unique("unique", "u")
    changed.save()
    found = reread(changed)
    assert [found.get(name) for name in ("n", "added", "unique")] == [-3, ["a"], ["u"]]


def test_add_keeps_duplicates_and_add_unique_does_not() -> None:
    thing = save(fresh_class(), tags=["a"], more=["a"])
    thing.add("more", "a")
    thing.add_unique("tags", "a")
    thing.save()
    thing.add_unique("tags", "b")
    thing.save()
    found = reread(thing)
    assert (found.get("more"), found.get("tags")) == (["a", "a"], ["a", "b"])


def test_remove_drops_every_equal_member() -> None:
    thing = save(fresh_class(), tags=["a", "b", "a"])
    thing.remove("tags", "a")
    thing.save()
    assert reread(thing).get("tags") == ["b"]


def test_bit_operations() -> None:
    thing = save(fresh_class(), a=0b1100, o=0b1100, x=0b1100)
    thing.bit_and("a", 0b1010)
    thing.bit_or("o", 0b1010)
    thing.bit_xor("x", 0b1010)
    thing.save()
    found = reread(thing)
    assert [found.get("a"), found.get("o"), found.get("x")] == [0b1000, 0b1110, 0b0110]


def test_fetch_takes_what_others_wrote() -> None:
    mine = save(fresh_class(), a=1, b=2)
    theirs = bare(mine)
    theirs.set("a", 3)
    theirs.save()
    mine.fetch()
    assert (mine.get("a"), mine.get("b")) == (3, 2)


def test_fetch_with_keys_and_include() -> None:
    post = save(fresh_class("Post"), title="included")
    comment = bare(save(fresh_class("Comment"), post=post, text="left out"))
    comment.fetch(select=["post"], include=["post"])
    assert comment.get("post").get("title") == "included"
    assert comment.get("text") is None


def test_fetch_when_save_gives_the_new_values() -> None:
    made = leancloud.Object.create(fresh_class())
    made.increment("n", 3)
    made.save(fetch_when_save=True)
    other = bare(made)
    other.increment("n", 4)
    other.save()
    made.increment("n")
    made.save(fetch_when_save=True)
    assert made.get("n") == 8


def test_a_conditional_save_looks_at_what_is_stored() -> None:
    account = save(fresh_class("Account"), balance=10)
    enough = leancloud.Query(account._class_name).greater_than_or_equal_to("balance", 8)
    account.increment("balance", -8)
    account.save(where=enough)
    again = bare(account)
    again.increment("balance", -8)
    with pytest.raises(leancloud.LeanCloudError) as refused:
        again.save(where=enough)
    assert code_of(refused) == 305
    assert reread(account).get("balance") == 2


def test_getting_what_is_not_there() -> None:
    made = save(fresh_class())
    assert not stored(made._class_name, NO_SUCH_ID).is_existed()
    with pytest.raises(leancloud.LeanCloudError) as missing:
        stored("NobodyWrote", made.id)
    assert code_of(missing) == 101
    with pytest.raises(leancloud.LeanCloudError) as missing:
        leancloud.Query("NobodyWrote").find()
    assert code_of(missing) == 101


def test_updating_what_is_not_there() -> None:
    gone = type(save(fresh_class("Post"))).create_without_data(NO_SUCH_ID)
    gone.set("a", 1)
    with pytest.raises(leancloud.LeanCloudError) as refused:
        gone.save()
    assert code_of(refused) == 1
    assert refused.value.error.startswith(f"Could not find object by id '{NO_SUCH_ID}'")


def test_destroy_twice_does_no_harm() -> None:
    thing = save(fresh_class())
    assert reread(thing).is_existed()
    thing.destroy()
    assert not reread(thing).is_existed()
    thing.destroy()


def test_a_value_of_another_type_changes_nothing() -> None:
    thing = save(fresh_class(), flag=True, n=1)
    thing.set({"flag": "yes", "n": 2})
    with pytest.raises(leancloud.LeanCloudError) as refused:
        thing.save()
    assert code_of(refused) == 111
    assert refused.value.error.startswith("Invalid value type for field 'flag'")
    found = reread(thing)
    assert (found.get("flag"), found.get("n")) == (True, 1)


@pytest.mark.parametrize("name", ["invalid?", "2fa", "with space", "_own", "__x", "a.b"])
def test_names_that_no_column_of_a_new_object_can_have(name: str) -> None:
    with pytest.raises(leancloud.LeanCloudError) as refused:
        save(fresh_class(), **{name: 1})
    assert code_of(refused) == 105


def test_a_class_name_that_cannot_be() -> None:
    with pytest.raises(leancloud.LeanCloudError) as refused:
        save("No-Such")
    assert code_of(refused) == 103


def test_an_acl_without_public_write_refuses_writing() -> None:
    acl = leancloud.ACL()
    acl.set_public_read_access(True)
    thing = leancloud.Object.create(fresh_class(), n=1)
    thing.set_acl(acl)
    thing.save()
    thing.set("n", 2)
    for write in (thing.save, thing.destroy):
        with pytest.raises(leancloud.LeanCloudError) as refused:
            write()
        assert code_of(refused) == 403
    assert reread(thing).get("n") == 1
    leancloud.use_master_key(True)
    thing.save()
    assert reread(thing).get("n") == 2


def test_an_acl_hides_an_object_from_queries() -> None:
    hidden = leancloud.Object.create(fresh_class(), n=1)
    hidden.set_acl(leancloud.ACL())
    hidden.save()
    assert leancloud.Query(hidden._class_name).find() == []
    with pytest.raises(leancloud.LeanCloudError) as refused:
        reread(hidden)
    assert code_of(refused) == 403
    leancloud.use_master_key(True)
    assert leancloud.Query(hidden._class_name).count() == 1


def test_a_query_shows_acls_when_asked_to() -> None:
    acl = leancloud.ACL()
    acl.set_public_read_access(True)
    acl.set_role_write_access("editors", True)
    thing = leancloud.Object.create(fresh_class())
    thing.set_acl(acl)
    thing.save()
    query = leancloud.Query(thing._class_name)
    assert query.first().get_acl() is None
    shown = query.include_acl().first().get_acl()
    assert shown.dump() == {"*": {"read": True}, "role:editors": {"write": True}}


def test_save_all_makes_and_changes(emu: Emulator) -> None:
    old = save(fresh_class(), n=0)
    old.set("n", 10)
    made = [leancloud.Object.create(old._class_name, n=n) for n in (1, 2)]
    leancloud.Object.save_all([*made, old])
    found = leancloud.Query(old._class_name).ascending("n").find()
    assert [one.get("n") for one in found] == [1, 2, 10]
    (batch,) = [step for step in emu.steps() if str(step.get("path")).endswith("/batch")]
    assert len(batch["children"]) == 3


def test_destroy_all_removes_objects_of_several_classes() -> None:
    kept, *gone = [save("Destroyed", n=n) for n in range(3)]
    other = save(fresh_class())
    leancloud.Object.destroy_all([*gone, other])
    assert [one.id for one in leancloud.Query("Destroyed").find()] == [kept.id]
    assert leancloud.Query(other._class_name).count() == 0


def test_one_refusal_in_save_all_leaves_the_others() -> None:
    first = save(fresh_class(), n=1)
    good = leancloud.Object.create(first._class_name, n=2)
    bad = leancloud.Object.create(first._class_name, n="two")
    with pytest.raises(leancloud.LeanCloudError) as refused:
        leancloud.Object.save_all([bad, good])
    assert code_of(refused) == 111
    assert leancloud.Query(first._class_name).count() == 2


def test_a_geo_point_comes_back() -> None:
    place = reread(save(fresh_class(), place=leancloud.GeoPoint(39.9, 116.4))).get("place")
    assert (place.latitude, place.longitude) == (39.9, 116.4)


def test_dates_before_the_epoch_and_after_this_century() -> None:
    old, late = datetime(1900, 1, 1, tzinfo=UTC), datetime(2999, 12, 31, 23, 59, tzinfo=UTC)
    found = reread(save(fresh_class(), old=old, late=late))
    assert (found.get("old"), found.get("late")) == (old, late)
