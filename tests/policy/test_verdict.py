import cleancat
import pytest

from gateway.policy.attachments import ATTACHMENT_URL_INVALID
from gateway.policy.date_scheduled import DATE_REQUIRED
from gateway.policy.lead import LEAD_ID_REQUIRED
from gateway.policy.send_in import LONGEST, SEND_IN_NO_NUMBER, SEND_IN_TOO_LONG
from gateway.policy.sender import SENDER_NO_ADDRESS, SENDER_NOT_A_STRING, SENDER_REQUIRED
from gateway.policy.status import STATUS_REQUIRED, STATUS_UNKNOWN
from gateway.policy.verdict import Violation, ViolationCode

STATUS = cleancat.Choices(["inbox", "draft", "scheduled", "outbox", "sent", "error"])
WORDS = [  # what we say, and the field and values of Close's public validation library that say it
    (SENDER_REQUIRED, "sender_required", cleancat.String(), [None, ""]),
    (SENDER_REQUIRED, "sender_required", cleancat.TrimmedString(), [None, "", " ", "\t\r\n"]),
    (SENDER_REQUIRED, "sender_required", cleancat.Email(), [None, "", " "]),
    (SENDER_NOT_A_STRING, "sender_malformed", cleancat.String(), [0, 1.5, True, [], {}]),
    (SENDER_NOT_A_STRING, "sender_malformed", cleancat.Email(), [7, False, ["jane@example.com"]]),
    (SENDER_NO_ADDRESS, "sender_malformed", cleancat.Email(), ["Jane Roe", "jane@", "@example.com"]),
    (STATUS_REQUIRED, "status_required", STATUS, [None]),
    (STATUS_UNKNOWN, "status_unknown", STATUS, ["", " ", "received", "Outbox", 7, True, [], ["outbox"], {}]),
    (LEAD_ID_REQUIRED, "lead_id_required", cleancat.TrimmedString(), [None, "", " "]),
    (DATE_REQUIRED, "date_scheduled_required", cleancat.DateTime(), [None, ""]),
    (SEND_IN_NO_NUMBER, "send_in_invalid", cleancat.Integer(max_value=LONGEST), ["30", 30.0, 1.5, [], {}]),
    (SEND_IN_TOO_LONG, "send_in_invalid", cleancat.Integer(max_value=LONGEST), [60, 61, 10**30]),
    (ATTACHMENT_URL_INVALID, "attachment_url_invalid", cleancat.URL(), ["x", "file", "app.close.com"]),
]


def test_the_codes_stay() -> None:
    """Settings, logs, dashboards and clients hold on to them."""
    assert [code.value for code in ViolationCode] == [
        "sender_required",
        "sender_malformed",
        "status_required",
        "status_unknown",
        "lead_id_required",
        "date_scheduled_required",
        "send_in_invalid",
        "send_in_misplaced",
        "attachment_url_invalid",
    ]


@pytest.mark.parametrize(("violation", "code", "field", "values"), WORDS)
def test_the_words_are_those_of_closes_own_library(
    violation: Violation, code: str, field: cleancat.Field, values: list[object]
) -> None:
    """Clients match on the messages, so a refusal of ours reads as Close's does."""
    for value in values:
        with pytest.raises(cleancat.ValidationError) as refused:
            field.clean(value)
        assert (violation.code.value, violation.message) == (code, str(refused.value))
