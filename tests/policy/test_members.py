import pytest

from gateway.policy.email import EmailWrite, Status, StoredEmail
from gateway.policy.members import email_write, stored_email

NO_STATUSES: list[object] = ["", "received", "Outbox", " outbox", "outbox ", 1, True, 1.5, ["outbox"], {"outbox": 1}]
NO_USERS: list[object] = [7, ["user_1"], {}, False]
ANY_SENDERS: list[object] = ["", " ", "a@b.c", 7, False, [], {"a": 1}]
WRITES: list[tuple[dict[str, object], EmailWrite]] = [
    ({}, EmailWrite()),
    ({"status": None, "sender": None, "user_id": None}, EmailWrite()),
    ({"subject": "sent", "body_text": "sender"}, EmailWrite()),
    (
        {"user_id": "user_1", "status": "sent", "lead_id": "l"},
        EmailWrite(status=Status.SENT, user_id="user_1", status_given="sent", lead_id="l"),
    ),
    *(({"status": status}, EmailWrite(status_given=status)) for status in NO_STATUSES),
    ({"date_scheduled": None}, EmailWrite(date_scheduled=None)),
    (
        {"lead_id": 7, "date_scheduled": [], "send_in": "x", "attachments": {}},
        EmailWrite(lead_id=7, date_scheduled=[], send_in="x", attachments={}),
    ),
    ({"user_id": ""}, EmailWrite()),
    *(({"user_id": user}, EmailWrite(user_id=user)) for user in NO_USERS),
    *(({"sender": sender}, EmailWrite(sender=sender)) for sender in ANY_SENDERS),
]


@pytest.mark.parametrize("status", Status)
def test_every_status_can_be_read(status: Status) -> None:
    """By its value, to the letter."""
    assert email_write({"status": status.value}) == EmailWrite(status=status, status_given=status.value)


@pytest.mark.parametrize(("members", "expected"), WRITES)
def test_what_the_rules_look_at(members: dict[str, object], expected: EmailWrite) -> None:
    """Only a string can be a status or a user; the rest is kept as it came."""
    assert email_write(members) == expected


STORED: list[tuple[dict[str, object], StoredEmail | None]] = [
    ({"sender": None}, StoredEmail(None)),
    ({"id": "acti_1", "sender": ""}, StoredEmail("")),
    ({"sender": "Jane <a@b.c>", "status": "draft"}, StoredEmail("Jane <a@b.c>")),
    ({}, None),
    ({"id": "acti_1"}, None),
    ({"sender": 7}, None),
    ({"sender": ["a@b.c"]}, None),
    ({"error": "Not Found"}, None),
]


@pytest.mark.parametrize(("members", "expected"), STORED)
def test_what_close_tells_of_a_stored_email(members: dict[str, object], expected: StoredEmail | None) -> None:
    """An answer without a sender that could be one tells nothing, which is not the same as there being none."""
    assert stored_email(members) == expected
