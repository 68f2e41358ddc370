"""What can be set: one frozen class per section of the configuration."""

import enum
from dataclasses import dataclass, field

from gateway.config.store import DEFAULT
from gateway.config.values import (
    Address,
    Bytes,
    Count,
    Days,
    Entries,
    HostName,
    ListenAddress,
    OpenPath,
    OptionalAddress,
    OptionalKey,
    OptionalPath,
    OptionalStore,
    OptionalToken,
    Seconds,
    SecondsOrNone,
    UpstreamUrl,
    Workers,
)

__all__ = [
    "Address",
    "AdminSettings",
    "AnswerSettings",
    "Capture",
    "IdentitySettings",
    "InspectSettings",
    "ListenerSettings",
    "LogFormat",
    "LogLevel",
    "LogSettings",
    "LookupSettings",
    "Mode",
    "Oversize",
    "ProcessSettings",
    "RejectionsSettings",
    "Settings",
    "ShutdownSettings",
    "UpstreamSettings",
]


class Mode(enum.Enum):
    """What becomes of an email write that breaks a rule."""

    ENFORCE = "enforce"
    """It is answered with 400 and never reaches Close."""
    REPORT = "report"
    """It is forwarded, and logged as request_reported."""
    OFF = "off"
    """Nothing is read or filled in: every request is forwarded as it came."""


class Oversize(enum.Enum):
    """What becomes of a body too large to inspect."""

    FORWARD = "forward"
    """It streams to Close uninspected, with a warning in the log."""
    REJECT = "reject"
    """It is answered with 413."""


class Capture(enum.Enum):
    """How much of the body of a rejected email write is kept in the store."""

    SHAPE = "shape"
    """Which fields were there and how large; no value but the status and ids."""
    REDACTED = "redacted"
    """The JSON, with each text replaced by its length, and addresses by their domain."""
    FULL = "full"
    """The body as it came, with all that somebody wrote to somebody."""


class LogFormat(enum.Enum):
    """What a log line looks like."""

    JSON = "json"
    CONSOLE = "console"
    """For reading by people; coloured on a terminal."""


