"""Where identities are shared: a Redis or a Valkey, over TCP, TLS or a UNIX socket."""

import re
from pathlib import Path
from typing import Final, Self
from urllib.parse import SplitResult, parse_qsl, urlsplit

from gateway.config.store import BEFORE_HOST, STARS, URL

SCHEMES: Final = ("redis", "rediss", "unix")
# Others that redis-py knows would undo what the gateway relies on, such as its time-outs.
PARAMETERS: Final = frozenset({"db", "ssl_ca_certs"})
DATABASE: Final = re.compile(r"[0-9]{1,5}")


class CacheLocation:
    """Where it is. Prints with stars in place of a password; `reveal` is the one way to it."""

    __slots__ = ("_text", "ca_file")

    def __init__(self, text: str, ca_file: Path | None = None) -> None:
        self._text = text
        self.ca_file = ca_file
        """A PEM file with the authorities that its certificate is checked against, beside the system's."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "redis://…", "rediss://…" or "unix://…". Raises ValueError."""
        if not URL.fullmatch(text):
            raise ValueError("holds a blank or a letter that no URL has")
        if "#" in text:
            raise ValueError("has a #, which is written %23 in a password")
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise ValueError("has a host or port that cannot be read") from None
        if parts.scheme not in SCHEMES:
            raise ValueError("does not begin with redis://, rediss:// or unix://")
        if STARS in text:
            raise ValueError("has stars where a password was")
        if port == 0:
            raise ValueError("has a port that cannot be connected to")
        _check_place(parts)
        parameters = _parameters(parts)
        ca_file = parameters.get("ssl_ca_certs")
        return cls(text, None if ca_file is None else Path(ca_file))

    def reveal(self) -> str:
        return self._text

    def __str__(self) -> str:
        return BEFORE_HOST.sub(rf"\1:{STARS}", self._text)

    def __repr__(self) -> str:
        return f"CacheLocation({self})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CacheLocation) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


def _check_place(parts: SplitResult) -> None:
    if parts.scheme == "unix":
        if parts.hostname or len(parts.path) < len("/x"):
            raise ValueError("names no socket by its whole path")
        return
    if not parts.hostname:
        raise ValueError("has no host")
    if parts.path not in {"", "/"} and not DATABASE.fullmatch(parts.path[1:]):
        raise ValueError("has something behind the host that is no number of a database")


def _parameters(parts: SplitResult) -> dict[str, str]:
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if not given.keys() <= PARAMETERS:
        raise ValueError("has a parameter other than db and ssl_ca_certs")
    if not DATABASE.fullmatch(given.get("db", "0")):
        raise ValueError("has a db that is no number")
    if "ssl_ca_certs" in given and (parts.scheme != "rediss" or not given["ssl_ca_certs"]):
        raise ValueError("has ssl_ca_certs without a file, or without rediss://")
    return given
