"""The head to send on, and what of an answer's head goes back.

Rule    What Connection names ends at this hop, and so do the fields that are hop-by-hop by their nature. All others
        go end to end, in their order, their case and their number. The message is framed anew for each hop.
Source  RFC 9110, 7.6.1; RFC 9112, 6 and 7.6.
Needs   Bytes in, bytes out: decoding would lose what is not UTF-8, and a mapping would lose order and case.
"""

import enum
from collections.abc import Collection
from typing import Final, NamedTuple

from gateway.exchange import Fields
from gateway.upstream.errors import UpstreamBroken

# Content-Encoding passes: it belongs to the body, and the body stays as the client coded it.
HOP_BY_HOP: Final = frozenset(
    {b"connection", b"proxy-connection", b"keep-alive", b"te", b"transfer-encoding", b"upgrade"}
)
# A client that names these in Connection would have the gateway send on another request than it sent: without its
# length, its credentials or the meaning of its body. RFC 9110, 7.6.1: such a nomination is never right.
NEVER_NOMINATED: Final = frozenset(
    {
        b"accept",
        b"authorization",
        b"cache-control",
        b"content-encoding",
        b"content-length",
        b"content-range",
        b"content-type",
        b"cookie",
        b"date",
        b"expect",
        b"forwarded",
        b"host",
        b"idempotency-key",
        b"if-match",
        b"if-modified-since",
        b"if-none-match",
        b"if-range",
        b"if-unmodified-since",
        b"location",
        b"range",
        b"ratelimit",
        b"retry-after",
        b"set-cookie",
        b"via",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-http-method-override",  # it was judged as what this says it is
        b"x-request-id",
    }
)
SPECIAL_IN_REQUEST: Final = HOP_BY_HOP | {b"host", b"content-length"}
SPECIAL_IN_ANSWER: Final = HOP_BY_HOP | {b"content-length"}
FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})
# What Connection says of the connection itself; it names no field.
CONNECTION_OPTIONS: Final = frozenset({b"close", b"keep-alive", b""})
# Nearly always it is one of these. Only for another value are the fields gone through once more, without those named.
USUAL_CONNECTION: Final = frozenset({b"keep-alive", b"close", b"Keep-Alive"})


class Framing(enum.Enum):
    """How the end of an answer's body is told."""

    LENGTH = enum.auto()
    CHUNKED = enum.auto()
    UNTIL_CLOSE = enum.auto()


class AnswerFields(NamedTuple):
    """What goes back of an answer's head. One is made for every request, and a tuple is made quickest."""

    lines: bytes
    """The end-to-end fields, each line with its CRLF."""
    framing: Framing


def nominated(fields: Fields) -> frozenset[bytes]:
    """List the fields, in small letters, that Connection ends at this hop."""
    values = [value for name, value in fields if name.lower() == b"connection"]
    names = frozenset(option.strip().lower() for value in values for option in value.split(b","))
    return names - CONNECTION_OPTIONS - NEVER_NOMINATED


def request_head(
    method: bytes,
    target: bytes,
    fields: Fields,
    host: bytes,
    *,
    length: int | None = None,
    without: Collection[bytes] = (),
    extra: bytes = b"",
) -> bytes:
    """Build the head that goes up.

    `length` is the body's, where the gateway holds the body whole; None: the body streams on, framed as it came.
    `without` names fields (in small letters) to leave out, `extra` are lines to put last.
    """
    parts = [method, b" ", target, b" HTTP/1.1\r\n"]
    framing = b"" if length is None else b"Content-Length: %d\r\n" % length
    host_line = b"Host: %b\r\n" % host
    for name, value in fields:
        lower = name.lower()
        if lower not in SPECIAL_IN_REQUEST:
            if lower not in without:
                parts += (name, b": ", value, b"\r\n")
        elif lower == b"host":
            parts.append(host_line)
            host_line = b""
        elif lower == b"content-length":
            parts += (framing,) if length is not None else (name, b": ", _length(value), b"\r\n")
            framing = b""
        elif lower == b"transfer-encoding" and length is None:
            framing = b"Transfer-Encoding: chunked\r\n"
        elif (
            lower == b"connection" and value not in USUAL_CONNECTION and (more := nominated(fields).difference(without))
        ):
            again = more.union(without)
            return request_head(method, target, fields, host, length=length, without=again, extra=extra)
    parts += (host_line, framing, extra, b"\r\n")
    return b"".join(parts)


def _length(value: bytes) -> bytes:
    """Write a length, known to be digits, in the one way that all read alike."""
    # With zeros in front, some readers would take it for an octal number.
    return value.lstrip(b"0") or b"0" if len(value) > 1 and value.startswith(b"0") else value


def answer_fields(fields: Fields, without: Collection[bytes] = ()) -> AnswerFields:
    """Take what goes back from the fields of an answer, leaving out those named (in small letters) in `without`.

    Raises UpstreamBroken for a transfer coding that was never asked for, since the body could not be passed on as it
    is, and for a body that is framed twice, since the two hops could take it for two different ones.
    """
    parts: list[bytes] = []
    framing = Framing.UNTIL_CLOSE
    for name, value in fields:
        lower = name.lower()
        if lower not in SPECIAL_IN_ANSWER:
            if lower not in without:
                parts += (name, b": ", value, b"\r\n")
        elif lower in FRAMING and framing is not Framing.UNTIL_CLOSE:
            raise UpstreamBroken("The upstream's answer is framed twice.")
        elif lower == b"content-length":
            parts += (name, b": ", value, b"\r\n")
            framing = Framing.LENGTH
        elif lower == b"transfer-encoding":
            if value.strip(b" ").lower() != b"chunked":  # with a tab behind it the parser does not see it
                raise UpstreamBroken("The upstream answered in a transfer coding that the gateway did not ask for.")
            framing = Framing.CHUNKED
        elif (
            lower == b"connection" and value not in USUAL_CONNECTION and (more := nominated(fields).difference(without))
        ):
            return answer_fields(fields, more.union(without))
    return AnswerFields(b"".join(parts), framing)
