"""The account notices what it is there to notice."""

from collections.abc import Callable
from typing import TypeAlias

import pytest

from tests.replicas.balancer import Backend, Pairing
from tests.replicas.ledger import Audit, Entry, Kind, Ledger, Outcome, Row
from tests.replicas.upstream import Upstream, owner_of

HERE, THERE = Backend("here:1", 1, 2), Backend("there:2", 3, 4)
Change: TypeAlias = Callable[[Entry, Upstream, list[Row]], None]


def audit(kind: Kind, change: Change, died: Backend | None = None) -> Audit:
    """Make the account of a request that went well by way of HERE, and then change it. Whose gateway died is doomed."""
    pairing = Pairing()
    pairing.backend = HERE
    ledger, upstream, rows = Ledger(), Upstream(), list[Row]()
    entry = ledger.enter("t", kind, "k", pairing)
    if kind is Kind.REJECTED:
        rows.append(a_row())
    else:
        upstream.arrived["t"] = 1
        upstream.senders["t"] = owner_of("k")
    ledger.settle(entry, Outcome.REJECTED if kind is Kind.REJECTED else Outcome.ANSWERED)
    change(entry, upstream, rows)
    return Audit(ledger, upstream, rows, {pairing} if died is not None else (), died)


def a_row(number: str = "1", request: str = "t", instance: str = HERE.name) -> Row:
    """Make what a gateway tells of a rejection."""
    return {"id": number, "request_id": request, "instance": instance, "count": 1}


def _as_it_was(entry: Entry, upstream: Upstream, rows: list[Row]) -> None:
    pass


def _lost(entry: Entry, upstream: Upstream, rows: list[Row]) -> None:
    entry.outcome = None


def _broken(entry: Entry, upstream: Upstream, rows: list[Row]) -> None:
    entry.outcome = Outcome.BROKEN


def _wrong(entry: Entry, upstream: Upstream, rows: list[Row]) -> None:
    entry.outcome = Outcome.WRONG


def _twice(entry: Entry, upstream: Upstream, rows: list[Row]) -> None:
    upstream.arrived["t"] += 1


def _never(entry: Entry, upstream: Upstream, rows: list[Row]) -> None:
    upstream.arrived["t"] = 0


def _of_another(entry: Entry, upstream: Upstream, rows: list[Row]) -> None:
    upstream.senders["t"] = owner_of("another")


def _told_of(entry: Entry, upstream: Upstream, rows: list[Row]) -> None:
    upstream.problems.append("something else came")


def _unrecorded(entry: Entry, upstream: Upstream, rows: list[Row]) -> None:
    rows.clear()


def _recorded_twice(entry: Entry, upstream: Upstream, rows: list[Row]) -> None:
    rows.append(a_row("2"))


def _told_twice(entry: Entry, upstream: Upstream, rows: list[Row]) -> None:
    rows.append(a_row("1"))


def _recorded_elsewhere(entry: Entry, upstream: Upstream, rows: list[Row]) -> None:
    rows[:] = [a_row(instance=THERE.name)]


def _folded(entry: Entry, upstream: Upstream, rows: list[Row]) -> None:
    rows[:] = [{**a_row(), "count": 2}]


def _strange(entry: Entry, upstream: Upstream, rows: list[Row]) -> None:
    rows.append(a_row("2", "nobody's"))


@pytest.mark.parametrize("kind", Kind)
def test_all_is_well(kind: Kind) -> None:
    """A request that went as it should is no problem."""
    assert audit(kind, _as_it_was).problems() == []


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (Kind.PASSED, _lost),
        (Kind.PASSED, _broken),
        (Kind.PASSED, _wrong),
        (Kind.PASSED, _twice),
        (Kind.PASSED, _never),
        (Kind.PASSED, _told_of),
        (Kind.PASSED, _strange),
        (Kind.ACCEPTED, _twice),
        (Kind.FILLED, _of_another),
        (Kind.REJECTED, _broken),
        (Kind.REJECTED, _twice),
        (Kind.REJECTED, _unrecorded),
        (Kind.REJECTED, _recorded_twice),
        (Kind.REJECTED, _told_twice),
        (Kind.REJECTED, _recorded_elsewhere),
        (Kind.REJECTED, _folded),
    ],
)
def test_what_goes_wrong_is_noticed(kind: Kind, change: Change) -> None:
    """Whichever end tells of it."""
    assert audit(kind, change).problems() != []


@pytest.mark.parametrize(("kind", "change"), [(Kind.PASSED, _broken), (Kind.FILLED, _broken), (Kind.REJECTED, _broken)])
def test_a_connection_may_break_with_its_gateway(kind: Kind, change: Change) -> None:
    """And with no other one, nor if it was opened afterwards."""
    assert audit(kind, change, died=HERE).problems() == []
    assert audit(kind, change, died=THERE).problems() != []
    later = audit(kind, change, died=HERE)
    later.doomed = ()
    assert later.problems() != []


def test_a_broken_request_came_once_at_most() -> None:
    """It is not known how far it got, but nothing is done twice."""

    def broken_and(further: Change) -> Change:
        def change(entry: Entry, upstream: Upstream, rows: list[Row]) -> None:
            _broken(entry, upstream, rows)
            further(entry, upstream, rows)

        return change

    assert audit(Kind.PASSED, broken_and(_never), died=HERE).problems() == []
    assert audit(Kind.PASSED, broken_and(_twice), died=HERE).problems() != []
    assert audit(Kind.REJECTED, broken_and(_unrecorded), died=HERE).problems() == []
    assert audit(Kind.REJECTED, broken_and(_recorded_twice), died=HERE).problems() != []


def test_what_a_killed_gateway_had_not_recorded_yet_is_counted() -> None:
    """It is no problem of that gateway, and one of any other."""
    excused = audit(Kind.REJECTED, _unrecorded, died=HERE)
    assert (excused.problems(), excused.unrecorded) == ([], ["t"])
    assert audit(Kind.REJECTED, _unrecorded, died=THERE).problems() != []
