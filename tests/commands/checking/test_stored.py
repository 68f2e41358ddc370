import json

import pytest

from gateway.commands.checking.found import Payload, Unreadable
from gateway.commands.checking.stored import NO_ID, NO_SENDER, Stored
from gateway.policy import StoredEmail

ONE = {"id": "acti_1", "status": "draft", "sender": None}
TWO = {"id": "acti_2", "sender": "jane@example.com"}
NAMELESS = {"sender": ""}
NONE, JANE, EMPTY = StoredEmail(None), StoredEmail("jane@example.com"), StoredEmail("")
ANY: dict[str, object] = {}
FIRST: dict[str, object] = {"id": "acti_1"}
SECOND: dict[str, object] = {"id": "acti_2"}

ROWS: list[tuple[list[object], dict[str, object], StoredEmail | None]] = [  # stored emails, a change, whose it is
    ([], ANY, None),
    ([ONE], ANY, NONE),
    ([ONE], FIRST, NONE),
    ([ONE], SECOND, None),
    ([ONE], {"id": None}, NONE),
    ([NAMELESS], SECOND, EMPTY),
    ([ONE, TWO], ANY, None),
    ([ONE, TWO], FIRST, NONE),
    ([ONE, TWO], SECOND, JANE),
    ([ONE, TWO], {"id": ["acti_1"]}, None),
    ([{"data": [ONE, TWO], "has_more": False}], SECOND, JANE),
    ([ONE, {"data": [TWO]}], FIRST, NONE),
]


@pytest.mark.parametrize(("emails", "change", "expected"), ROWS)
def test_whose_change_it_is(emails: list[object], change: dict[str, object], expected: StoredEmail | None) -> None:
    """The only one's unless it names another; of several, that of the one it names."""
    stored = Stored()
    assert list(stored.take((Payload(1, 1, json.dumps(email).encode()) for email in emails), 1000)) == []
    assert stored.find(change) == expected


BROKEN: list[tuple[list[bytes], list[Unreadable]]] = [  # a payload a line, and what is wrong
    ([b'{"id": "acti_1"}'], [Unreadable(1, 1, NO_SENDER)]),
    ([b'{"sender": 7}', b'{"data": [5]}'], [Unreadable(1, 1, NO_SENDER), Unreadable(2, 1, NO_SENDER)]),
    ([b'{"sender": ""}', b'{"id": "a", "sender": ""}'], [Unreadable(1, 1, NO_ID)]),
    ([b"{]"], [Unreadable(1, 2, "It cannot be read as JSON: expecting property name enclosed in double quotes.")]),
]


@pytest.mark.parametrize(("bodies", "wrong"), BROKEN)
def test_what_is_no_stored_email(bodies: list[bytes], wrong: list[Unreadable]) -> None:
    """It is told, with its place."""
    assert list(Stored().take((Payload(line, 1, body) for line, body in enumerate(bodies, 1)), 1000)) == wrong


@pytest.mark.parametrize("broken", [b'{"id": "acti_1"}', b"{]", b'{"data": [7]}'])
def test_what_cannot_be_read_is_one_of_them(broken: bytes) -> None:
    """So the other is not the only one: a change that names none may be of either, and one that names it is its."""
    stored = Stored()
    bodies = [broken, json.dumps(ONE).encode()]
    assert len(list(stored.take((Payload(1, 1, body) for body in bodies), 1000))) == 1
    assert (stored.find(ANY), stored.find(FIRST)) == (None, NONE)


def test_what_could_not_be_read_is_passed_on() -> None:
    """As it came."""
    assert list(Stored().take(iter([Unreadable(1, 2, "Why.")]), 1000)) == [Unreadable(1, 2, "Why.")]
