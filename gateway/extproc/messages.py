"""Envoy's messages: a head read from one, and what Envoy is told made into others. Pure.

Rule    A body whose length was told is buffered whole, and keeps having a length. One whose length was not told may be
        longer than Envoy buffers: BUFFERED_PARTIAL sends what there is then, where BUFFERED would answer 413. It takes
        the length of a body away, which that one never had.
"""

import ipaddress
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar, Final, NamedTuple

import orjson
from envoy.config.core.v3 import base_pb2 as base
from envoy.extensions.filters.http.ext_proc.v3 import processing_mode_pb2 as modes
from envoy.service.ext_proc.v3 import external_processor_pb2 as messages
from envoy.type.v3 import http_status_pb2 as http_status

from gateway.errors import GatewayError
from gateway.exchange import Fields
from gateway.extproc.held import Answered, Forwarded, Held, Released
from gateway.proxies import BY_SOCKET, UNKNOWN

Mode: Final[Any] = modes.ProcessingMode
Request: Final[Any] = messages.ProcessingRequest
Response: Final[Any] = messages.ProcessingResponse
Common: Final[Any] = messages.CommonResponse

SOURCE: Final = "source.address"
"""The attribute of Envoy's that tells where the client's connection comes from."""
NO_VALUE: Final = re.compile(rb"[\0\r\n]")
"""What no field's value holds (RFC 9110, 5.5): behind a line's end, another line would go to Close in a look-up."""
STATUS: Final = re.compile(rb"[1-9][0-9]{2}")


class NotFromEnvoy(GatewayError):
    """What came is nothing that Envoy says."""

    code: ClassVar[str] = "not_from_envoy"


class Head(NamedTuple):
    """The head of a request."""

    method: str
    target: str
    scheme: str
    fields: Fields


def head(headers: Any) -> Head:
    """Read the head of a request: HTTP/2's pseudo-fields (RFC 9113, 8.3.1), and the others. Raises NotFromEnvoy."""
    pseudo: dict[str, bytes] = {}
    fields: list[tuple[bytes, bytes]] = []
    for header in headers.headers.headers:
        value = header.raw_value or header.value.encode()
        if NO_VALUE.search(value):
            raise NotFromEnvoy("A field of the head holds a line's end, or a zero.")
        if header.key.startswith(":"):
            pseudo[header.key] = value
        else:
            fields.append((header.key.encode(), value))
    if (authority := pseudo.get(":authority")) is not None:
        fields.append((b"host", authority))
    method, target, scheme = (pseudo.get(name, b"").decode("latin-1") for name in (":method", ":path", ":scheme"))
    return Head(method, target, scheme, fields)


def status(headers: Any) -> int:
    """Read the status of an answer. Raises NotFromEnvoy."""
    for header in headers.headers.headers:
        value = header.raw_value or header.value.encode()
        if header.key == ":status" and STATUS.fullmatch(value):
            return int(value)
    raise NotFromEnvoy("The head of the answer tells no status.")


def peer(attributes: Mapping[str, Any], asker: str) -> str:
    """Tell who connected to Envoy where it says so, and else Envoy itself, by gRPC's name for it."""
    for told in attributes.values():
        if SOURCE in told.fields:
            return _host(told.fields[SOURCE].string_value)
    kind, _, address = asker.partition(":")
    if kind == "unix":
        return BY_SOCKET
    return _host(address.replace("%5B", "[").replace("%5D", "]")) if kind in {"ipv4", "ipv6"} else UNKNOWN


def _host(address: str) -> str:
    """Take the port from an address. What is none, nobody gets to see."""
    host = address.rpartition(":")[0].removeprefix("[").removesuffix("]").partition("%")[0]
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return UNKNOWN


# -- what Envoy is told --


def _mode(body: int, *, look_at_answer: bool) -> Any:
    return Mode(
        request_header_mode=Mode.SEND,
        request_body_mode=body,
        response_header_mode=Mode.SEND if look_at_answer else Mode.SKIP,
        response_body_mode=Mode.NONE,
        request_trailer_mode=Mode.SKIP,
        response_trailer_mode=Mode.SKIP,
    )


