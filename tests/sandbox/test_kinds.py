from typing import Any

import pytest

from gateway.sandbox.kinds import CONTACT, EMAIL, LEAD, MOST_CONTACTS, fitted
from gateway.sandbox.refusal import NOT_A_STRING

FILE = {"url": "https://app.close.com/go/file/1", "filename": "a.pdf", "size": 1}
ELSEWHERE = FILE | {"url": "https://example.com/a.pdf"}


def no(kind: str) -> str:
    """The message of a wrong type."""
    return f"Value must be of {kind} type."


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("subject", "", ""),
        ("subject", None, None),
        ("to", None, []),
        ("to", ["a@example.net"], ["a@example.net"]),
        ("followup_sequence_add_cc_bcc", None, False),
        ("followup_sequence_delay", 7, 7),
        ("contact_id", " ", None),
        ("activity_at", "2026-03-02T10:00:00+01:00", "2026-03-02T09:00:00+00:00"),
        ("date_scheduled", "", None),
        ("send_in", 59, 59),
        ("send_in", -1, -1),
        ("attachments", [FILE], [FILE | {"content_type": None}]),
        ("attachments", None, []),
        ("opens", [{"opened_at": "2026-03-02", "x": 1}], [{"opened_at": "2026-03-02T00:00:00+00:00"}]),
    ],
)
def test_how_a_value_is_kept(name: str, value: Any, kept: Any) -> None:
    """As an answer shows it."""
    assert fitted({name: value}, EMAIL) == ({name: kept}, {})


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("subject", 7, NOT_A_STRING),
        ("body_html", ["<p>"], NOT_A_STRING),
        ("to", "a@example.net", no("list")),
        ("to", ["a@example.net", None], NOT_A_STRING),
        ("followup_sequence_add_cc_bcc", 1, no("bool")),
        ("followup_sequence_delay", True, no("int")),
        ("send_in", "5", no("int")),
        ("send_in", 60, "The value must not be larger than 59."),
        ("activity_at", 1_772_000_000, NOT_A_STRING),
        ("activity_at", "soon", "Invalid ISO 8601 datetime."),
        ("attachments", FILE, no("list")),
        ("attachments", ["a.pdf"], no("dict")),
        ("attachments", [ELSEWHERE], "Invalid URL."),
        ("attachments", [{}, "a.pdf"], "Invalid URL."),
        ("attachments", [FILE | {"size": "1"}, ELSEWHERE], "Invalid URL."),
        ("attachments", [FILE | {"size": "1"}], no("int")),
        ("opens", [{}], NOT_A_STRING),
    ],
)
def test_what_does_not_fit(name: str, value: Any, error: str) -> None:
    """In the words of Close's public validation library, as far as it has some."""
    assert fitted({name: value}, EMAIL) == ({}, {name: error})


def test_what_no_kind_is_for_is_left_out() -> None:
    """And what is wrong is told of each field."""
    fields = {"unheard_of": 1, "subject": 1, "cc": 1, "body_text": "Hello"}
    assert fitted(fields, EMAIL) == ({"body_text": "Hello"}, {"subject": NOT_A_STRING, "cc": no("list")})


def test_a_lead_brings_its_contacts() -> None:
    """Each with addresses and numbers, which are of the office unless they say so."""
    ann = {"name": "Ann", "emails": [{"email": "ann@example.net"}], "phones": [{"phone": "+1", "type": "home"}]}
    values, errors = fitted({"contacts": [ann]}, LEAD)
    assert errors == {}
    assert values["contacts"] == [
        {
            "name": "Ann",
            "title": None,
            "emails": [{"email": "ann@example.net", "type": "office", "is_unsubscribed": False}],
            "phones": [{"phone": "+1", "type": "home"}],
        }
    ]
    assert fitted({"emails": [{"type": "home"}]}, CONTACT) == ({}, {"emails": NOT_A_STRING})


def test_a_lead_has_so_many_contacts() -> None:
    """One request makes no more records than can be made while others wait."""
    assert fitted({"contacts": [{}] * MOST_CONTACTS}, LEAD)[1] == {}
    assert fitted({"contacts": [{}] * (MOST_CONTACTS + 1)}, LEAD) == (
        {},
        {"contacts": "No more than 1,000 contacts can come with a lead."},
    )
