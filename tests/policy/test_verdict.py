import cleancat
import pytest

from gateway.policy.verdict import (
    SENDER_NO_ADDRESS,
    SENDER_NOT_A_STRING,
    SENDER_REQUIRED,
    Reject,
    Violation,
    ViolationCode,
)

WORDS = [  # what we say, and the field and values of Close's public validation library that say it
    (SENDER_REQUIRED, ViolationCode.SENDER_REQUIRED, cleancat.String(), [None, ""]),
    (SENDER_REQUIRED, ViolationCode.SENDER_REQUIRED, cleancat.TrimmedString(), [None, "", " ", "\t\r\n"]),
    (SENDER_REQUIRED, ViolationCode.SENDER_REQUIRED, cleancat.Email(), [None, "", " "]),
    (SENDER_NOT_A_STRING, ViolationCode.SENDER_MALFORMED, cleancat.String(), [0, 1.5, True, [], {}]),
    (SENDER_NOT_A_STRING, ViolationCode.SENDER_MALFORMED, cleancat.Email(), [7, False, ["jane@example.com"]]),
    (SENDER_NO_ADDRESS, ViolationCode.SENDER_MALFORMED, cleancat.Email(), ["Jane Roe", "jane@", "@example.com"]),
]


def test_the_codes_stay() -> None:
    """Logs, dashboards and clients hold on to them."""
    assert [code.value for code in ViolationCode] == ["sender_required", "sender_malformed"]


@pytest.mark.parametrize(("reject", "code", "field", "values"), WORDS)
def test_the_words_are_those_of_closes_own_library(
    reject: Reject, code: ViolationCode, field: cleancat.Field, values: list[object]
) -> None:
    """Clients match on the messages, so a refusal of ours reads as Close's does."""
    for value in values:
        with pytest.raises(cleancat.ValidationError) as refused:
            field.clean(value)
        assert reject == Reject((Violation(code, "sender", str(refused.value)),))
