from typing import Any

import cleancat
import pytest

from gateway.sandbox.refusal import (
    NO_SUCH_OBJECT,
    NOT_A_CHOICE,
    NOT_A_STRING,
    NOT_AN_ADDRESS,
    NOT_AN_OBJECT,
    REQUIRED,
    invalid,
    refused,
)


def test_the_shapes() -> None:
    """A 400 has two lists of what is wrong, any other refusal one sentence."""
    assert invalid("Whole.", fields={"sender": "Part."}).body == {
        "errors": ["Whole."],
        "field-errors": {"sender": "Part."},
    }
    assert (refused(404, "Not Found").status, refused(404, "Not Found").body) == (404, {"error": "Not Found"})


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (cleancat.TrimmedString(), None, REQUIRED),
        (cleancat.TrimmedString(), " ", REQUIRED),
        (cleancat.TrimmedString(), 7, NOT_A_STRING),
        (cleancat.Email(), "Jane Roe", NOT_AN_ADDRESS),
        (cleancat.Choices(["draft"]), "received", NOT_A_CHOICE),
    ],
)
def test_the_words_are_those_of_the_public_validation_library(field: Any, value: object, message: str) -> None:
    """Clients match on Close's words, so the sandbox says the same."""
    with pytest.raises(cleancat.ValidationError) as refusal:
        field.clean(value)
    assert refusal.value.args == (message,)


def test_the_words_for_a_whole_request() -> None:
    """A list is no request, in the library's words; and a reference to nothing has words of its own."""
    with pytest.raises(cleancat.ValidationError) as refusal:
        cleancat.Schema(["draft"]).full_clean()
    assert refusal.value.args == ({"errors": [NOT_AN_OBJECT]},)
    assert NO_SUCH_OBJECT == "Object does not exist."
