"""Some seconds of fuzz, and that it would notice what it is there to notice."""

import pytest
from hypothesis import find

from tests.fuzz.cases import ANSWERS, DECOY, REQUESTS, Case, request_cases
from tests.fuzz.checks import check_answers, check_relayed, check_targets, origin_form
from tests.fuzz.fuzz import fuzz_answers, fuzz_requests, rigged
from tests.fuzz.messages import Invalid, Reading, Request, read_answer, read_requests
from tests.fuzz.rig import Fault, Sender

SEED = 20251217
CASES = 400
"""Of each kind: some two seconds on a machine that is not busy. `make fuzz` goes on for minutes."""


def test_whatever_a_client_sends() -> None:
    """No more goes up than was sent, what comes back is valid, a neighbour is served, and nothing is left behind."""
    with rigged() as (rig, run):
        fuzz_requests(rig, run, SEED, CASES)


def test_whatever_an_upstream_answers() -> None:
    """The client sees that answer, an error of the gateway's, or that it breaks off; a neighbour sees none of it."""
    with rigged() as (rig, run):
        fuzz_answers(rig, run, SEED, CASES)


@pytest.mark.parametrize("data", REQUESTS)
def test_what_is_mutated_is_valid(data: bytes) -> None:
    """And a whole request: mutating what is refused anyway would find little."""
    requests = read_requests(data * 2)
    assert len(requests) == 2
    assert None not in {request.body for request in requests}


@pytest.mark.parametrize("data", ANSWERS)
def test_the_answers_that_are_mutated_are_valid(data: bytes) -> None:
    """They can all be read."""
    assert read_answer(Reading(data), bodiless=False, ended=True).status in {200, 201, 204, 304}


def test_bodies_hold_no_requests() -> None:
    """What looks like a request in a body is none, unless the framing before it is broken."""
    hidden = b"POST /l HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(DECOY) + DECOY
    assert [request.target for request in read_requests(hidden)] == [b"/l"]
    assert [request.target for request in read_requests(hidden.replace(b"35", b"0"))] == [b"/l", b"/smuggled"]
    assert [request.target for request in read_requests(hidden.replace(b"35", b"+5"))] == [b"/l"]


@pytest.mark.parametrize("targets", [[b"/a", b"/a"], [b"/b", b"/a"], [b"/c"]])
def test_a_request_too_many_is_noticed(targets: list[bytes]) -> None:
    """Sent twice, out of turn, or out of another one's body."""
    with pytest.raises(Fault):
        check_targets([Request(b"GET", b"/a", b""), Request(b"GET", b"/b", b"")], targets)


@pytest.mark.parametrize(
    ("absolute", "target"),
    [(b"http://a", b"/"), (b"http://a/b?c", b"/b?c"), (b"http://a?c/d", b"/?c/d"), (b"/b", b"/b")],
)
def test_an_absolute_form_goes_up_as_its_path(absolute: bytes, target: bytes) -> None:
    """RFC 9112, 3.2.2."""
    assert origin_form(absolute) == target


def received(data: bytes, *, ended: bool = False) -> Sender:
    """Make a client that was sent these bytes."""
    sender = Sender()
    sender.received, sender.ended = data, ended
    return sender


@pytest.mark.parametrize("data", [b"HTTP/1.1 200\r\n\r\n", b"hello", ANSWERS[0][:-1], ANSWERS[0] * 3])
def test_an_answer_out_of_shape_is_noticed(data: bytes) -> None:
    """Be it no HTTP, too short, or one answer too many."""
    with pytest.raises(Fault):
        check_answers([Request(b"GET", b"/a", b"")], [b"/a"], received(data))


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        (ANSWERS[0][:-1], ANSWERS[0].replace(b"5", b"4")[:-1]),
        (ANSWERS[0], ANSWERS[0].replace(b"hello", b"holla")),
        (ANSWERS[0][:-1], ANSWERS[0][:-1]),
    ],
)
def test_a_relayed_answer_that_is_another_one_is_noticed(data: bytes, seen: bytes) -> None:
    """A short one that looks complete, one with another body, and one that never ends."""
    with pytest.raises(Fault):
        check_relayed(data, received(seen), closes=True)


def test_segments_are_the_case() -> None:
    """Wherever it is cut."""
    assert Case(b"abcdef", (4, 2, 2, 99)).segments == [b"ab", b"cd", b"ef"]


def test_mutations_reach_framings() -> None:
    """Among the cases there are some with two framings in one request."""
    case = find(
        request_cases(), lambda case: b"Content-Length: 35\r\n\r\n" not in case.data and two_framings(case.data)
    )
    assert two_framings(case.data)


def two_framings(data: bytes) -> bool:
    """Whether the first head has both a length and a coding."""
    head = data.partition(b"\r\n\r\n")[0].lower()
    return b"\r\ncontent-length:" in head and b"\r\ntransfer-encoding:" in head


def test_a_strict_reading_takes_no_bare_line_feeds() -> None:
    """Nor what else some servers let pass."""
    for data in (b"HTTP/1.1 200 OK\n\n", b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"):
        with pytest.raises(Invalid):
            read_answer(Reading(data), bodiless=True, ended=True)
