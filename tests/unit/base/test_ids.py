"""Ids look like the platform's, sort by creation and can be repeated."""

import re

from lean_emulator.base.clock import ManualClock
from lean_emulator.base.ids import Ids


def test_object_ids_sort_by_creation() -> None:
    clock = ManualClock()
    ids = Ids(clock, seed=1)
    made = []
    for _ in range(50):
        made += [ids.object_id() for _ in range(20)]
        clock.advance(0.3)
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert all(re.fullmatch(r"[0-9a-f]{24}", one) for one in made)


def test_object_ids_begin_with_the_second() -> None:
    clock = ManualClock(0x5D831234 * 1000 + 999)
    assert Ids(clock, seed=1).object_id().startswith("5d831234")


def test_a_seed_repeats_everything() -> None:
    first, again = (Ids(ManualClock(), seed=7) for _ in range(2))
    for make in (Ids.object_id, Ids.session_token, Ids.call_id):
        assert make(first) == make(again)


def test_without_a_seed_nothing_repeats() -> None:
    first, other = Ids(ManualClock()), Ids(ManualClock())
    assert first.object_id() != other.object_id()
    assert first.session_token() != other.session_token()
    assert first.call_id() != other.call_id()


def test_shapes() -> None:
    ids = Ids(ManualClock(), seed=3)
    assert re.fullmatch(r"[0-9a-z]{25}", ids.session_token())
    assert re.fullmatch(r"[0-9a-z]{48}", ids.lower(48))
    assert len({ids.call_id() for _ in range(100)}) == 100


def test_a_seeded_source_goes_back_to_where_it_was() -> None:
    clock = ManualClock()
    ids = Ids(clock, seed=1)
    ids.object_id()
    state = ids.state()
    first = [ids.object_id(), ids.session_token(), ids.object_id()]
    calls = {ids.call_id()}
    ids.go_back(state)
    assert [ids.object_id(), ids.session_token(), ids.object_id()] == first
    assert ids.call_id() not in calls


def test_a_source_without_a_seed_never_repeats() -> None:
    ids = Ids(ManualClock())
    state = ids.state()
    first = ids.object_id()
    ids.go_back(state)
    assert ids.object_id() > first
