from typing import Any

import cleancat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sandbox.refusal import NOT_A_CHOICE, NOT_A_STRING, NOT_AN_ADDRESS, REQUIRED
from gateway.sandbox.rules import (
    STATUSES,
    errors_in_change,
    errors_in_new,
    is_missing,
    may_change,
    sender_after_change,
    sender_error,
    sender_of_new,
)

ADDRESS = "jane@example.com"
DATE = {"date_scheduled": "2030-01-31T09:00:00+00:00"}
MISSING: list[dict[str, Any]] = [{}, {"sender": None}, {"sender": ""}, {"sender": " \t\n"}]
NEEDS_ONE = {"sender": REQUIRED}

NEW = [  # status, without a sender
    ("inbox", NEEDS_ONE),
    ("draft", {}),
    ("scheduled", NEEDS_ONE),
    ("outbox", NEEDS_ONE),
    ("sent", {}),
    ("error", NEEDS_ONE),
]
CHANGED = [  # status, without a sender in the change or in what is kept
    ("inbox", {}),
    ("draft", {}),
    ("scheduled", NEEDS_ONE),
    ("outbox", NEEDS_ONE),
    ("sent", {}),
    ("error", {}),
]
ADDRESSES = [
    ADDRESS,
    f"  {ADDRESS}\n",
    f"<{ADDRESS}>",
    f"Jane Roe <{ADDRESS}>",
    f'"Jane Roe" <{ADDRESS}>',
    f'"Roe, Jane" <{ADDRESS}>',
    f"Roe, Jane <{ADDRESS}>",
    f'"Jane @ work" <{ADDRESS}>',
    f"{ADDRESS} (Jane Roe)",
    f"Ünsal Çelik <{ADDRESS}>",
    "jane+close@example.com",
    "o'hara.jane_roe-1@mail.example.co.uk",
    '"jane roe"@example.com',
    "用户@例子.广告",
    "jane@bücher.example",
    "jane@[192.0.2.1]",
    "jane@localhost",
]
NO_ADDRESSES = ["Jane Roe", "jane", "example.com", "@", "@example.com", "jane@", "Jane Roe <>", "jane@.", "<jane>@<x>"]
NO_STRINGS: list[Any] = [0, 1, 1.5, True, False, [], [ADDRESS], {}, {"email": ADDRESS}]


def test_the_tables_are_complete() -> None:
    """Each of Close's six statuses has a row, for a new email and for a change."""
    assert tuple(row[0] for row in NEW) == tuple(row[0] for row in CHANGED) == STATUSES


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize(("status", "expected"), NEW)
def test_a_new_email_without_a_sender(status: str, expected: dict[str, str], missing: dict[str, Any]) -> None:
    """A sender is needed for all but a draft and sent; absent, null, empty and blank are the same."""
    assert errors_in_new({"status": status, **DATE, **missing}) == expected


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize(("status", "expected"), CHANGED)
def test_a_change_without_a_sender(status: str, expected: dict[str, str], missing: dict[str, Any]) -> None:
    """A sender is needed for what is to be sent, and the kept one will do."""
    change = {"status": status, **DATE, **missing}
    assert errors_in_change(change, {"sender": None}) == expected
    assert errors_in_change(change, {"sender": ADDRESS}) == {}


@pytest.mark.parametrize("change", [{}, {"status": None}, {"subject": "Hello"}])
def test_a_change_of_something_else(change: dict[str, Any]) -> None:
    """A change that leaves the status alone needs no sender."""
    assert errors_in_change(change, {"sender": None}) == {}


@pytest.mark.parametrize("status", STATUSES)
def test_with_a_sender_all_is_well(status: str) -> None:
    """No status minds a sender."""
    email = {"status": status, "sender": ADDRESS, **DATE}
    assert errors_in_new(email) == errors_in_change(email, {"sender": None}) == {}


@pytest.mark.parametrize("missing", [{}, {"date_scheduled": None}, {"date_scheduled": " "}])
def test_what_is_scheduled_says_when(missing: dict[str, Any]) -> None:
    """A date is needed, in the request or in what is kept; a change may not take it away."""
    needs_one = {"date_scheduled": REQUIRED}
    email = {"status": "scheduled", "sender": ADDRESS, **missing}
    assert errors_in_new(email) == errors_in_change(email, {"sender": None}) == needs_one
    assert errors_in_change(email, {"sender": None, **DATE}) == (needs_one if missing else {})
    assert errors_in_new({**email, "status": "draft"}) == {}


