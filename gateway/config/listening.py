"""What the downstream listener may be told beside an address: a UNIX socket, its mode, and whom to believe.

Source  unix(7), "Address format"; RFC 4291, 2.2 and RFC 4632, 3.1.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final, Self

from gateway.proxies import BY_SOCKET

UNIX: Final = "unix:"
LONGEST: Final = 107
"""Bytes of a path that a socket can be bound to on Linux; its NUL comes on top."""
MODE: Final = re.compile(r"[0-7]{3}")


@dataclass(frozen=True, slots=True)
class UnixSocket:
    """Where to listen for clients on this machine: a socket in the file system."""

    path: str
    """Absolute. One that begins with "@" was handed over, and lies in Linux's abstract namespace."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "unix:/PATH". Raises ValueError."""
        path = text.removeprefix(UNIX)
        if not path.startswith("/"):
            raise ValueError("names no absolute path behind unix:")
        if "\0" in path:
            raise ValueError("holds a NUL, which no path may")
        if path.endswith("/"):
            raise ValueError("names a folder, and no file in it")
        if len(path.encode()) > LONGEST:
            raise ValueError(f"has a path of more than {LONGEST} bytes, too long for a socket")
        return cls(path)

    def __str__(self) -> str:
        return f"{UNIX}{self.path}"


def socket_mode(text: str) -> str:
    """Take the mode of a file, without set-user-ID and its like. Raises ValueError."""
    if not MODE.fullmatch(text):
        raise ValueError("is not three octal digits")
    return text


def trusted_proxy(text: str) -> str:
    """Take an address, a network, or the word for the UNIX socket. Raises ValueError."""
    if text == BY_SOCKET:
        return text
    address, slash, length = text.partition("/")
    try:
        if "%" in text:
            raise ValueError  # a zone, which says nothing of whom a peer is
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"is no address, no network and not {BY_SOCKET}") from None
    if not slash:
        return str(network.network_address)
    if not length.isdecimal():
        raise ValueError("has a mask that is no number of bits")
    if ipaddress.ip_address(address) != network.network_address:
        raise ValueError(f"names one address of a network, which itself is {network}")
    return str(network)
