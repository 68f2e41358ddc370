import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rejections.entry import Entry, from_line, new_id, to_line
from tests.rejections.stores import NOON, an_entry

texts = st.text()
ENTRIES = st.builds(
    an_entry,
    st.integers(0, 2**52),
    id=st.text("0123456789abcdef", min_size=32, max_size=32),
    count=st.integers(1, 10**9),
    path=texts.map(lambda text: text.encode("utf-8", "replace").decode()),
    owner=st.none() | st.just("jane@example.com"),
    status=st.none() | st.just(400),
    enforced=st.booleans(),
    elapsed_ms=st.floats(0, 1e9),
    shape=st.none() | st.dictionaries(st.sampled_from("abc"), st.integers(0, 9) | st.just("x")),
    captured=st.none() | st.just('{"a": 1}\n'),
)


@given(ENTRIES)
def test_a_line_is_read_back(entry: Entry) -> None:
    """What waits in a file is the same entry afterwards, and one line."""
    line = to_line(entry)
    assert line.index(b"\n") == len(line) - 1
    assert from_line(line) == entry


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"null\n",
        b"[]\n",
        b"{}\n",
        b"\xff\n",
        to_line(an_entry())[:-20],
        to_line(an_entry()).replace(b'"count":1', b'"count":"1"'),
        to_line(an_entry()).replace(b'"count":1', b'"count":null'),
    ],
)
def test_what_is_no_entry(line: bytes) -> None:
    """A line that was cut short or tampered with is none."""
    assert from_line(line) is None


def test_ids_sort_by_time_and_are_never_the_same() -> None:
    """So entries of several gateways fall into one order."""
    at_once = [new_id(NOON) for _ in range(10_000)]
    assert len(set(at_once)) == 10_000
    assert max(at_once) < new_id(NOON + 1)
    assert {len(made) for made in [*at_once, new_id(0), new_id(2**55)]} == {32}


def test_a_line_says_nothing_that_is_not_kept() -> None:
    """It has the fields of the entry and no more."""
    assert set(json.loads(to_line(an_entry()))) == set(Entry.__slots__)
