import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sandbox.shown import DEEPEST, LONGEST, LONGEST_TEXT, MOST_ITEMS, clipped, lists_in, names_in, text_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (1.5, "1.5"),
        (["a@example.net", None, ["b"]], "a@example.net, , b"),
        ({"a": 1, "b": [2]}, "a: 1, b: 2"),
        ([[[]], [[["deep"]]]], ", …"),
        ("x" * 200, "x" * (LONGEST - 1) + "…"),
    ],
)
def test_a_value_in_one_line(value: Any, text: str) -> None:
    """Texts as they are, lists with commas, nothing as nothing."""
    assert text_of(value) == text


@given(VALUES)
def test_a_line_is_short(value: Any) -> None:
    """Whatever JSON holds, it can be shown in one line."""
    assert len(text_of(value)) <= LONGEST


@given(VALUES)
def test_what_is_small_is_shown_whole(value: Any) -> None:
    """Nothing is left out of what is neither long nor deep."""
    assert clipped(value, depth=100) == value


def test_what_is_large_is_clipped() -> None:
    """A text, a list and a depth that nobody could look at."""
    deep: Any = []
    for _ in range(200):
        deep = [deep]
    assert json.dumps(clipped(deep), ensure_ascii=False) == "[" * DEEPEST + '"…"' + "]" * DEEPEST
    assert clipped({"a": "x" * 9999, "b": [0] * 9999}) == {"a": "x" * LONGEST_TEXT + "…", "b": [0] * MOST_ITEMS}


def test_the_records_of_a_dump() -> None:
    """Lists of things with an id, known or not; what people call them goes by those ids."""
    leads = [{"id": "lead_1", "display_name": "Bluth", "name": "x"}, {"id": "lead_2", "name": ""}]
    dump = {"leads": leads, "new_things": [], "requests": [{"method": "GET"}], "now": "2026", "rate_limit": "1/s"}
    assert lists_in(dump) == {"leads": leads, "new_things": []}
    assert names_in(lists_in(dump)) == {"lead_1": "Bluth"}
