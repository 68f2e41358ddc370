import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.body import NO_BODY, RequestBody, RequestBroken

TAKE = None
STEPS = st.lists(st.one_of(st.binary(min_size=1, max_size=20), st.just(TAKE)))


@given(STEPS)
def test_what_comes_is_what_is_taken(steps: list[bytes | None]) -> None:
    """Whenever it is taken: each byte once, in order; and what waits is known by its size."""
    body, came, taken = RequestBody(), b"", b""
    for piece in steps:
        if piece is TAKE:
            taken += body.take()
        else:
            body.feed(piece)
            came += piece
        assert body.held == len(came) - len(taken)
    assert taken + body.take() == came
    assert (body.held, body.take()) == (0, b"")


@pytest.mark.parametrize(("held", "full"), [(0, False), (10, False), (11, True)])
def test_it_is_full_beyond_its_mark(held: int, *, full: bool) -> None:
    """At the mark one more piece may come; once it is taken, so may others."""
    body = RequestBody()
    body.high_water = 10
    body.feed(bytes(held))
    assert body.full is full
    body.take()
    assert not body.full


TAKEN = [  # what waits, whether that is all; how often its client is told that it may go on
    (b"", False, 0),
    (b"some", False, 1),
    (b"some", True, 0),  # nothing more can come
    (b"", True, 0),
]


@pytest.mark.parametrize(("piece", "complete", "times"), TAKEN)
def test_who_waits_is_told_once_it_may_go_on(piece: bytes, times: int, *, complete: bool) -> None:
    """By then there is room: what it sends at once is held in full."""
    held: list[int] = []
    body = RequestBody(lambda: held.append(body.held))
    if piece:
        body.feed(piece)
    if complete:
        body.end()
    assert body.take() == piece
    assert held == [0] * times


def test_it_ends_in_one_of_two_ways() -> None:
    """What is complete does not break any more, and the first thing that was wrong with a body stays it."""
    first, second = RequestBroken(), RequestBroken()
    whole, broken = RequestBody(), RequestBody()
    assert (whole.over, broken.over) == (False, False)
    whole.end()
    whole.fail(first)
    broken.fail(first)
    broken.fail(second)
    assert (whole.complete, whole.error, whole.over) == (True, None, True)
    assert (broken.complete, broken.error, broken.over) == (False, first, True)


def test_what_came_before_it_broke_is_still_there() -> None:
    """Whoever takes it looks at the error first, or sends half of something."""
    body = RequestBody()
    body.feed(b"half")
    body.fail(RequestBroken())
    assert body.take() == b"half"


def test_no_body_is_whole_and_stays_so() -> None:
    """All requests without one share it: none of them may change it."""
    NO_BODY.end()
    NO_BODY.fail(RequestBroken())
    assert (NO_BODY.complete, NO_BODY.error, NO_BODY.held, NO_BODY.take()) == (True, None, 0, b"")
