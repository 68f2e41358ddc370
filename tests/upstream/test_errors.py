import pytest

from gateway.errors import GatewayError
from gateway.upstream.errors import UpstreamBroken, UpstreamBusy, UpstreamError, UpstreamTimedOut, UpstreamUnreachable

TABLE = [  # RFC 9110, 15.6.3 and 15.6.5: no good answer, or none in time
    (UpstreamUnreachable, "upstream_unreachable", 502),
    (UpstreamBroken, "upstream_broken", 502),
    (UpstreamBusy, "upstream_busy", 502),
    (UpstreamTimedOut, "upstream_timed_out", 504),
]


def test_the_table_is_complete() -> None:
    """An error that is added has to be given a row."""
    assert {row[0] for row in TABLE} == set(UpstreamError.__subclasses__())


@pytest.mark.parametrize(("error", "code", "status"), TABLE)
def test_what_each_is_answered_with(error: type[UpstreamError], code: str, status: int) -> None:
    """A code that stays, and a status that makes no client send a POST again."""
    assert (error.code, error.status, issubclass(error, GatewayError)) == (code, status, True)
