"""Groups and their copies."""

from lean_emulator.storage.groups import Groups


def made(**groups: str) -> Groups[str, int]:
    made: Groups[str, int] = Groups()
    for key, members in groups.items():
        for number, member in enumerate(members):
            made.put(key, member, number)
    return made


def shown(groups: Groups[str, int], key: str) -> str:
    return "".join(groups.of(key))


def test_members_keep_the_order_in_which_they_joined() -> None:
    groups = made(a="xzy")
    groups.put("a", "x", 9)
    assert dict(groups.of("a")) == {"x": 9, "z": 1, "y": 2}


def test_who_is_not_in_can_be_dropped() -> None:
    groups = made(a="x")
    groups.drop("a", "y")
    groups.drop("b", "y")
    assert (shown(groups, "a"), shown(groups, "b")) == ("x", "")


def test_either_side_of_a_copy_changes_alone() -> None:
    one = made(a="x", b="y")
    other = one.copy()
    one.put("a", "1", 0)
    other.put("a", "2", 0)
    other.drop("b", "y")
    one.put("c", "3", 0)
    assert [shown(one, key) for key in "abc"] == ["x1", "y", "3"]
    assert [shown(other, key) for key in "abc"] == ["x2", "", ""]


def test_a_group_that_was_forgotten_begins_anew() -> None:
    one = made(a="xy")
    other = one.copy()
    assert set(other.drop_all("a")) == {"x", "y"}
    other.put("a", "z", 0)
    again = other.copy()
    other.put("a", "q", 0)
    assert [shown(groups, "a") for groups in (one, other, again)] == ["xy", "zq", "z"]


def test_a_copy_shares_what_nobody_changed() -> None:
    one = made(a="x")
    assert one.copy().of("a") is one.of("a")
