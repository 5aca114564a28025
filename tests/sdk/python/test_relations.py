"""Relations: members, their queries, the way back."""

from typing import Any, NamedTuple

import leancloud
import pytest
from stored_objects import bare, fresh_class, ids, reread, save

pytestmark = pytest.mark.usefixtures("emu")


class Liked(NamedTuple):
    """A post that two of three fans like."""

    post: Any
    ann: Any
    bob: Any
    cid: Any


@pytest.fixture
def liked() -> Liked:
    fans = fresh_class("Fan")
    ann, bob, cid = (
        save(fans, name=name, age=age) for name, age in (("ann", 30), ("bob", 20), ("cid", 40))
    )
    post = leancloud.Object.create(fresh_class("Post"), title="liked")
    post.relation("likes").add(ann)
    post.relation("likes").add(bob)
    post.save()
    return Liked(post, ann, bob, cid)


def members(post: Any) -> list[str]:
    return ids(reread(post).relation("likes").query.find())


def test_members_added_at_creation_are_found(liked: Liked) -> None:
    assert members(liked.post) == ids([liked.ann, liked.bob])


def test_members_come_and_go(liked: Liked) -> None:
    post = bare(liked.post)
    post.relation("likes").add(liked.cid)
    post.save()
    assert members(post) == ids([liked.ann, liked.bob, liked.cid])
    post = bare(liked.post)
    post.relation("likes").remove(liked.ann)
    post.relation("likes").remove(liked.cid)
    post.save()
    assert members(post) == ids([liked.bob])


def test_a_member_added_twice_is_there_once(liked: Liked) -> None:
    post = bare(liked.post)
    post.relation("likes").add(liked.ann)
    post.save()
    assert reread(post).relation("likes").query.count() == 2


def test_conditions_and_order_among_members(liked: Liked) -> None:
    query = reread(liked.post).relation("likes").query
    assert [fan.get("name") for fan in query.ascending("age").find()] == ["bob", "ann"]
    assert query.greater_than("age", 25).first().id == liked.ann.id


def test_members_are_found_without_knowing_their_class(liked: Liked) -> None:
    query = bare(liked.post).relation("likes").query
    assert ids(query.find()) == ids([liked.ann, liked.bob])
    assert query.count() == 2


def test_reverse_query_finds_the_owners(liked: Liked) -> None:
    owners = leancloud.Relation.reverse_query(liked.post._class_name, "likes", liked.ann)
    assert ids(owners.find()) == [liked.post.id]
    none = leancloud.Relation.reverse_query(liked.post._class_name, "likes", liked.cid)
    assert none.find() == []


def test_matches_query_reaches_through_a_relation(liked: Liked) -> None:
    save(liked.post._class_name, title="lonely")
    old = leancloud.Query(liked.ann._class_name).greater_than("age", 25)
    query = leancloud.Query(liked.post._class_name).matches_query("likes", old)
    assert ids(query.find()) == [liked.post.id]


def test_a_deleted_member_is_no_longer_found(liked: Liked) -> None:
    liked.ann.destroy()
    assert members(liked.post) == [liked.bob.id]


def test_members_of_another_class_are_refused(liked: Liked) -> None:
    post = bare(liked.post)
    post.relation("likes").add(save(fresh_class("Stranger")))
    with pytest.raises(leancloud.LeanCloudError) as refused:
        post.save()
    assert refused.value.code == 111
    assert members(liked.post) == ids([liked.ann, liked.bob])


def test_a_value_cannot_be_put_where_a_relation_is(liked: Liked) -> None:
    with pytest.raises(leancloud.LeanCloudError) as refused:
        save(liked.post._class_name, likes=[])
    assert refused.value.code == 111
