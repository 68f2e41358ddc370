"""The kinds of values that settings have: what each may be, how it is read from a text and written as one.

Each says in words what it takes; that is what somebody is told whose value is something else.
"""

import enum
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self, TypeAlias
from urllib.parse import SplitResult, urlsplit

from annotated_types import Ge, Gt, Le
from pydantic_core import CoreSchema, core_schema

from gateway.config.cache import CacheLocation
from gateway.config.listening import UNIX, UnixSocket, socket_mode, trusted_proxy
from gateway.config.store import StoreLocation
from gateway.proxies import BY_SOCKET
from gateway.secret import Secret

SECRET_LENGTH = 16
"""A fingerprint key that can be guessed lets whoever reads a log try credentials against its fingerprints; a token that
can be guessed lets anybody in."""
OPEN_PATHS = ("/healthz", "/readyz", "/metrics")
"""Paths of the admin listener that tell nothing of anybody."""
UNSPECIFIED = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked, never bound to

# RFC 1123, 2.1. The underscore is in no host name, and yet in the names that container networks give out.
LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
NAME = re.compile(rf"{LABEL}(?:\.{LABEL})*")
NAME_LENGTH = 253
ZONE = re.compile(r"[A-Za-z0-9._-]+")
PORT = re.compile(r"[0-9]{1,5}")
LAST_PORT = 65_535
# RFC 9110, 5.5: what passes in a header field for sure.
TOKEN = re.compile(r"[\x21-\x7e]*")
# urlsplit drops line ends and tabs without a word, so what it is given is looked at first.
URL = re.compile(r"[\x21-\x7e]+")


def is_ipv6(text: str) -> bool:
    """Whether this is an IPv6 address, with a zone or without."""
    address, percent, zone = text.partition("%")
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return False
    return not percent or ZONE.fullmatch(zone) is not None


def is_host(text: str) -> bool:
    """Whether this is a host name, an IPv4 or an IPv6 address. What ends in a number can only be an address."""
    if is_ipv6(text):
        return True
    if len(text) > NAME_LENGTH or not NAME.fullmatch(text):
        return False
    if not text.rpartition(".")[2].isdecimal():
        return True
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int
    """0: the system picks a free one."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "HOST:PORT"; an IPv6 address stands in brackets. Raises ValueError."""
        host, colon, port = text.rpartition(":")
        if not colon:
            raise ValueError("has no port")
        if not PORT.fullmatch(port) or int(port) > LAST_PORT:
            raise ValueError("does not end in a port from 0 to 65535")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
            known = is_ipv6(host)
        elif ":" in host:
            raise ValueError("has an IPv6 address that is not in brackets")
        else:
            known = is_host(host)
        if not known:
            raise ValueError("does not begin with a host name or an address")
        return cls(host, int(port))

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine can reach it. Of a name only localhost is sure to be so."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.partition("%")[0]).is_loopback
        except ValueError:
            return False

    @property
    def from_here(self) -> "Address":
        """Where this machine reaches it: who listens everywhere listens on loopback, and answers to that name."""
        return Address(UNSPECIFIED.get(self.host, self.host), self.port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Takes:
    """Says what a number is to be."""

    words: str


@dataclass(frozen=True, slots=True)
class Text:
    """Marks a type whose values are read from a text. `read` raises ValueError with what is wrong with it."""

    read: Callable[[str], object]
    words: str

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._read_whole, core_schema.str_schema(strict=True))

    def _read_whole(self, text: str) -> object:
        """Read a text that is one: Python brings bytes of the environment that are not UTF-8 as lone surrogates."""
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            raise ValueError("is not UTF-8")
        return self.read(text)


def _listening(text: str) -> Address | UnixSocket:
    return UnixSocket.parse(text) if text.startswith(UNIX) else Address.parse(text)


def _address_or_off(text: str) -> Address | None:
    return None if text == "off" else Address.parse(text)


def _http_url(text: str) -> SplitResult:
    """Take a URL apart that could be connected to. Raises ValueError."""
    if not URL.fullmatch(text):
        raise ValueError("holds a blank or a letter that no URL has")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("has a host or port that cannot be read") from None
    if parts.scheme not in {"http", "https"}:
        raise ValueError("does not begin with https:// or http://")
    if port == 0 or parts.netloc.endswith(":") or not is_host(parts.hostname or "") or "%" in parts.netloc:
        raise ValueError("has no host, or no port, that could be connected to")
    return parts


def _upstream_url(text: str) -> str:
    parts = _http_url(text)
    if parts.username is not None:
        raise ValueError("names a user; clients bring their own credentials")
    if parts.path not in {"", "/"} or "?" in text or "#" in text:
        raise ValueError("goes on after the host; paths come from the clients")
    return text.removesuffix("/")


def _endpoint_or_off(text: str) -> str | None:
    if text == "off":
        return None
    parts = _http_url(text)
    if (
        parts.username is not None or "?" in text or "#" in text
    ):  # the URL is logged, and so nothing secret may be in it
        raise ValueError("names a user or has a query; put credentials into OTEL_EXPORTER_OTLP_HEADERS")
    if parts.path in {"", "/"}:
        raise ValueError("has no path; collectors take spans at /v1/traces")
    return text


