"""What can be wrong with what a client sends, or with how it takes its answer."""

from typing import ClassVar

from gateway.errors import GatewayError


class RequestMalformed(GatewayError):
    """What came is no HTTP request."""

    code: ClassVar[str] = "request_malformed"
    status: ClassVar[int] = 400

    def __init__(self) -> None:
        super().__init__("This is not a valid HTTP request.")


class RequestInvalid(GatewayError):
    """The parser lets it pass, and RFC 9112 does not: others on the way might read another request in it."""

    code: ClassVar[str] = "request_invalid"
    status: ClassVar[int] = 400


class UnknownTransferCoding(GatewayError):
    """RFC 9112, 6.1: a transfer coding that the gateway cannot take off and put on again."""

    code: ClassVar[str] = "unknown_transfer_coding"
    status: ClassVar[int] = 501


class TargetTooLong(GatewayError):
    """The request target is longer than `listener.max_target`."""

    code: ClassVar[str] = "target_too_long"
    status: ClassVar[int] = 414


class HeadTooLarge(GatewayError):
    """A header field is longer than `listener.max_header`, or there are more than `listener.max_headers`."""

    code: ClassVar[str] = "head_too_large"
    status: ClassVar[int] = 431


class RequestTimedOut(GatewayError):
    """The rest of a request did not come in time: `listener.head_timeout`, `listener.body_timeout`."""

    code: ClassVar[str] = "request_timed_out"
    status: ClassVar[int] = 408


class AnswerNotTaken(GatewayError):
    """A client has taken nothing of its answer for `listener.body_timeout`."""

    code: ClassVar[str] = "answer_not_taken"
    status: ClassVar[int] = 408


class GatewayFull(GatewayError):
    """All connections that `listener.max_connections` allows are open."""

    code: ClassVar[str] = "gateway_full"
    status: ClassVar[int] = 502
