import pytest

from gateway.policy.email import EmailWrite
from gateway.policy.lead import LEAD_ID_REQUIRED, lead_of_new


@pytest.mark.parametrize("value", [None, "", " ", "\t\r\n", "\u00a0"])
def test_a_lead_that_is_missing(value: object) -> None:
    """Null, empty and blank are none."""
    assert lead_of_new(EmailWrite(lead_id=value)) == LEAD_ID_REQUIRED


@pytest.mark.parametrize("value", ["lead_1", "x", " lead_1 ", 0, 7, False, [], {}])
def test_a_lead_that_is_given_is_closes_to_judge(value: object) -> None:
    """Whether there is such a one, nobody else can tell."""
    assert lead_of_new(EmailWrite(lead_id=value)) is None