def _host_name(text: str) -> str:
    if not is_host(text):
        raise ValueError("is not a host name or an address without its port")
    return text


def _path(text: str) -> Path:
    if not text:
        raise ValueError("is empty")
    if "\0" in text:
        raise ValueError("holds a NUL, which no path may")
    return Path(text)


def _store_or_off(text: str) -> StoreLocation | None:
    return None if text == "off" else StoreLocation.parse(text)


def _cache_or_off(text: str) -> CacheLocation | None:
    return None if text == "off" else CacheLocation.parse(text)


def secret(text: str) -> Secret:
    """Take a text that is long enough for a secret. Raises ValueError."""
    if len(text) < SECRET_LENGTH:
        raise ValueError("is too short")
    return Secret(text)


def token(text: str) -> Secret:
    """Take a secret that a header field can carry. Raises ValueError."""
    if not TOKEN.fullmatch(text):
        raise ValueError("has a blank, or a letter that is not of ASCII")
    return secret(text)


def _open_path(text: str) -> str:
    if text not in OPEN_PATHS:
        raise ValueError("cannot be left open")
    return text


ListenAddress: TypeAlias = Annotated[
    Address | UnixSocket,
    Text(_listening, "HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080, or unix:/PATH for a UNIX socket"),
]
SocketMode: TypeAlias = Annotated[
    str, Text(socket_mode, 'the mode of a file in three octal digits, in quotes, such as "660"')
]
TrustedProxy: TypeAlias = Annotated[
    str, Text(trusted_proxy, f"addresses and networks of proxies, such as 10.0.0.5 or 10.1.0.0/16, or {BY_SOCKET}")
]
OptionalAddress: TypeAlias = Annotated[
    Address | None, Text(_address_or_off, "HOST:PORT, such as 127.0.0.1:8081 or [::1]:8081, or off")
]
UpstreamUrl: TypeAlias = Annotated[
    str, Text(_upstream_url, "a URL of scheme, host and, where it is needed, port, such as https://api.close.com")
]
HostName: TypeAlias = Annotated[str, Text(_host_name, "host names without a port, such as gateway.internal")]
OptionalPath: TypeAlias = Annotated[Path | None, Text(_path, "the path of a file")]
OptionalKey: TypeAlias = Annotated[
    Secret | None,
    Text(secret, f"a text of at least {SECRET_LENGTH} characters, or leave the setting out"),
]
OptionalToken: TypeAlias = Annotated[
    Secret | None,
    Text(token, f"a text of at least {SECRET_LENGTH} characters without blanks, or leave the setting out"),
]
OpenPath: TypeAlias = Annotated[str, Text(_open_path, f"paths that stay open: {', '.join(OPEN_PATHS)}")]
OptionalStore: TypeAlias = Annotated[
    StoreLocation | None,
    Text(_store_or_off, "the path of a file, :memory:, a URL such as postgresql://user@host/database, or off"),
]
OptionalCache: TypeAlias = Annotated[
    CacheLocation | None,
    Text(_cache_or_off, "a URL such as redis://user:password@host:6379/0, rediss://host or unix:///run/a.sock, or off"),
]
OptionalEndpoint: TypeAlias = Annotated[
    str | None, Text(_endpoint_or_off, "a URL such as http://127.0.0.1:4318/v1/traces, or off")
]
Share: TypeAlias = Annotated[float, Ge(0), Le(1), Takes("a share from 0 to 1")]
Seconds: TypeAlias = Annotated[float, Gt(0), Le(86_400), Takes("a number of seconds above 0, up to 86400")]
SecondsOrNone: TypeAlias = Annotated[float, Ge(0), Le(86_400), Takes("a number of seconds from 0 to 86400")]
Count: TypeAlias = Annotated[int, Ge(1), Le(1_000_000), Takes("a whole number from 1 to 1000000")]
Workers: TypeAlias = Annotated[int, Ge(1), Le(256), Takes("a whole number from 1 to 256")]
Days: TypeAlias = Annotated[int, Ge(1), Le(36_500), Takes("a whole number of days from 1 to 36500")]
Entries: TypeAlias = Annotated[int, Ge(1), Le(10**9), Takes("a whole number from 1 to 1000000000")]
Bytes: TypeAlias = Annotated[int, Ge(1), Le(2**30), Takes("a whole number of bytes from 1 to 1073741824")]


def printable(text: str) -> str:
    """Write a text in one line, in which nothing is left that a terminal would act on, as TOML escapes it."""
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    return f"\\u{ord(character):04x}" if ord(character) <= 0xFFFF else f"\\U{ord(character):08x}"  # noqa: PLR2004


def quoted(text: str) -> str:
    """Write a text as a TOML string."""
    return f'"{printable(text)}"'


def spelled(value: object) -> str:
    """Write the value of a setting as TOML. A secret comes out as stars, and None as "off"."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case enum.Enum():
            return quoted(str(value.value))
        case tuple():
            return f"[{', '.join(map(spelled, value))}]"
        case None:
            return quoted("off")
        case _:
            return quoted(str(value))


def said(value: object) -> object:
    """Give the value of a setting for JSON. A secret comes out as stars."""
    match value:
        case None | bool() | int() | float():
            return value
        case enum.Enum():
            return said(value.value)
        case tuple():
            return [said(part) for part in value]
        case _:
            return printable(str(value))
