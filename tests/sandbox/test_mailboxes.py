import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sandbox.mailboxes import address_in, name_in


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("jane@example.com", "", "jane@example.com"),
        ("<jane@example.com>", "", "jane@example.com"),
        ("Jane Roe <Jane@Example.com>", "Jane Roe", "jane@example.com"),
        (' "Roe, <Jane>" <jane@example.com> ', "Roe, <Jane>", "jane@example.com"),
        ("Jane <jane@example.com", "Jane", "jane@example.com"),
        ("Jane", "", "jane"),
        ("Jane <>", "Jane", ""),
        ("", "", ""),
    ],
)
def test_names_and_addresses(text: str, name: str, address: str) -> None:
    """Each without what stands around it; of the address, capitals do not count."""
    assert (name_in(text), address_in(text)) == (name, address)


@pytest.mark.parametrize("text", ["(" * 100_000, "<" * 100_000, '"' * 100_000, "\\" * 100_000])
def test_text_that_was_chosen_to_be_read_badly(text: str) -> None:
    """It is read at once, whatever it says."""
    assert isinstance(name_in(text) + address_in(text), str)


@given(st.text('a@<>" ,'))
def test_any_text_has_both(text: str) -> None:
    """They come from it, and are never padded."""
    for found in (name_in(text), address_in(text)):
        assert found in text.lower()
        assert found == found.strip()
