"""What holds expressions against metrics is itself held against both."""

import pytest

from tests.deployed.expressions import mistakes

RIGHT = [
    "up == 0",
    'sum by (route, le) (rate(close_gateway_own_duration_seconds_bucket{instance="a"}[5m]))',
    "sum by (code) (increase(close_gateway_failures_total[5m])) > on () group_left () process_open_fds",
]
WRONG = [
    ("close_gateway_request_total", ["there is no metric close_gateway_request_total"]),
    ("rate(close_gateway_requests_total[5m]) / close_gateway_nothing", ["there is no metric close_gateway_nothing"]),
    ('close_gateway_store_up{route="x"}', ["close_gateway_store_up has no label route"]),
    ("sum by (status) (rate(close_gateway_lookups_total[5m]))", ["nothing has the label status"]),
]


@pytest.mark.parametrize("expression", RIGHT)
def test_what_there_is_passes(expression: str) -> None:
    """Names as Prometheus sees them: counters with _total, histograms by their parts."""
    assert mistakes(expression) == []


@pytest.mark.parametrize(("expression", "found"), WRONG)
def test_what_there_is_not_is_found(expression: str, found: list[str]) -> None:
    """However deep it stands, a metric or a label that nothing has is told."""
    assert mistakes(expression) == found


def test_what_does_not_parse_is_no_expression() -> None:
    """A missing bracket does not pass for an expression without mistakes."""
    with pytest.raises(ValueError, match=r"end of input|unclosed|unexpected"):
        mistakes("sum(rate(close_gateway_requests_total[5m])")