RELEASE: Final[Any] = Response(
    request_headers=messages.HeadersResponse(), mode_override=_mode(Mode.NONE, look_at_answer=False)
)
"""Send it on, and tell no more of it."""
ASK: Final[Any] = Response(
    request_headers=messages.HeadersResponse(), mode_override=_mode(Mode.BUFFERED, look_at_answer=True)
)
"""Send the body here."""
ASK_UNTOLD: Final[Any] = Response(
    request_headers=messages.HeadersResponse(), mode_override=_mode(Mode.BUFFERED_PARTIAL, look_at_answer=True)
)
"""Send the body here, as much of it as can be held."""
UNREAD: Final[Any] = _mode(Mode.NONE, look_at_answer=True)


def on_head(exchange: Held, outcome: Forwarded) -> Any:
    """Send it on, without the body having been seen."""
    common = Common(header_mutation=_mutation(exchange, outcome))
    return Response(request_headers=messages.HeadersResponse(response=common), mode_override=UNREAD)


def on_body(exchange: Held, outcome: Forwarded, received: bytes) -> Any:
    """Send it on, with another body where that is another."""
    common = Common(header_mutation=_mutation(exchange, outcome))
    if outcome.body is not None and outcome.body != received:
        common.body_mutation.body = outcome.body
        if not exchange.chunked:
            common.header_mutation.set_headers.append(_set(b"content-length", b"%d" % len(outcome.body)))
    return Response(request_body=messages.BodyResponse(response=common))


def on_answer(outcome: Forwarded) -> Any:
    """Mark the upstream's answer."""
    mutation = messages.HeaderMutation(set_headers=map(_set_of, _lines(outcome.stamp)))
    return Response(response_headers=messages.HeadersResponse(response=Common(header_mutation=mutation)))


def answered(outcome: Answered) -> Any:
    """Answer in the upstream's place."""
    fields = [(b"content-type", b"application/json"), *_lines(outcome.lines)]
    return Response(
        immediate_response=messages.ImmediateResponse(
            status=http_status.HttpStatus(code=outcome.answer.status),
            headers=messages.HeaderMutation(set_headers=map(_set_of, fields)),
            body=orjson.dumps(outcome.answer.body),
            details="close_gateway",
        )
    )


def passing(kind: str, message: Any, duplex: Collection[str]) -> Any:
    """Let a part of the request or the answer go by. Of `duplex` ones Envoy keeps nothing, and is sent them back."""
    response = Response()
    if kind in duplex:
        part = getattr(message, kind)
        streamed(response, kind, part.body, end=part.end_of_stream)
    else:
        getattr(response, kind).SetInParent()
    return response


def streamed(response: Any, kind: str, body: bytes, *, end: bool) -> Any:
    """Send a piece of a body."""
    mutation = getattr(response, kind).response.body_mutation.streamed_response
    mutation.body, mutation.end_of_stream = body, end
    return response


def on_head_of_duplex(exchange: Held, outcome: Forwarded | Released) -> Any:
    """Send the head on; the body follows."""
    common = Common() if isinstance(outcome, Released) else Common(header_mutation=_mutation(exchange, outcome))
    return Response(request_headers=messages.HeadersResponse(response=common))


def duplex(first: Any) -> Collection[str]:
    """Tell which bodies Envoy sends here without keeping them, and without minding what it is told of modes."""
    told = first.protocol_config
    found = {"request_body": told.request_body_mode, "response_body": told.response_body_mode}
    return frozenset(kind for kind, mode in found.items() if mode == Mode.FULL_DUPLEX_STREAMED)


def _mutation(exchange: Held, outcome: Forwarded) -> Any:
    fields = exchange.fields
    lines = list(_lines(outcome.lines))
    gone = sorted({name.decode() for name, _ in fields if name in outcome.without})
    return messages.HeaderMutation(set_headers=map(_set_of, lines), remove_headers=gone)


def _lines(lines: bytes) -> Iterator[tuple[bytes, bytes]]:
    for line in lines.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            yield name.lower(), value.strip()


def _set_of(field: tuple[bytes, bytes]) -> Any:
    return _set(*field)


def _set(name: bytes, value: bytes) -> Any:
    return base.HeaderValueOption(
        header=base.HeaderValue(key=name.decode(), raw_value=value),
        append_action=base.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
    )
