"""Connections of several processes, in memory that all of them see."""

from gateway.shares import Shares


def test_who_has_more_knows() -> None:
    """Another with fewer is seen, through another look at the same memory; one that has left is none."""
    made = Shares.make(3)
    other = Shares(made.descriptor, 3)
    mine = made.of(0)
    mine.tell(1)
    assert not mine.enough
    other.of(2).tell(1)
    assert not mine.enough
    other.of(2).tell(0)
    assert mine.enough
    other.of(2).leave()
    assert not mine.enough
    made.close()
