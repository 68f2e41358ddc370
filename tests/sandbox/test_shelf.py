from copy import deepcopy

import pytest

from gateway.sandbox import Refusal
from gateway.sandbox.seed import JANE, JOHN, MARY
from gateway.sandbox.shelf import Kept, Shelf


def shelf() -> Shelf:
    """Two records of Jane's and John's organization, and one of Mary's."""
    kept = Shelf(3)
    for name, user in (("a", JANE), ("b", MARY), ("c", JANE)):
        kept.add({"id": name, "organization_id": user.organization_id})
    return kept


def test_a_user_sees_what_is_their_organizations() -> None:
    """Newest first, and nothing of another's, whether by its id or in a list."""
    assert [record["id"] for record in shelf().of(JOHN)] == ["c", "a"]
    assert shelf().one(JOHN, "a") == shelf().find(JOHN, "a")
    for unknown in ("b", "none", 7, None, ["a"]):
        assert shelf().find(JOHN, unknown) is None
    with pytest.raises(Refusal, match="404"):
        shelf().one(JOHN, "b")


def test_the_oldest_is_forgotten() -> None:
    """A shelf does not grow without end, nor does a copy of it."""
    for kept in (shelf(), deepcopy(shelf())):
        kept.add({"id": "d", "organization_id": MARY.organization_id})
        assert list(kept) == ["b", "c", "d"]


def test_what_is_kept_again_stays_where_it_was() -> None:
    """A change makes nothing newer."""
    kept = Kept[str, int](2)
    for name, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        kept.keep(name, value)
    assert kept == {"b": 2, "c": 4}
