"""One request with its answer: its id, its credentials, and what may be told of its client."""

import hashlib
import hmac
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

SANE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=@-]{0,127}")
MAX_TEXT: Final = 256
"""Characters of a value from outside that are kept in an event."""


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

    def elapsed_ms(self) -> float:
        """Milliseconds since the request's head was read."""
        return round((time.perf_counter() - self._started) * 1000, 3)

    def field_values(self, name: bytes) -> Sequence[bytes]:
        """List the values of the fields of this name (in small letters), as bytes."""
        return [value for field, value in self.request.raw_headers if field.lower() == name]


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
