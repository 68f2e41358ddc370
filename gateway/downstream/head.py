"""May a request with this head go on? Pure: what llhttp, the parser, lets pass and RFC 9112 does not.

Rule    Exactly one Host in HTTP/1.1, at most one in HTTP/1.0, and it names a host. One framing, in a spelling that
        everybody reads alike. A target in the form that its method allows, without a fragment.
        Not more fields than there may be, and none longer than one may be.
Source  RFC 9112, 2.3, 3.2, 6.1 and 6.3; RFC 9110, 7.2 and 8.6; RFC 6585, 5.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from gateway.config.settings import ListenerSettings
from gateway.downstream.errors import HeadTooLarge, RequestInvalid, RequestMalformed, UnknownTransferCoding
from gateway.exchange import Exchange, Fields

# RFC 9110, 7.2 and RFC 3986, 3.2.2: a name or an address, and perhaps a port. An address in brackets is not counted
# out: it is replaced on the way up, and only has to be none of the spellings that two readers read differently.
HOST: Final = re.compile(rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::[0-9]*)?")
# RFC 3986, 3: a scheme, and an authority that has to be there.
ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]+)")
LAST_PORT: Final = 65_535
# RFC 9110, 8.6: some readers would lose the first digits of a larger length.
MAX_DIGITS: Final = 18
SPOKEN: Final = frozenset({"1.1", "1.0"})
LOOKED_AT: Final = frozenset(map(len, (b"host", b"content-length", b"transfer-encoding")))
"""Lengths of the names that are looked at: most others need no second look."""


def check(exchange: Exchange, version: str) -> None:
    """Refuse what must not go up; tell the exchange the framing of its body.

    Raises RequestMalformed, RequestInvalid and UnknownTransferCoding.
    """
    if version not in SPOKEN:
        raise RequestInvalid("The gateway speaks HTTP/1.1 and HTTP/1.0.")  # RFC 9112, 2.3
    if not exchange.raw_target.startswith("/") or "#" in exchange.raw_target:
        _check_target(exchange)
    found: dict[bytes, list[bytes]] = {}
    for name, value in exchange.fields:
        if len(name) in LOOKED_AT:
            found.setdefault(name.lower(), []).append(value)
    _check_host(found.get(b"host", ()), http11=exchange.http11)
    if b"transfer-encoding" in found:
        _check_coding(found[b"transfer-encoding"], http11=exchange.http11)
        exchange.chunked = True
    elif b"content-length" in found:
        exchange.length = _length(found[b"content-length"])


def check_size(fields: Fields, limits: ListenerSettings) -> None:
    """RFC 6585, 5: bound each field and their number. Raises HeadTooLarge."""
    if len(fields) > limits.max_headers:
        raise HeadTooLarge(f"There are more than {limits.max_headers} header fields.")
    if any(len(name) + len(value) > limits.max_header for name, value in fields):
        raise field_too_long(limits)


def field_too_long(limits: ListenerSettings) -> HeadTooLarge:
    """Say that a field is, or does not end."""
    return HeadTooLarge(f"A header field is longer than {limits.max_header} bytes.")


def _check_host(values: Sequence[bytes], *, http11: bool) -> None:
    """RFC 9112, 3.2: exactly one; an HTTP/1.0 client may leave it out."""
    if len(values) != 1 and (http11 or values):
        raise RequestMalformed
    if values and not _is_host(values[0]):
        raise RequestInvalid("Host names no host.")


def _check_target(exchange: Exchange) -> None:
    """RFC 9112, 3.2: each form of a target has its methods; no form has a fragment."""
    target = exchange.raw_target
    if not target.startswith("/"):
        if target.startswith("*"):
            fine = target == "*" and exchange.method == "OPTIONS"
        elif exchange.method == "CONNECT":
            fine = _is_authority(target)
        else:
            absolute = ABSOLUTE.match(target)
            fine = absolute is not None and _is_authority(absolute[1].rpartition("@")[2])
        if not fine:
            raise RequestMalformed
    if "#" in target:
        # One server cuts it off, another takes it for the path.
        raise RequestInvalid("The target has a fragment.")


def _is_authority(text: str) -> bool:
    port = text.rpartition("]")[2].partition(":")[2] or "0"
    return HOST.fullmatch(text.encode("utf-8", "surrogateescape")) is not None and int(port) <= LAST_PORT


@lru_cache(maxsize=64)  # clients name the same few hosts again and again
def _is_host(host: bytes) -> bool:
    return HOST.fullmatch(host) is not None


def _check_coding(values: Sequence[bytes], *, http11: bool) -> None:
    """Let nothing pass but `chunked`, once: what else the parser takes for it, another reader might not."""
    coding = values[0].lower()
    last = coding.rpartition(b",")[2].strip(b" \t")
    if len(values) > 1 or last != b"chunked":
        raise RequestMalformed  # RFC 9112, 6.3, 4: without chunked at its end the body has none
    if coding != b"chunked":
        raise UnknownTransferCoding("The gateway takes no transfer coding but chunked.")
    if not http11:
        raise RequestInvalid("HTTP/1.0 has no Transfer-Encoding.")  # RFC 9112, 6.1: its framing counts as faulty


def _length(values: Sequence[bytes]) -> int:
    value = values[0]
    if len(values) > 1 or not value.isdigit():
        raise RequestMalformed
    if len(value.lstrip(b"0")) > MAX_DIGITS:
        raise RequestInvalid("Content-Length is beyond all measure.")
    return int(value)
