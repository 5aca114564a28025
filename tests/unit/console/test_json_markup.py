import html
import json
import re

from hypothesis import given
from hypothesis import strategies as st

from lean_emulator.base.jsontext import Json
from lean_emulator.console.json_markup import json_line, json_markup

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(), inner, max_size=6),
    max_leaves=20,
)


@given(JSON)
def test_without_its_tags_it_is_the_same_json(value: Json) -> None:
    text = html.unescape(re.sub(r"<[^>]*>", "", str(json_markup(value))))
    assert json.loads(text) == value


def test_markup_in_the_data_stays_text() -> None:
    shown = json_markup({"<script>": "</pre><script>alert(1)</script>"})
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_small_members_stay_on_their_line_and_the_whole_never_does() -> None:
    pointer: Json = {"__type": "Pointer", "className": "Post", "objectId": "1"}
    text = re.sub(r"<[^>]*>", "", str(json_markup({"post": pointer}))).replace("&#34;", '"')
    assert text == ('{\n  "post": {"__type": "Pointer", "className": "Post", "objectId": "1"}\n}')


def test_it_ends_at_the_limit() -> None:
    shown = json_markup(["x" * 100] * 10_000, limit=5_000)
    assert len(shown) < 6_000
    assert shown.endswith("…</span>")


def test_masked_values_look_masked() -> None:
    assert 'class="s masked"' in json_markup({"sessionToken": "••••ab12"})


def test_a_line_is_cut() -> None:
    assert json_line({"a": 1}) == '{"a": 1}'
    assert len(json_line(["long"] * 100, 40)) == 40
