"""Connections of several processes, in memory that all of them see."""

from gateway.shares import Shares


def test_who_has_more_knows() -> None:
    """Another with fewer is seen, through another look at the same memory; one that has left is none."""
    made = Shares.make(3)
    other = Shares(made.descriptor, 3)
    mine = made.of(0)
    found = []
    mine.tell(1)
    for others in (2, 1, 0):
        other.of(2).tell(others)
        found.append(mine.enough)
    other.of(2).leave()
    assert [*found, mine.enough] == [False, False, True, False]
    made.close()
