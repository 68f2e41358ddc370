import cleancat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.sender import SenderState, sender_state
from tests.policy.senders import JSON_VALUES, SENDERS

ROWS = [(state, sender) for state, senders in SENDERS.items() for sender in senders]
BOUNDED = settings(derandomize=True, max_examples=100)


def test_the_table_is_complete() -> None:
    """A state added to the enum has to be given senders."""
    assert set(SENDERS) == set(SenderState)


@pytest.mark.parametrize(("state", "sender"), ROWS)
def test_what_a_sender_amounts_to(state: SenderState, sender: object) -> None:
    """Missing where Close says required, of the wrong type, without any address, or fit to be sent from."""
    assert sender_state(sender) is state


@BOUNDED
@given(JSON_VALUES)
def test_every_json_value_amounts_to_something(value: object) -> None:
    """Whatever a client sends as its sender, there is an answer; and only text can be missing, or have an address."""
    state = sender_state(value)
    if value is None:
        assert state is SenderState.MISSING
    else:
        assert (state is SenderState.NOT_A_STRING) is not isinstance(value, str)


@BOUNDED
@given(st.text())
def test_blank_means_what_it_means_to_the_public_validation_library(text: str) -> None:
    """A string counts as missing exactly where Close's public library finds no value in it."""
    assert (sender_state(text) is SenderState.MISSING) is not cleancat.TrimmedString().has_value(text)


@BOUNDED
@given(st.from_regex(cleancat.Email.regex, fullmatch=True))
def test_what_the_public_validation_library_takes_is_usable(address: str) -> None:
    """An address that Close's public library accepts is usable, unless punctuation stands beside the "@"."""
    before, _, after = address.rpartition("@")
    if before[-1] not in "<>,;:" and after[0] not in '<>,;:"':
        assert sender_state(address) is SenderState.USABLE


@BOUNDED
@given(st.text(), st.text(alphabet=" \t\r\n"), st.text())
def test_an_address_is_found_wherever_it_stands(before: str, blanks: str, after: str) -> None:
    """Whatever name, quotes or other addresses stand around it, an address in angle brackets is one."""
    assert sender_state(f"{before}<{blanks}jane@example.com{blanks}>{after}") is SenderState.USABLE
