"""One request with its answer: its id, its credentials, and what may be told of its client."""

import hashlib
import hmac
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Final

from aiohttp import HttpVersion10, HttpVersion11, hdrs, web

from gateway.errors import GatewayError

# RFC 9110, 7.2 and RFC 3986, 3.2.2: a name or an address, and perhaps a port. An address in brackets is not counted
# out: it is replaced on the way up, and only has to be none of the spellings that two readers read differently.
HOST: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::[0-9]*)?")
SPOKEN: Final = (HttpVersion11, HttpVersion10)
SANE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=@-]{0,127}")
MAX_TEXT: Final = 256
"""Characters of a value from outside that are kept in an event."""


class RequestInvalid(GatewayError):
    """The parser lets it pass, and RFC 9112 does not: others on the way might read another request in it."""

    code: ClassVar[str] = "request_invalid"
    status: ClassVar[int] = 400


class UnknownTransferCoding(GatewayError):
    """RFC 9112, 6.1: a transfer coding that the gateway cannot take off and put on again."""

    code: ClassVar[str] = "unknown_transfer_coding"
    status: ClassVar[int] = 501


class Credentials:
    """An Authorization as the client sent it. Prints as its fingerprint, never as itself."""

    __slots__ = ("_value", "digest")

    def __init__(self, value: bytes, key: bytes) -> None:
        self._value = value
        scheme, _, rest = value.strip().partition(b" ")
        # RFC 9110, 11.1: the scheme's case means nothing, so it does not make another credential.
        self.digest = hmac.digest(key, scheme.lower() + b" " + rest.strip(), hashlib.sha256)

    def reveal(self) -> bytes:
        """Give the value for sending it to Close, which is all it may be used for."""
        return self._value

    @property
    def fingerprint(self) -> str:
        """Names the credential without telling it: the same for the same credential and key."""
        return f"fp:{self.digest.hex()[:16]}"

    def __repr__(self) -> str:
        return f"Credentials({self.fingerprint})"


@dataclass(slots=True)
class Downstream:
    """What all exchanges of a gateway share."""

    fingerprint_key: bytes
    """Keys the fingerprints of credentials."""
    draining: bool = False
    """Whether the gateway is about to stop: no connection is kept for another request."""


class Exchange:
    """A request that came in. What costs something to find out is found out when it is asked for."""

    __slots__ = ("_credentials", "_downstream", "_id", "_started", "method", "request", "target")

    def __init__(self, request: web.BaseRequest, downstream: Downstream) -> None:
        self.request = request
        self.method = request.method
        target = request.raw_path
        self.target = target if target.startswith("/") else _origin_form(target)
        self._downstream = downstream
        self._started = time.perf_counter()
        self._id: str | None = None
        self._credentials: Credentials | None = None

    def check(self) -> None:
        """Refuse what the parser lets pass and must not go up. Raises RequestInvalid and UnknownTransferCoding."""
        version, headers = self.request.version, self.request.headers
        if version not in SPOKEN:
            raise RequestInvalid("The gateway speaks HTTP/1.1 and HTTP/1.0.")  # RFC 9112, 2.3
        # RFC 9112, 3.2: what a missing Host means, the parser knows. An HTTP/1.0 client may leave it out.
        host = headers.get(hdrs.HOST)
        if host is not None and not _is_host(host):
            raise RequestInvalid("Host names no host.")
        # RFC 9112, 3.2.1: no form of target has a fragment. One server cuts it off, another takes it for the path.
        if "#" in self.target:
            raise RequestInvalid("The target has a fragment.")
        coding = headers.get(hdrs.TRANSFER_ENCODING)
        if coding is None:
            return
        if version < HttpVersion11:
            raise RequestInvalid("HTTP/1.0 has no Transfer-Encoding.")  # RFC 9112, 6.1: its framing counts as faulty
        if coding.strip(" \t").lower() != "chunked":
            raise UnknownTransferCoding("The gateway takes no transfer coding but chunked.")

    @property
    def keep_alive(self) -> bool:
        """Whether the connection may serve another request, as far as it is known now."""
        return self.request.keep_alive and not self._downstream.draining

    @property
    def id(self) -> str:
        """The client's own X-Request-Id where it is a sane one, else a new one."""
        if self._id is None:
            given = self.request.headers.get("X-Request-Id", "")
            # Unique is enough: an id opens nothing, so the system need not be asked for secret bits.
            self._id = given if SANE_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"
        return self._id

    @property
    def credentials(self) -> Credentials | None:
        """None where the request carries no Authorization, or several: whose it is would be a guess."""
        if self._credentials is None:
            values = self.field_values(b"authorization")
            if len(values) == 1:
                self._credentials = Credentials(values[0], self._downstream.fingerprint_key)
        return self._credentials

    @property
    def host(self) -> str | None:
        """What the client takes the gateway for: an absolute target's authority goes before Host (RFC 9112, 3.2.2)."""
        target = self.request.raw_path
        if target.startswith(("/", "*")):
            return self.request.headers.get(hdrs.HOST)
        return re.split("[/?]", target.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]

    @property
    def client(self) -> str:
        """The address that the connection came from."""
        return str(self.request.remote or "unix")

    @property
    def user_agent(self) -> str | None:
        value = self.request.headers.get("User-Agent")
        return None if value is None else printable(value)

    @property
    def path(self) -> str:
        """The target's path as received, fit for an event; a query may hold what is nobody's business."""
        return printable(self.target.partition("?")[0])

    def facts(self) -> dict[str, object]:
        """Give what every event about this exchange tells."""
        return {
            "request_id": self.id,
            "method": self.method,
            "path": self.path,
            "client": self.client,
            "elapsed_ms": self.elapsed_ms(),
        }

    def elapsed_ms(self) -> float:
        """Milliseconds since the request's head was read."""
        return round((time.perf_counter() - self._started) * 1000, 3)

    def field_values(self, name: bytes) -> Sequence[bytes]:
        """List the values of the fields of this name (in small letters), as bytes."""
        return [value for field, value in self.request.raw_headers if field.lower() == name]


@lru_cache(maxsize=64)  # clients name the same few hosts again and again
def _is_host(host: str) -> bool:
    return HOST.fullmatch(host) is not None


def printable(text: str) -> str:
    """Cut a text from outside to a bounded length and make it unable to break or forge a line of a log."""
    cut = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
    return (
        cut
        if cut.isprintable()
        else "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in cut)
    )


def _origin_form(target: str) -> str:
    """Give what follows the authority of an absolute-form (RFC 9112, 3.2.1 and 3.2.2); other targets as they came."""
    if target.startswith("*"):
        return target
    rest = target.partition("://")[2]
    start = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    return rest[start:] if rest[start : start + 1] == "/" else "/" + rest[start:]
