"""Where the store of rejections is: a file, the memory of the process, or a PostgreSQL server."""

import enum
import hashlib
import re
from pathlib import Path
from typing import Final, Self
from urllib.parse import unquote, urlsplit

MEMORY: Final = ":memory:"
SCHEME: Final = "postgresql"
STARS: Final = "***"
URL: Final = re.compile(r"[\x21-\x7e]+")
# PostgreSQL, "Connection URIs": a password may stand before the host, or among the parameters. One that ought to be
# percent-encoded, and is not, may hold anything: so all goes that stands before the last @.
BEFORE_HOST: Final = re.compile(r"(?<=//)([^:@]*):.*(?=@)")


class StoreKind(enum.Enum):
    """What a store is."""

    FILE = "file"
    MEMORY = "memory"
    SERVER = "server"


class StoreLocation:
    """Where the store is. Prints with stars in place of a password; `reveal` is the one way to it."""

    __slots__ = ("_text", "kind")

    def __init__(self, text: str, kind: StoreKind) -> None:
        self._text = text
        self.kind = kind

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the path of a file, ":memory:" or "postgresql://…". Raises ValueError."""
        if text == MEMORY:
            return cls(text, StoreKind.MEMORY)
        if "://" in text:
            _check_url(text)
            return cls(text, StoreKind.SERVER)
        if not text:
            raise ValueError("is empty")
        if "\0" in text:
            raise ValueError("holds a NUL, which no path may")
        return cls(text, StoreKind.FILE)

    @property
    def path(self) -> Path:
        """The file, where it is one. ~ is the home of whoever runs the gateway."""
        path = Path(self._text)
        try:
            return path.expanduser()
        except RuntimeError:  # who has no home, as in a container, is at home in / for most programs, and so here
            return Path("/", *path.parts[1:])

    @property
    def folder(self) -> Path | None:
        """Where what belongs to the store may be kept beside it; None for one in memory, which outlives nothing."""
        match self.kind:
            case StoreKind.FILE:
                return self.path.parent
            case StoreKind.SERVER:
                return DEFAULT.path.parent
            case StoreKind.MEMORY:
                return None

    @property
    def name(self) -> str:
        """A short name that tells stores in one folder apart, and no password."""
        text = self.path.name if self.kind is StoreKind.FILE else str(self)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def reveal(self) -> str:
        return self._text

    def __str__(self) -> str:
        if self.kind is not StoreKind.SERVER:
            return self._text
        front, mark, parameters = BEFORE_HOST.sub(rf"\1:{STARS}", self._text).partition("?")
        return front + mark + "&".join(map(_starred, parameters.split("&")))

    def __repr__(self) -> str:
        return f"StoreLocation({self})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StoreLocation) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


# The XDG Base Directory Specification has there what a program keeps from one run to the next, such as logs.
DEFAULT: Final = StoreLocation("~/.local/state/close-gateway/rejections.sqlite3", StoreKind.FILE)


def _starred(parameter: str) -> str:
    name, equals, _ = parameter.partition("=")
    return f"{name}{equals}{STARS}" if "pass" in unquote(name).lower() else parameter


def _check_url(text: str) -> None:
    if not URL.fullmatch(text):
        raise ValueError("holds a blank or a letter that no URL has")
    try:
        scheme = urlsplit(text).scheme
    except ValueError:
        raise ValueError("has a host that cannot be read") from None
    if scheme != SCHEME:
        raise ValueError(f"is a URL that does not begin with {SCHEME}://")
    if STARS in text:
        raise ValueError("has stars where a password was")
