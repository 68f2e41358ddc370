"""One request with its answer: its id, its credentials, and what may be told of its client."""

import asyncio
import hashlib
import random
import re
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias

from gateway.body import NO_BODY, RequestBody
from gateway.meters import Meters
from gateway.proxies import TrustedProxies
from gateway.spans import Trace

SANE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=@-]{0,127}")
MAX_TEXT: Final = 256
"""Characters of a value from outside that are kept in an event."""

Fields: TypeAlias = Sequence[tuple[bytes, bytes]]
"""Header fields as they stand on the wire: (name, value)."""


class Credentials:
    """An Authorization as the client sent it. Prints as its fingerprint, never as itself.

    `key` keys the fingerprint: at most 64 bytes.
    """

    __slots__ = ("_value", "digest", "fingerprint")

    def __init__(self, value: bytes, key: bytes) -> None:
        self._value = value
        scheme, _, rest = value.strip().partition(b" ")
        # RFC 9110, 11.1: the scheme's case means nothing, so it does not make another credential.
        # RFC 7693, 2.9: with a key, BLAKE2 is a message authentication code, at a fifth of an HMAC's price.
        self.digest = hashlib.blake2b(scheme.lower() + b" " + rest.strip(), key=key, digest_size=32).digest()
        self.fingerprint = f"fp:{self.digest[:8].hex()}"
        """Names the credential without telling it: the same for the same credential and key."""

    def reveal(self) -> bytes:
        """Give the value for sending it to Close, which is all it may be used for."""
        return self._value

    def __repr__(self) -> str:
        return f"Credentials({self.fingerprint})"


@dataclass(slots=True)
class Downstream:
    """What all exchanges of a gateway share."""

    fingerprint_key: bytes
    """Keys the fingerprints of credentials: at most 64 bytes."""
    meters: Meters = field(default_factory=Meters)
    proxies: TrustedProxies | None = None
    """Whose word is taken for who the client is. None: nobody's."""
    draining: bool = False
    """Whether the gateway is about to stop: no connection is kept for another request."""
    on_end: "Callable[[Exchange], None] | None" = None
    """Is told of each exchange that is over, however it ended, once."""
    on_fault: "Callable[[Exchange, Exception], None] | None" = None
    """Deals with a fault of the gateway's own, on whose account an exchange cannot go on."""


class Client(Protocol):
    """The connection that a request came in by, as far as it takes an answer."""

    peer: str
    """The address that it came from."""
    scheme: str
    paused: bool
    """Whether the client is slow: what is written now only piles up."""

    def write(self, data: bytes) -> None:
        """Send a part of the answer; nothing happens where the client has left."""

    def done(self, *, keep_alive: bool) -> None:
        """Go on to the next request, or close: the answer is written."""

    def break_off(self, *, reset: bool) -> None:
        """Close in the middle of an answer. `reset`: its end alone would not show that it is not complete."""


class Carrier(Protocol):
    """Whoever has an exchange in hand, and has to know what happens on its connection."""

    def body_came(self) -> None:
        """More of the body has come, or its end, or it turned out broken."""

    def writable(self) -> None:
        """The client takes more again."""

    def left(self) -> None:
        """The client has left; no answer can reach it any more."""