class LogLevel(enum.Enum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerSettings:
    """[listener] Where clients reach the gateway."""

    listen: ListenAddress = Address("127.0.0.1", 8080)
    """HOST:PORT. Other than on loopback, credentials pass in the clear: put what ends TLS in front."""
    max_connections: Count = 10_000
    """Connections of clients at a time. One more is answered 502, gateway_full, and closed."""
    idle_timeout: Seconds = 75.0
    """Seconds that a connection may be unused before it is closed."""
    head_timeout: Seconds = 10.0
    """Seconds from the first byte of a request to the end of its head: 408, request_timed_out."""
    body_timeout: Seconds = 30.0
    """Seconds between two pieces of a request's body: 408, request_timed_out.

    As long may a client take nothing of an answer: then its connection is cut off.
    """
    max_target: Bytes = 16_384
    """Bytes of a request target, path and query: 414, target_too_long."""
    max_header: Bytes = 16_384
    """Bytes of a header field, name and value together: 431, head_too_large."""
    max_headers: Count = 128
    """Header fields of a request: 431, head_too_large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamSettings:
    """[upstream] Where Close is and how long to wait for it."""

    url: UpstreamUrl = "https://api.close.com"
    """Scheme, host and, where it is not the scheme's own, port. Path and query are the client's."""
    timeout: Seconds = 60.0
    """Seconds without an answer or a sign of life until the request fails: 504, upstream_timed_out."""
    connect_timeout: Seconds = 5.0
    """Seconds until a connection counts as failed: 502, upstream_unreachable.

    As long may a request wait for a connection where all are taken: 502, upstream_busy.
    """
    ca_file: OptionalPath = None
    """A PEM file with certificate authorities to trust beside the system's. None: the system's alone."""
    max_connections: Count = 256
    """Connections to Close at a time, and so requests in flight: further ones wait."""
    idle_timeout: Seconds = 30.0
    """Seconds that a connection may be unused. Longer ones save handshakes, and meet a closed end more often."""
    forwarded: bool = False
    """Whether Close is told the client's address, scheme and Host, in X-Forwarded-For, -Proto and -Host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectSettings:
    """[inspect] What is done about email writes."""

    mode: Mode = Mode.ENFORCE
    """What becomes of one that breaks a rule."""
    max_body: Bytes = 8_388_608
    """Bytes of a body, as sent and as decoded, up to which it is inspected. As many may be held for each request."""
    oversize: Oversize = Oversize.FORWARD
    """What becomes of a body that is larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySettings:
    """[identity] How long it is remembered who stands behind a credential, and how credentials are named in logs."""

    ttl: Seconds = 600.0
    """Seconds until Close is asked again. As long may a changed address go unnoticed."""
    max_entries: Count = 10_000
    """Identities remembered at a time. Above it the least recently used is forgotten, and asked for again."""
    fingerprint_key: OptionalKey = None
    """What fingerprints of credentials are keyed with: at least 16 characters, secret.

    The same key gives the same fingerprints after a restart and on other gateways. None: one that is kept beside the
    store where that is a file; else a fresh random one at each start, so that fingerprints change with it.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupSettings:
    """[lookups] The gateway's own few questions to Close. Where one fails, the request is forwarded as it came."""

    timeout: Seconds = 2.0
    """Seconds until a question counts as failed. As long may it delay a request."""
    breaker_failures: Count = 5
    """Failures of one kind of question in a row, after which that kind is not asked for a while."""
    breaker_pause: Seconds = 10.0
    """Seconds of that while. Then one question is let through, and its outcome decides.

    As long it is remembered that Close did not tell who a credential or a user is.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSettings:
    """[answer] What clients get to see of the gateway."""

    mark: bool = True
    """Whether answers to email writes say in X-Close-Gateway what was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminSettings:
    """[admin] The listener for those who run the gateway."""

    listen: OptionalAddress = Address("127.0.0.1", 8081)
    """HOST:PORT. Other than on loopback a token is needed. None ("off"): there is none, nor health checks."""
    hosts: tuple[HostName, ...] = ()
    """Host names it answers to beside loopback and its own. Others get 421, so that no web page can read it."""
    token: OptionalToken = None
    """What those who ask have to bring: at least 16 characters, secret. None: on loopback nobody has to."""
    token_file: OptionalPath = None
    """A file that holds the token instead; blanks and line ends around it do not count."""
    open: tuple[OpenPath, ...] = ("/healthz", "/readyz")
    """What is answered without a token all the same, for probes that have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionsSettings:
    """[rejections] The store of what was rejected and reported. Where it fails, the gateway goes on without it."""

    store: OptionalStore = DEFAULT
    """An SQLite file, ":memory:", or the URL of a PostgreSQL database, in which several gateways may share one store.

    None ("off"): nothing is kept but the log. The file and its folder are made where they are not there yet.
    """
    capture: Capture = Capture.SHAPE
    """How much of a body is kept."""
    max_per_second: Count = 10
    """Rejections of one credential and code that are kept one by one in a second; further ones become one entry that
    counts them."""
    keep_days: Days = 90
    """Days after which an entry is removed."""
    keep_entries: Entries = 5_000_000
    """Entries that are kept. Above it the oldest are removed. Of a store in memory, 100000 at most."""
    backlog: Count = 10_000
    """Entries that wait in memory where the store is slow or down; further ones wait in a file."""
    backlog_folder: OptionalPath = None
    """Where that file lies. None: beside the store where that is a file, and else where it would lie by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """[log] What is written to standard output."""

    format: LogFormat = LogFormat.JSON
    """JSON lines, or lines for reading."""
    level: LogLevel = LogLevel.INFO
    """The least severe level that is written. Refusals are warnings: with error, they go unlogged."""
    access: bool = False
    """Whether each request is logged once it is over, as request_served (info)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSettings:
    """[process] How many processes serve requests."""

    workers: Workers = 1
    """1: one does all. More: so many share the port, and one more process looks after them.

    What is limited or remembered, each of them limits and remembers for itself: connections, identities, the backlog.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class ShutdownSettings:
    """[shutdown] How the gateway stops."""

    grace: SecondsOrNone = 30.0
    """Seconds that requests in flight have to finish. 0: they are broken off at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of it. Made directly it is not checked: `gateway.config.load` reads and checks."""

    listener: ListenerSettings = field(default_factory=ListenerSettings)
    upstream: UpstreamSettings = field(default_factory=UpstreamSettings)
    inspect: InspectSettings = field(default_factory=InspectSettings)
    identity: IdentitySettings = field(default_factory=IdentitySettings)
    lookups: LookupSettings = field(default_factory=LookupSettings)
    answer: AnswerSettings = field(default_factory=AnswerSettings)
    admin: AdminSettings = field(default_factory=AdminSettings)
    rejections: RejectionsSettings = field(default_factory=RejectionsSettings)
    log: LogSettings = field(default_factory=LogSettings)
    process: ProcessSettings = field(default_factory=ProcessSettings)
    shutdown: ShutdownSettings = field(default_factory=ShutdownSettings)
