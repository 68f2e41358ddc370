import pytest

from gateway.rejections.shape import FIELDS, shape_of

LONG = "x" * 5000


def test_what_a_body_looked_like() -> None:
    """Which documented fields there were and how large; of values only the status and ids, and no other name."""
    members: dict[str, object] = {
        "status": "outbox",
        "lead_id": "lead_1",
        "template_id": None,
        "sender": " ",
        "to": ["canary@example.com", "canary"],
        "subject": "canary",
        "body_text": LONG,
        "attachments": [],
        "opens": 3,
        "followup_sequence_add_cc_bcc": True,
        "send_in": 1.5,
        "date_created": {"canary": 1},
        "canary": "canary",
        "custom": 1,
    }
    assert shape_of(members, 6000) == {
        "bytes": 6000,
        "sender": "blank",
        "fields": {
            "lead_id": "lead_1",
            "template_id": "null",
            "attachments": "list of 0",
            "body_text": "text of 5000",
            "date_created": "object",
            "followup_sequence_add_cc_bcc": "true or false",
            "opens": "number",
            "send_in": "number",
            "sender": "text of 1",
            "status": "outbox",
            "subject": "text of 6",
            "to": "list of 2",
        },
        "others": 2,
    }


@pytest.mark.parametrize(
    ("members", "sender"),
    [
        ({}, "absent"),
        ({"sender": None}, "null"),
        ({"sender": ""}, "blank"),
        ({"sender": "\n\t "}, "blank"),
        ({"sender": "jane"}, "given"),
        ({"sender": 7}, "no text"),
        ({"sender": []}, "no text"),
        ({"sender": {}}, "no text"),
    ],
)
def test_whether_a_sender_was_given(members: dict[str, object], sender: str) -> None:
    """The one thing that one wants to know first."""
    assert shape_of(members, 2)["sender"] == sender


@pytest.mark.parametrize("name", ["lead_id", "user_id", "status"])
@pytest.mark.parametrize("value", ["Dear Jane", "jane@example.com", "lead_" + LONG, "lead_1\n", "", "1_a", "lead_é"])
def test_a_value_that_does_not_look_like_an_id_is_not_kept(name: str, value: str) -> None:
    """Somebody may write a text where an id belongs."""
    members: dict[str, object] = {name: value}
    assert shape_of(members, 2)["fields"] == {name: f"text of {len(value)}"}


def test_it_is_bounded() -> None:
    """Whatever a body holds, its shape is small."""
    names = (*map(str, range(10_000)), *FIELDS)
    members: dict[str, object] = dict.fromkeys(names, LONG)
    shape = shape_of(members, 10**9)
    assert shape["others"] == 10_000
    assert len(repr(shape)) < 1500
