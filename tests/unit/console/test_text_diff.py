from hypothesis import given
from hypothesis import strategies as st

from lean_emulator.console.text_diff import Side, text_diff

WORDS = st.lists(
    st.sampled_from(["quiet", "place", " ", "  ", "…", "the", "stairs,", "\n", "é"]), max_size=60
)


def whole(side: Side) -> str:
    return "".join(text for _, text in side)


@given(WORDS.map("".join), WORDS.map("".join))
def test_each_side_is_its_own_text_in_pieces(before: str, after: str) -> None:
    left, right = text_diff(before, after)
    assert whole(left) == before
    assert whole(right) == after
    assert {kind for kind, _ in left} <= {"same", "cut", "del"}
    assert {kind for kind, _ in right} <= {"same", "cut", "ins"}


def test_what_stayed_is_not_marked() -> None:
    left, right = text_diff("stars: 4 of 5", "stars: 3 of 5")
    assert left == [("same", "stars: "), ("del", "4"), ("same", " of 5")]
    assert right == [("same", "stars: "), ("ins", "3"), ("same", " of 5")]


def test_long_equal_text_is_cut_at_words() -> None:
    text = "word " * 60
    left, _ = text_diff(text + "old", text + "new")
    kinds = [kind for kind, _ in left]
    assert kinds == ["same", "cut", "same", "del"]
    assert left[0][1].endswith(" ")


def test_texts_that_share_nothing_are_compared_in_time() -> None:
    left, right = text_diff("a b " * 20_000, "c d " * 20_000)
    assert [kind for kind, _ in left] == ["del", "same"]
    assert [kind for kind, _ in right] == ["ins", "same"]