@pytest.mark.parametrize("sender", ADDRESSES)
def test_an_address_is_taken_in_every_spelling(sender: str) -> None:
    """A sandbox that is pickier than Close would hide what the gateway wrongly refuses."""
    assert sender_error(sender) is None


@pytest.mark.parametrize("sender", NO_ADDRESSES)
def test_a_string_without_an_address(sender: str) -> None:
    """A string that no reader could find an address in is refused."""
    assert sender_error(sender) == NOT_AN_ADDRESS


@pytest.mark.parametrize("sender", NO_STRINGS)
def test_a_sender_that_is_no_string(sender: Any) -> None:
    """Anything but a string is of the wrong type, even where it is empty."""
    assert sender_error(sender) == NOT_A_STRING


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(("sender", "error"), [(7, NOT_A_STRING), ("Jane Roe", NOT_AN_ADDRESS)])
def test_a_malformed_sender_is_refused_for_every_status(status: str, sender: Any, error: str) -> None:
    """The status does not excuse a sender that is given and is none."""
    email = {"status": status, "sender": sender, **DATE}
    assert errors_in_new(email) == errors_in_change(email, {"sender": ADDRESS}) == {"sender": error}


@pytest.mark.parametrize("status", ["", "received", "Draft", 1, True, [], ["draft"], {}])
def test_a_status_that_close_does_not_know(status: Any) -> None:
    """A made-up status is refused, and says nothing about the sender."""
    assert errors_in_new({"status": status}) == {"status": NOT_A_CHOICE}
    assert errors_in_change({"status": status}, {"sender": None}) == {"status": NOT_A_CHOICE}


def test_a_new_email_needs_a_status() -> None:
    """Absent and null are the same."""
    assert errors_in_new({}) == errors_in_new({"status": None}) == {"status": REQUIRED}


@pytest.mark.parametrize(
    ("kept", "change", "allowed"),
    [
        ("draft", {}, True),
        ("draft", {"status": "outbox"}, True),
        ("scheduled", {"status": "draft"}, True),
        ("scheduled", {"status": "outbox"}, False),
        ("scheduled", {"subject": "Hello"}, False),
        ("outbox", {"status": "draft"}, True),
        ("outbox", {"status": "scheduled"}, False),
        ("sent", {"status": "draft"}, False),
        ("inbox", {"status": "draft"}, False),
        ("error", {"status": "draft"}, False),
    ],
)
def test_only_drafts_can_be_modified(kept: str, change: dict[str, Any], *, allowed: bool) -> None:
    """What has not gone out can be made a draft again, and nothing else."""
    assert may_change(change, {"status": kept}) is allowed


@pytest.mark.parametrize("missing", MISSING)
def test_the_sender_of_a_new_email(missing: dict[str, Any]) -> None:
    """Only for sent does the owner's address stand in; a sender that is given is kept without the blanks."""
    assert sender_of_new({"status": "sent", **missing}, ADDRESS) == ADDRESS
    assert sender_of_new({"status": "draft", **missing}, ADDRESS) is None
    assert sender_of_new({"status": "sent", "sender": " john@example.com "}, ADDRESS) == "john@example.com"


@pytest.mark.parametrize(
    ("change", "after"),
    [
        ({}, ADDRESS),
        ({"status": "outbox"}, ADDRESS),
        ({"status": "outbox", "sender": None}, ADDRESS),
        ({"status": "scheduled", "sender": " "}, ADDRESS),
        ({"status": "draft", "sender": None}, None),
        ({"sender": ""}, None),
        ({"sender": " john@example.com "}, "john@example.com"),
    ],
)
def test_the_sender_after_a_change(change: dict[str, Any], after: str | None) -> None:
    """A sender can be taken away from a draft, but not on the way out."""
    assert sender_after_change(change, {"sender": ADDRESS}) == after


@given(st.from_regex(cleancat.Email.regex, fullmatch=True))
def test_what_the_public_validation_library_takes_is_taken(address: str) -> None:
    """Every address that Close's public library accepts is accepted here, unless punctuation stands beside the "@"."""
    before, _, after = address.rpartition("@")
    if before[-1] not in "<>,;:@" and after[0] not in '<>,;:"':
        assert sender_error(address) is None


@given(st.text())
def test_blank_means_what_it_means_to_the_public_validation_library(text: str) -> None:
    """A string counts as missing exactly where Close's public library finds no value in it."""
    assert is_missing(text) is not cleancat.TrimmedString().has_value(text)
