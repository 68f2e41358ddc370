"""What can go wrong between the gateway and Close."""

from typing import ClassVar

from gateway.errors import GatewayError


class UpstreamError(GatewayError):
    """Close did not answer as it should. `status` is the gateway's own answer in its place."""

    status: ClassVar[int] = 502


class UpstreamUnreachable(UpstreamError):
    """No connection to Close came about: it has not seen the request."""

    code = "upstream_unreachable"


class UpstreamBroken(UpstreamError):
    """The connection broke, or what came over it is no HTTP answer: Close may have acted on the request."""

    code = "upstream_broken"


class UpstreamBusy(UpstreamError):
    """Every connection to Close was taken for as long as one may take to open: it has not seen the request."""

    code = "upstream_busy"


class UpstreamTimedOut(UpstreamError):
    """Close has the request and did not answer in time: it may have acted on it."""

    code = "upstream_timed_out"
    status = 504
