"""Which proxies are believed, and so who the client behind them is. Pure.

Rule    Each proxy writes behind the others' addresses in X-Forwarded-For whom it got the request from. Read from the
        right, all are believed up to the first that is no proxy of ours: that one is the client. What stands left of
        it, the client may have made up. Where all are proxies of ours, the leftmost is the client.
        What is no address there is nobody: then the client is whoever connected.
Limits  So many addresses are looked at, and none that is longer than one can be.
Source  RFC 7239, 5.2 and 8.1, for the field that came before it. Forwarded itself is not read.
"""

import functools
import ipaddress
from collections.abc import Collection, Sequence
from typing import Final, TypeAlias

BY_SOCKET: Final = "unix"
"""Stands for whoever comes by the UNIX socket."""
UNKNOWN: Final = "unknown"
"""Stands for whoever has left before the system was asked for its address (RFC 7239, 6.2)."""
MOST: Final = 32
"""Proxies in a row. Behind more, nobody knows who is whose."""
LONGEST: Final = 64
"""Characters of an address, with a port and brackets."""
REMEMBERED: Final = 4096
"""Peers of whom it is remembered whether they are trusted."""

Ip: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


class TrustedProxies:
    """Made of addresses and networks as texts, and "unix" for whoever comes by the UNIX socket. Raises ValueError."""

    def __init__(self, trusted: Collection[str]) -> None:
        self._by_socket = BY_SOCKET in trusted
        self._networks = tuple(ipaddress.ip_network(text) for text in trusted if text != BY_SOCKET)
        self.trusts = functools.lru_cache(REMEMBERED)(self._trusts)  # proxies are few, and come again and again

    def _trusts(self, peer: str) -> bool:
        """Whether what this peer says of others is believed."""
        if peer == BY_SOCKET:
            return self._by_socket
        address = _address(peer)
        return address is not None and self._has(address)

    def client(self, peer: str, forwarded_for: Sequence[bytes]) -> str:
        """Tell who the client is. `forwarded_for` are the values of the field, in their order."""
        if not forwarded_for or not self.trusts(peer):
            return peer
        said = b",".join(forwarded_for).rsplit(b",", MOST)
        client = peer
        for number, text in enumerate(reversed(said)):
            address = _address(text.strip(b" \t").decode("latin-1")) if number < MOST else None
            if address is None:
                return peer
            client = str(address)
            if not self._has(address):
                break
        return client

    def _has(self, address: Ip) -> bool:
        return any(address in network for network in self._networks)


def _address(text: str) -> Ip | None:
    """Read an address. Some proxies write a port behind it; a socket for both families writes IPv4 as IPv6."""
    if len(text) > LONGEST:
        return None
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, ipaddress.IPv6Address) else address