class Exchange:
    """A request that came in. What costs something to find out is found out when it is asked for.

    `target` is the request target as it came, but for an authority; `raw_target` with it. `wants_keep_alive` is what
    the client wishes of the connection. `kind` is what the request is to the gateway (gateway.meters.KINDS), `status`
    that of its answer once that has begun, and 0 before; `sent` are the bytes of that. `mark` tells what was done with
    an email write, as X-Close-Gateway does. `waited` are the seconds that went by in waiting for others. `complete`
    tells whether the answer came to its end. `trace` is told what happens, where the exchange is traced, and `heard`
    what is written of the final answer, where somebody listens.
    """

    __slots__ = (
        "_client",
        "_credentials",
        "_downstream",
        "_ended",
        "_id",
        "_index",
        "_proxies",
        "_task",
        "_waits_since",
        "answered",
        "body",
        "carrier",
        "chunked",
        "complete",
        "fields",
        "heard",
        "http11",
        "kind",
        "length",
        "mark",
        "method",
        "raw_target",
        "sent",
        "started",
        "status",
        "target",
        "trace",
        "waited",
        "wants_keep_alive",
    )

    def __init__(
        self,
        client: Client,
        downstream: Downstream,
        method: str,
        target: str,
        fields: Fields,
        *,
        http11: bool = True,
        wants_keep_alive: bool = True,
    ) -> None:
        self._client = client
        self._downstream = downstream
        self._proxies = downstream.proxies  # a reload may exchange them meanwhile
        self.method = method
        self.raw_target = target
        self.target = target if target.startswith("/") else origin_form(target)
        self.fields = fields
        self.http11 = http11
        self.wants_keep_alive = wants_keep_alive
        self.started = time.perf_counter()
        self.length = 0
        self.chunked = False
        self.body: RequestBody = NO_BODY
        self.kind = "pass_through"
        self.mark: str | None = None
        self.status = 0
        self.sent = 0
        self.waited = 0.0
        self.complete = False
        self._ended = False
        self._waits_since = 0.0
        self.answered = False
        self.carrier: Carrier | None = None
        self.trace: Trace | None = None
        self.heard: Callable[[bytes], None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._id: str | None = None
        self._credentials: Credentials | None = None
        self._index: dict[bytes, bytes] | None = None

    # -- the answer's way --

    @property
    def paused(self) -> bool:
        """Whether the client is slow to take its answer."""
        return self._client.paused

    @property
    def keep_alive(self) -> bool:
        """Whether the connection may serve another request, as far as it is known now."""
        return self.wants_keep_alive and not self._downstream.draining

    def write(self, data: bytes) -> None:
        """Send a part of the answer."""
        self.answered = True
        self.sent += len(data)
        if self.heard is not None:
            self.heard(data)
        self._client.write(data)

    def write_interim(self, head: bytes) -> None:
        """Send an interim answer (1xx). The final one has not begun by that."""
        self._client.write(head)

    def done(self, *, keep_alive: bool) -> None:
        """Tell that the answer is written."""
        self.carrier = None
        self.complete = True
        self._end()
        self._client.done(keep_alive=keep_alive)

    def break_off(self, *, reset: bool) -> None:
        """Let the client see that the answer is not complete."""
        self.carrier = None
        self._end()
        self._client.break_off(reset=reset)

    def _end(self) -> None:
        if self._ended:
            return
        self._ended = True
        self.goes_on()  # where it waited, it waits no more
        downstream = self._downstream
        downstream.meters.ended(self.kind, self.status, time.perf_counter() - self.started, self.waited)
        if downstream.on_end is not None:
            downstream.on_end(self)
        if self.trace is not None:
            self.trace.end()
            self.trace = None

    # -- what takes time --

    def waits(self) -> None:
        """Tell that from now on it waits for others: for its client's body, a connection, Close."""
        self._waits_since = time.perf_counter()

    def goes_on(self) -> None:
        """Tell that it waits no more, if it did."""
        if self._waits_since:
            self.waited += time.perf_counter() - self._waits_since
            self._waits_since = 0.0

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what has to wait for something in a task of its own. It ends when the client leaves."""
        self._task = asyncio.get_running_loop().create_task(work)
        self._task.add_done_callback(self._settled)

    def _settled(self, task: asyncio.Task[None]) -> None:
        if self._task is task:
            self._task = None
        if not task.cancelled() and isinstance(fault := task.exception(), Exception):
            self.fault(fault)

    def fault(self, fault: Exception) -> None:
        """Tell of a fault of the gateway's own, on whose account this exchange cannot go on."""
        if self._downstream.on_fault is None:
            raise fault
        self._downstream.on_fault(self, fault)

    def left(self) -> None:
        """The client has left: end what is under way for it."""
        self.give_up()
        self._end()

    def give_up(self) -> None:
        """End what is under way for it. It may still be answered."""
        if self._task is not None:
            self._task.cancel()
        if (carrier := self.carrier) is not None:
            self.carrier = None
            carrier.left()

    # -- what is known of the request --

    @property
    def id(self) -> str:
        """The client's own X-Request-Id where it is a sane one, else a new one."""
        if self._id is None:
            given = self.value(b"x-request-id") or ""
            # Unique is enough: an id opens nothing, so the system need not be asked for secret bits.
            self._id = given if SANE_ID.fullmatch(given) else f"{random.getrandbits(128):032x}"
        return self._id

    @property
    def credentials(self) -> Credentials | None:
        """None where the request carries no Authorization, or several: whose it is would be a guess."""
        if self._credentials is None:
            values = self.values(b"authorization")
            if len(values) == 1:
                self._credentials = Credentials(values[0], self._downstream.fingerprint_key)
        return self._credentials

    @property
    def meters(self) -> Meters:
        return self._downstream.meters

    @property
    def host(self) -> str | None:
        """What the client takes the gateway for: an absolute target's authority goes before Host (RFC 9112, 3.2.2)."""
        if self.raw_target.startswith(("/", "*")):
            return self.value(b"host")
        return re.split("[/?]", self.raw_target.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]

    @property
    def client(self) -> str:
        """The address that the request comes from, as far as proxies that are trusted tell."""
        proxies, peer = self._proxies, self._client.peer
        return peer if proxies is None else proxies.client(peer, self.values(b"x-forwarded-for"))

    @property
    def peer(self) -> str:
        """The address that the connection came from."""
        return self._client.peer

    @property
    def by_proxy(self) -> bool:
        """Whether it came by a proxy that is trusted."""
        return self._proxies is not None and self._proxies.trusts(self._client.peer)

    @property
    def scheme(self) -> str:
        """How the client connected: http or https."""
        return self._client.scheme

    @property
    def user_agent(self) -> str | None:
        value = self.value(b"user-agent")
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
        return round((time.perf_counter() - self.started) * 1000, 3)

    def values(self, name: bytes) -> list[bytes]:
        """List the values of the fields of this name (in small letters), as bytes."""
        if self._index is None:
            self._index = {field.lower(): value for field, value in self.fields}
        if name not in self._index:
            return []
        if len(self._index) == len(self.fields):  # nearly always: no name comes twice
            return [self._index[name]]
        return [value for field, value in self.fields if field.lower() == name]

    def value(self, name: bytes) -> str | None:
        """Give the value of the first field of this name (in small letters); None where there is none."""
        values = self.values(name)
        return values[0].decode("utf-8", "surrogateescape") if values else None


def printable(text: str) -> str:
    """Cut a text from outside to a bounded length and make it unable to break or forge a line of a log."""
    cut = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
    return (
        cut
        if cut.isprintable()
        else "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in cut)
    )


def origin_form(target: str) -> str:
    """Give what follows the authority of an absolute-form (RFC 9112, 3.2.1 and 3.2.2); other targets as they came."""
    if target.startswith(("/", "*")):
        return target
    rest = target.partition("://")[2]
    start = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    return rest[start:] if rest[start : start + 1] == "/" else "/" + rest[start:]
