"""A short soak, and that it would notice what it is there to notice."""

import asyncio

import pytest

from tests.soak.faults import FAULTS, Fate
from tests.soak.ledger import Entry, Ledger
from tests.soak.soak import grown, soak
from tests.soak.tokens import Mixed, check_pattern, pattern
from tests.soak.upstream import MANNERS


async def test_every_request_is_accounted_for() -> None:
    """Some seconds of mixed traffic and faults: both ends agree, nothing is left behind, SIGTERM fails no request."""
    said: list[str] = []
    report = await soak(3.0, seed=20251217, say=said.append)
    assert len(said) == 4
    assert sum(report.fates.values()) == report.sent
    assert {fate for fate in Fate if not report.fates[fate]} == set()


def test_every_fault_has_its_manner() -> None:
    """What a request can ask for, the upstream can do."""
    assert MANNERS.keys() == FAULTS.keys()


def entry(method: str = "POST", fault: str = "none", *, rejected: bool = False, leaves: bool = False) -> Entry:
    """Make an entry that arrived once and was answered."""
    made = Entry("t", method, FAULTS[fault], rejected=rejected, leaves=leaves)
    made.arrived = made.completed = 1
    made.fate = Fate.ANSWERED
    return made


def test_all_is_well() -> None:
    """A request that came and was answered is no problem."""
    assert list(entry().problems()) == []


def test_a_post_sent_twice_is_a_problem() -> None:
    """Be it that one of the two met a closed connection."""
    crossed = entry("POST")
    crossed.crossed = 1
    assert "it was sent 2 times" in list(crossed.problems())


def test_a_get_may_be_sent_once_more() -> None:
    """Where it met a closed connection the first time."""
    crossed = entry("GET")
    crossed.crossed = 1
    assert list(crossed.problems()) == []


def test_a_rejected_request_never_arrives() -> None:
    """Not once, whatever its client was told."""
    rejected = entry(rejected=True)
    rejected.fate = Fate.REJECTED
    assert len(list(rejected.problems())) == 1


def test_a_request_without_an_outcome_is_a_problem() -> None:
    """So is an outcome that its fault does not explain."""
    lost, refused = entry(), entry()
    lost.fate, refused.fate = None, Fate.REFUSED
    assert list(lost.problems()) == ["it was lost sight of"]
    assert list(refused.problems()) == ["it was refused"]


def test_each_failure_is_one_event() -> None:
    """A refused request that the log does not tell of is a problem, and so is an event of an unknown one."""
    ledger, refused = Ledger(), entry(fault="reset")
    refused.fate = Fate.REFUSED
    ledger.enter(refused)
    ledger.logged = {"another": ["no reason"]}
    ledger.settle()
    assert [problem.partition(":")[0] for problem in ledger.problems] == [
        "t (POST, reset)",
        "the log tells of another, which nobody had sent",
    ]


async def test_a_body_of_two_tokens_is_noticed() -> None:
    """Wherever the pieces are cut."""
    stream = asyncio.StreamReader()
    stream.feed_data(pattern("one", 100) + pattern("two", 100))
    stream.feed_eof()
    with pytest.raises(Mixed):
        await check_pattern("one", stream)


@pytest.mark.parametrize(("samples", "growth"), [([5], 0), ([5, 5, 5], 0), ([1, 2, 3, 4], 3), ([9, 1, 9, 1, 9], 0)])
def test_growth_is_that_of_the_line(samples: list[int], growth: float) -> None:
    """A peak is no growth."""
    assert grown(samples) == pytest.approx(growth)
