"""Roles inside each other, ACLs and class permissions, as applications use them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import leancloud
import pytest
from emu_process import Emulator, copied, point_sdk_at
from stored_objects import bare, fresh_class, ids, reread, save

PASSWORD = "correct-horse"


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    emulator = Emulator(copied("newsroom", tmp_path_factory.mktemp("newsroom")))
    yield emulator
    emulator.stop()


@pytest.fixture(autouse=True)
def emu(newsroom: Emulator) -> Iterator[Emulator]:
    """Nobody is signed in before and after each test."""
    point_sdk_at(newsroom)
    leancloud.User.set_current(None)
    yield newsroom
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


@contextmanager
def as_master() -> Iterator[None]:
    leancloud.use_master_key(True)
    try:
        with acting(None):
            yield
    finally:
        leancloud.use_master_key(False)


def person(name: str) -> Any:
    """A new user, not signed in here."""
    user = leancloud.User()
    user.sign_up(fresh_class(name), PASSWORD)
    leancloud.User.set_current(None)
    return user


def role(name: str, *users: Any, inside: tuple[Any, ...] = ()) -> Any:
    """A new role with these users and roles in it; only the master key changes it."""
    made = leancloud.Role(name)
    for user in users:
        made.get_users().add(user)
    for other in inside:
        made.get_roles().add(other)
    with as_master():
        made.save()
    return made


def change(made: Any, *, add: Any = None, remove: Any = None) -> None:
    with as_master():
        again = leancloud.Role.create_without_data(made.id)
        if add is not None:
            again.get_users().add(add)
        if remove is not None:
            again.get_users().remove(remove)
        again.save()


def for_role(name: str, *, write: bool = False) -> Any:
    acl = leancloud.ACL()
    acl.set_role_read_access(name, True)
    if write:
        acl.set_role_write_access(name, True)
    return acl


def with_acl(acl: Any, class_name: str | None = None, **fields: Any) -> Any:
    made = leancloud.Object.create(class_name or fresh_class("Page"), **fields)
    made.set_acl(acl)
    made.save()
    return made


def sees(user: Any, made: Any) -> bool:
    """Whether a user finds an object; getting it must say the same."""
    with acting(user):
        found = made.id in ids(leancloud.Query(made._class_name).find())
        if found:
            assert reread(made).id == made.id
        else:
            assert refusal(lambda: reread(made))[0] == 403
    return found


def refusal(work: Any) -> tuple[int, str]:
    with pytest.raises(leancloud.LeanCloudError) as refused:
        work()
    return refused.value.code, refused.value.error


@pytest.fixture
def ann() -> Any:
    return person("ann")


@pytest.fixture
def bob() -> Any:
    return person("bob")


def test_members_of_a_role_read_what_it_may(ann: Any, bob: Any) -> None:
    name = fresh_class("readers")
    role(name, ann)
    page = with_acl(for_role(name), title="x")
    assert sees(ann, page)
    assert not sees(bob, page)
    assert not sees(None, page)


def test_roles_inherit_over_several_floors(ann: Any, bob: Any) -> None:
    low, middle, high = (fresh_class(word) for word in ("low", "middle", "high"))
    lowest = role(low, ann)
    between = role(middle, bob, inside=(lowest,))
    role(high, inside=(between,))
    page = with_acl(for_role(high))
    assert sees(ann, page)
    assert sees(bob, page)
    only_low = with_acl(for_role(low))
    assert sees(ann, only_low)
    assert not sees(bob, only_low)


def test_roles_inside_each_other_share_everything(ann: Any, bob: Any) -> None:
    one, two = role(fresh_class("one"), ann), role(fresh_class("two"), bob)
    with as_master():
        for outer, inner in ((one, two), (two, one)):
            again = leancloud.Role.create_without_data(outer.id)
            again.get_roles().add(inner)
            again.save()
    for made in (one, two):
        page = with_acl(for_role(made.get_name()))
        assert sees(ann, page)
        assert sees(bob, page)


def test_members_come_and_go_at_once(ann: Any) -> None:
    made = role(fresh_class("team"))
    page = with_acl(for_role(made.get_name()))
    assert not sees(ann, page)
    change(made, add=ann)
    assert sees(ann, page)
    change(made, remove=ann)
    assert not sees(ann, page)


def test_a_role_that_is_deleted_grants_nothing(ann: Any) -> None:
    made = role(fresh_class("team"), ann)
    page = with_acl(for_role(made.get_name()))
    assert sees(ann, page)
    with as_master():
        leancloud.Role.create_without_data(made.id).destroy()
    assert not sees(ann, page)


def test_the_roles_of_a_user_are_those_it_is_in_itself(ann: Any) -> None:
    inner = role(fresh_class("inner"), ann)
    role(fresh_class("outer"), inside=(inner,))
    assert ids(ann.get_roles()) == [inner.id]


def test_members_of_a_role_write_what_it_may(ann: Any, bob: Any) -> None:
    made = role(fresh_class("writers"), ann)
    page = with_acl(for_role(made.get_name(), write=True), n=1)
    for user, allowed in ((ann, True), (bob, False), (None, False)):
        again = bare(page)
        again.set("n", 2)
        with acting(user):
            if allowed:
                again.save()
            else:
                code, text = refusal(again.save)
                assert code == 403
                assert text.startswith("Forbidden writing by object's ACL.")


def test_who_may_read_may_not_write_or_delete(ann: Any) -> None:
    acl = leancloud.ACL()
    acl.set_public_read_access(True)
    page = with_acl(acl, n=1)
    with acting(ann):
        assert reread(page).get("n") == 1
        assert refusal(bare(page).destroy)[0] == 403
    with as_master():
        bare(page).destroy()


def test_what_is_private_is_its_owners(ann: Any, bob: Any) -> None:
    acl = leancloud.ACL()
    acl.set_read_access(ann.id, True)
    acl.set_write_access(ann.id, True)
    page = with_acl(acl)
    assert [sees(user, page) for user in (ann, bob, None)] == [True, False, False]
    with acting(bob):
        code, text = refusal(lambda: reread(page))
    assert (code, text) == (
        403, f"Forbidden reading by object's ACL., the object id is {page.id}."
    )  # fmt: skip


def test_an_included_object_that_may_not_be_read_stays_a_pointer(ann: Any, bob: Any) -> None:
    acl = leancloud.ACL()
    acl.set_read_access(ann.id, True)
    author = with_acl(acl, name="ann")
    page = save(fresh_class("Page"), author=author)
    for user, name in ((ann, "ann"), (bob, None)):
        with acting(user):
            found = leancloud.Query(page._class_name).include("author").first()
        assert found.get("author").get("name") == name


def test_nobody_forges_a_role(bob: Any) -> None:
    """A name in an ACL that no role has opens nothing, whatever it looks like."""
    acl = leancloud.ACL()
    for name in ("nowhere", "", "*", bob.get_username()):
        acl.set_role_read_access(name, True)
    page = with_acl(acl)
    assert not sees(bob, page)


def test_a_role_wants_an_acl_and_keeps_its_name() -> None:
    made = role(fresh_class("team"))
    made.set_name(fresh_class("other"))
    with as_master():
        assert refusal(made.save)[0] == 139
    plain = leancloud.Object.create("_Role", name=fresh_class("bare"))
    assert refusal(plain.save) == (1, "Role ACL is required.")


def test_two_roles_do_not_share_a_name() -> None:
    made = role(fresh_class("team"))
    assert refusal(lambda: role(made.get_name()))[0] == 137


def test_the_session_of_a_deleted_user_opens_nothing(ann: Any) -> None:
    acl = leancloud.ACL()
    acl.set_read_access(ann.id, True)
    page = with_acl(acl)
    assert sees(ann, page)
    with as_master():
        leancloud.User.create_without_data(ann.id).destroy()
    assert not sees(ann, page)


# The classes of the newsroom


@pytest.fixture(scope="module")
def editor(newsroom: Emulator) -> Any:
    """A user in the role ``editor``, with another in ``chief``, which is inside of it."""
    point_sdk_at(newsroom)
    user, chief = person("editor"), person("chief")
    role("editor", user, inside=(role("chief", chief),))
    user.chief = chief
    return user


def test_a_default_acl_names_the_owner_and_a_role(editor: Any, ann: Any, bob: Any) -> None:
    with acting(ann):
        story = save("Story", title="mine")
    people = (ann, editor, editor.chief, bob, None)
    assert [sees(user, story) for user in people] == [True, True, True, False, False]


def test_a_default_acl_without_an_owner(editor: Any, ann: Any) -> None:
    story = save("Story", title="nobody's")
    assert [sees(user, story) for user in (editor, ann, None)] == [True, False, False]


def test_a_class_may_be_queried_by_its_role_alone(editor: Any, ann: Any) -> None:
    tip = save("Tip", text="hush")
    with acting(editor):
        assert tip.id in ids(leancloud.Query("Tip").limit(1000).find())
        assert leancloud.Query("Tip").count() >= 1
    for user in (ann, None):
        with acting(user):
            for ask in (leancloud.Query("Tip").find, leancloud.Query("Tip").count):
                assert refusal(ask) == (403, "Forbidden to find by class permissions.")


def test_a_class_may_be_read_by_who_is_signed_in(ann: Any) -> None:
    tip = save("Tip", text="hush")
    with acting(ann):
        assert reread(tip).get("text") == "hush"
    assert refusal(lambda: reread(tip)) == (403, "Forbidden to get by class permissions.")


def test_a_class_may_be_changed_by_a_user_by_name(ann: Any) -> None:
    tip, source = save("Tip", text="hush"), leancloud.User()
    source.sign_up("deepthroat", PASSWORD)
    with acting(ann):
        again = bare(tip)
        again.set("text", "louder")
        assert refusal(again.save) == (403, "Forbidden to update by class permissions.")
    with acting(source):
        again = bare(tip)
        again.set("text", "follow the money")
        again.save()
    with as_master():
        assert reread(tip).get("text") == "follow the money"


def test_only_a_role_adds_columns(editor: Any) -> None:
    with acting(editor):
        made = leancloud.Object.create("Story", title="x", colour="red")
        assert refusal(made.save) == (403, "Forbidden to add_fields by class permissions.")
    with acting(editor.chief):
        save("Story", title="x", colour="red")
    with acting(editor):
        save("Story", title="x", colour="blue")


def test_only_a_role_deletes(editor: Any) -> None:
    story = save("Story", title="x")
    with acting(editor):
        assert refusal(bare(story).destroy) == (403, "Forbidden to delete by class permissions.")
    with acting(editor.chief):
        bare(story).destroy()


def test_a_sub_query_of_a_closed_class_is_refused(ann: Any) -> None:
    query = leancloud.Query("Story").matches_query("tip", leancloud.Query("Tip"))
    with acting(ann):
        assert refusal(query.find) == (403, "Forbidden to find by class permissions.")


def test_hidden_and_locked_columns(editor: Any) -> None:
    with acting(editor):
        story = save("Story", title="x", notes="n", words=5)
        seen = reread(story)
        assert (seen.get("notes"), seen.get("words")) == (None, 5)
        again = bare(story)
        again.set("words", 6)
        assert refusal(again.save)[0] == 117
    with as_master():
        assert reread(story).get("notes") == "n"


def test_installations_are_not_for_clients() -> None:
    save("_Installation", deviceType="android", installationId=fresh_class("device"))
    ask = leancloud.Query("_Installation").find
    assert refusal(ask) == (403, "Forbidden to find by class permissions.")
    with as_master():
        assert ask()


def test_a_user_is_changed_by_itself_alone(ann: Any, bob: Any) -> None:
    text = "The user cannot be altered by a client without the session."
    for user, allowed in ((bob, False), (None, False), (ann, True)):
        again = leancloud.User.create_without_data(ann.id)
        again.set("colour", "red")
        with acting(user):
            if allowed:
                again.save()
            else:
                assert refusal(again.save) == (206, text)


def test_code_without_the_master_key_has_the_rights_of_its_caller(editor: Any, ann: Any) -> None:
    with acting(ann):
        save("Story", title="hers")
    save("Story", title="nobody's")
    counts = []
    for user in (ann, editor):
        with acting(user):
            counts.append(leancloud.cloud.run("countStories"))
            assert counts[-1] == leancloud.Query("Story").count()
    assert counts[0] < counts[1]


def test_the_trace_tells_why(newsroom: Emulator, ann: Any) -> None:
    newsroom.forget()
    with acting(ann):
        refusal(leancloud.Query("Tip").find)
    hints = [
        step["error"]["hint"]["en"] for step in newsroom.steps() if step.get("error") is not None
    ]
    assert hints == [
        "Refused by class permission find of Tip: for role:editor; this is "
        f"{ann.get_username()} ({ann.id}), in no role. Schema files set it (permissions.find)."
    ]
