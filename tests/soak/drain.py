"""SIGTERM under load: not one request fails.

Rule    Clients go on with their connections until they are told that these close; none opens another one, since what
        a closed port refuses was never taken on.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from tests.soak.clients import Connection
from tests.soak.ledger import Ledger
from tests.soak.traffic import Traffic

BEFORE: Final = 0.3
"""Seconds of traffic before the signal."""


async def drain(port: int, ledger: Ledger, traffic: list[Traffic], terminate: Callable[[], None]) -> None:
    """Have a client for each traffic ask again and again, send the signal, and wait until every connection closed."""
    connections = [await Connection.to(port, ledger) for _ in traffic]
    async with asyncio.TaskGroup() as group:
        for connection, its in zip(connections, traffic, strict=True):
            group.create_task(_until_closed(connection, its))
        await asyncio.sleep(BEFORE)
        terminate()


async def _until_closed(connection: Connection, traffic: Traffic) -> None:
    good = True
    while good:
        await asyncio.sleep(traffic.random.uniform(0, 0.02))
        good = await connection.ask([traffic.plan(plain=True)])
    await connection.close()
