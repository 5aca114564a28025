"""Followers, statuses, devices and pushes, as applications use them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import leancloud
import pytest
import requests
from emu_process import Emulator
from leancloud import InboxQuery, Status, push
from stored_objects import fresh_class

PASSWORD = "correct-horse"


@pytest.fixture(autouse=True)
def signed_out(emu: Emulator) -> Iterator[None]:
    """Nobody is signed in before and after each test."""
    leancloud.User.set_current(None)
    yield
    leancloud.User.set_current(None)
    leancloud.use_master_key(False)


@contextmanager
def acting(user: Any) -> Iterator[None]:
    """What is done inside is done by this user; ``None`` is nobody."""
    before = leancloud.User.get_current()
    leancloud.User.set_current(user)
    try:
        yield
    finally:
        leancloud.User.set_current(before)


def person(name: str, **fields: Any) -> Any:
    """A new user, not signed in here."""
    user = leancloud.User(**fields)
    user.sign_up(fresh_class(name), PASSWORD)
    leancloud.User.set_current(None)
    return user


def follow(user: Any, *targets: Any) -> None:
    with acting(user):
        for target in targets:
            user.follow(target.id)


def followers(user: Any) -> list[Any]:
    with acting(user):
        return list(leancloud.User.create_follower_query(user.id).find())


def followees(user: Any) -> list[Any]:
    with acting(user):
        return list(leancloud.User.create_followee_query(user.id).find())


def names(users: list[Any]) -> list[str]:
    return [user.id for user in users]


def sent(sender: Any, message: str, target: Any = None, **more: Any) -> Any:
    """A status to the followers, or to one user."""
    status = Status(message=message, **more)
    with acting(sender):
        if target is None:
            status.send_to_followers()
        else:
            status.send_private_status(target)
    return status


def inbox(owner: Any, kind: str = "default") -> Any:
    return InboxQuery().owner(owner).inbox_type(kind)


def messages(owner: Any, query: Any = None) -> list[str]:
    with acting(owner):
        return [status.get("message") for status in (query or inbox(owner)).find()]


def counted(owner: Any, kind: str = "default") -> tuple[int, int]:
    with acting(owner):
        counts = Status.count_unread_statuses(owner, kind)
    return counts.total, counts.unread


def test_follow() -> None:
    ann, bob = person("ann"), person("bob")
    follow(ann, bob)
    assert names(followees(ann)) == [bob.id]
    assert names(followers(bob)) == [ann.id]
    assert followees(bob) == followers(ann) == []


def test_follow_twice_and_unfollow() -> None:
    ann, bob = person("ann"), person("bob")
    follow(ann, bob, bob)
    assert names(followers(bob)) == [ann.id]
    with acting(ann):
        ann.unfollow(bob.id)
    assert followers(bob) == followees(ann) == []


def test_unfollow_of_somebody_else_is_code_221() -> None:
    ann, bob = person("ann"), person("bob")
    with acting(ann), pytest.raises(leancloud.LeanCloudError) as refused:
        ann.unfollow(bob.id)
    assert refused.value.code == 221


def test_nobody_follows_in_the_name_of_another() -> None:
    ann, bob, eve = person("ann"), person("bob"), person("eve")
    with acting(eve), pytest.raises(leancloud.LeanCloudError) as refused:
        ann.follow(bob.id)
    assert refused.value.code == 206
    assert followers(bob) == []


def test_followees_come_with_their_columns() -> None:
    ann, bob = person("ann"), person("bob", city="York")
    follow(ann, bob)
    with acting(ann):
        query = leancloud.User.create_followee_query(ann.id)
        (found,) = query.include("followee").find()
    assert (found.id, found.get("city"), found.get_username()) == (
        bob.id,
        "York",
        bob.get_username(),
    )


def test_lists_have_order_pages_and_counts() -> None:
    ann = person("ann")
    others = [person(f"fan{n}") for n in range(3)]
    for other in others:
        follow(other, ann)
    with acting(ann):
        query = leancloud.User.create_follower_query(ann.id)
        assert query.count() == 3
        page = query.ascending("createdAt").skip(1).limit(1).find()
    assert names(page) == [others[1].id]


def test_a_status_reaches_followers_and_its_sender() -> None:
    ann, bob, eve = person("ann"), person("bob"), person("eve")
    follow(bob, ann)
    status = sent(ann, "hello", image="a.png")
    assert len(status.id) == 24
    assert status.created_at is not None
    with acting(bob):
        (got,) = inbox(bob).find()
    assert (got.id, got.get("image"), got.get("source").id) == (status.id, "a.png", ann.id)
    assert got.get("messageId") == 1
    assert messages(ann) == ["hello"]
    assert messages(eve) == []


def test_a_private_status_reaches_one() -> None:
    ann, bob = person("ann"), person("bob")
    sent(ann, "secret", bob)
    assert messages(bob, inbox(bob, "private")) == ["secret"]
    assert messages(bob) == messages(ann, inbox(ann, "private")) == []


def test_a_status_for_whom_a_query_finds() -> None:
    city = fresh_class("City")
    ann, bob = person("ann", city=city), person("bob")
    status = Status(message="news")
    status.inbox_type = "news"
    with acting(bob):
        status.send(leancloud.Query("User").equal_to("city", city))
    assert messages(ann, inbox(ann, "news")) == ["news"]
    assert messages(bob, inbox(bob, "news")) == []


def test_statuses_are_sent_by_users_alone() -> None:
    with pytest.raises(ValueError, match="sign in"):
        Status(message="hello").send_to_followers()


def test_unread_statuses() -> None:
    ann, bob = person("ann"), person("bob")
    for n in range(3):
        sent(ann, f"m{n}", bob)
    assert counted(bob, "private") == (3, 3)
    assert counted(bob) == (0, 0)
    with acting(bob):
        owner = bob._to_pointer()
        leancloud.client.post(
            "/subscribe/statuses/resetUnreadCount", {"owner": owner, "inboxType": "private"}
        )
    assert counted(bob, "private") == (3, 0)


def test_pages_of_an_inbox() -> None:
    ann = person("ann")
    for n in range(1, 6):
        sent(ann, f"m{n}")
    assert messages(ann, inbox(ann).limit(2)) == ["m5", "m4"]
    assert messages(ann, inbox(ann).limit(2).max_id(3)) == ["m3", "m2"]
    assert messages(ann, inbox(ann).since_id(3)) == ["m5", "m4"]
    assert messages(ann, inbox(ann).equal_to("message", "m2")) == ["m2"]
    with acting(ann):
        assert inbox(ann).first().get("message") == "m5"


def test_a_destroyed_status_is_gone_everywhere() -> None:
    ann, bob = person("ann"), person("bob")
    follow(bob, ann)
    first = sent(ann, "first")
    sent(ann, "second")
    with acting(bob), pytest.raises(leancloud.LeanCloudError) as refused:
        first.destroy()
    assert refused.value.code == 403
    with acting(ann):
        first.destroy()
    assert messages(bob) == messages(ann) == ["second"]
    assert counted(bob) == (1, 1)


def test_statuses_of_a_user() -> None:
    ann, bob = person("ann"), person("bob")
    sent(ann, "public")
    sent(ann, "secret", bob)
    query = leancloud.Query("_Status").equal_to("source", ann)
    assert [status.get("message") for status in query.find()] == ["public"]


def device(**fields: Any) -> Any:
    made = leancloud.Installation()
    for name, value in fields.items():
        made.set(name, value)
    made.save()
    return made


def test_a_device_registers_once() -> None:
    name = fresh_class("device")
    first = device(deviceType="android", installationId=name, channels=["a"])
    second = device(deviceType="android", installationId=name, channels=["b"])
    assert first.id == second.id
    leancloud.use_master_key(True)
    (found,) = leancloud.Query("_Installation").equal_to("installationId", name).find()
    assert (found.get("channels"), found.get("valid")) == (["b"], True)


@pytest.mark.parametrize(
    ("fields", "code"), [({"deviceToken": "a b"}, 114), ({"channels": ["a b"]}, 112)]
)
def test_devices_that_are_refused(fields: dict[str, Any], code: int) -> None:
    with pytest.raises(leancloud.LeanCloudError) as refused:
        device(deviceType="ios", **fields)
    assert refused.value.code == code


def test_push_to_channels() -> None:
    channel = fresh_class("channel")
    device(deviceType="ios", deviceToken=fresh_class("token"), channels=[channel])
    notification = push.send({"alert": "Hello"}, channels=[channel], prod="dev")
    notification.fetch()
    assert len(notification.id) == 16
    assert notification.get("devices") == 1
    assert notification.get("msg") == {"alert": "Hello"}
    assert (notification.get("status"), notification.get("prod")) == ("done", "dev")


def test_push_to_what_a_query_or_cql_finds() -> None:
    token = fresh_class("token")
    device(deviceType="ios", deviceToken=token)
    query = leancloud.Query("_Installation").equal_to("deviceToken", token)
    cql = f"select * from _Installation where deviceToken = '{token}'"
    for aim in ({"where": query}, {"cql": cql}):
        notification = push.send({"alert": "Hello"}, **aim)
        notification.fetch()
        assert notification.get("devices") == 1


def test_push_for_later(emu: Emulator) -> None:
    later = datetime.now(UTC) + timedelta(hours=2)
    notification = push.send(
        {"alert": "Later"}, push_time=later, expiration_interval=60, flow_control=0
    )
    notification.fetch()
    assert notification.get("status") == "scheduled"
    url = f"{emu.api_url}/1.1/scheduledPushMessages"
    waiting = requests.get(url, headers=emu.master, timeout=10).json()["results"]
    (mine,) = [one for one in waiting if one["push_msg"]["notificationId"] == notification.id]
    gone = requests.delete(f"{url}/{mine['id']}", headers=emu.master, timeout=10)
    assert gone.json() == {}
    with pytest.raises(leancloud.LeanCloudError) as refused:
        notification.fetch()
    assert refused.value.code == 101


def test_a_notification_cannot_be_saved() -> None:
    notification = push.send({"alert": "Hello"})
    with pytest.raises(leancloud.LeanCloudError) as refused:
        notification.save()
    assert refused.value.code == 1
