import pytest

from gateway.sandbox import Refusal
from gateway.sandbox.paging import page_of, wanted_of

FIVE = [{"id": number, "name": str(number)} for number in range(5)]


@pytest.mark.parametrize(
    ("query", "ids", "has_more"),
    [
        ({}, [0, 1, 2, 3, 4], False),
        ({"_limit": "2"}, [0, 1], True),
        ({"_limit": "2", "_skip": "2"}, [2, 3], True),
        ({"_limit": "2", "_skip": "3"}, [3, 4], False),
        ({"_skip": "9"}, [], False),
        ({"_limit": "0"}, [], True),
        ({"_limit": "", "_skip": ""}, [0, 1, 2, 3, 4], False),
    ],
)
def test_a_page(query: dict[str, str], ids: list[int], *, has_more: bool) -> None:
    """A page is what limit and skip leave, and tells whether something follows it."""
    page = page_of(FIVE, query)
    assert ([record["id"] for record in page["data"]], page["has_more"]) == (ids, has_more)


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ({"_limit": "201"}, {"_limit": "Input should be less than or equal to 200"}),
        ({"_limit": "ten"}, {"_limit": "Input should be a valid integer"}),
        ({"_limit": "-1"}, {"_limit": "Input should be a valid integer"}),
        ({"_skip": "²"}, {"_skip": "Input should be a valid integer"}),
        ({"_skip": "9" * 5000}, {"_skip": "Input should be a valid integer"}),
    ],
)
def test_no_page(query: dict[str, str], errors: dict[str, str]) -> None:
    """A number that is none, or too many, is a field error."""
    with pytest.raises(Refusal) as refusal:
        page_of(FIVE, query)
    assert refusal.value.body == {"errors": [], "field-errors": errors}


def test_fields() -> None:
    """Only the fields named are answered, in lists too; unknown names are not missed."""
    assert wanted_of(FIVE[0], {"_fields": "id, unheard_of"}) == {"id": 0}
    assert wanted_of(FIVE[0], {"_fields": ","}) == FIVE[0]
    assert page_of(FIVE, {"_fields": "name", "_limit": "1"})["data"] == [{"name": "0"}]
