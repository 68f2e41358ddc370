"""Does local-api.close.com lead to this machine? It does where somebody has said so, usually in /etc/hosts.

Rule    Nobody waits longer than PATIENCE for the system's answer: none in time counts as no address.
"""

import asyncio
import ipaddress
from collections.abc import Collection
from typing import Final

from gateway.local_api import NAME

PATIENCE: Final = 2.0
"""Seconds."""


async def addresses(name: str = NAME) -> tuple[str, ...]:
    """Ask the system for the addresses of the name."""
    try:
        async with asyncio.timeout(PATIENCE):
            found = await asyncio.get_running_loop().getaddrinfo(name, None)
    except (OSError, UnicodeError):  # there is none; a TimeoutError is an OSError too
        return ()
    return tuple(dict.fromkeys(str(where[0]) for *_, where in found))


def leads_here(found: Collection[str]) -> bool:
    """Whether a client gets to loopback, whichever of the addresses it takes."""
    return bool(found) and all(ipaddress.ip_address(each.partition("%")[0]).is_loopback for each in found)
