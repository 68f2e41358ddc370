"""`GET /healthz`."""

from collections import Counter

import aiohttp

from gateway import __version__
from gateway.admin.health import health
from gateway.admin.server import AdminServer
from gateway.config.settings import Address
from gateway.snapshot import Snapshot


async def test_it_tells_that_the_process_serves_and_what_it_has_counted() -> None:
    """The counts are those of now, not those of the start."""
    counts: Counter[str] = Counter(forwarded=1)

    async def look() -> Snapshot:
        return Snapshot(counts=counts)

    server = AdminServer({"/healthz": health(look)}, Address("127.0.0.1", 0), ())
    address = await server.open()
    counts["rejected"] += 2
    async with aiohttp.ClientSession() as client, client.get(f"http://{address}/healthz") as answer:
        assert answer.status == 200
        assert await answer.json() == {
            "status": "ok",
            "version": __version__,
            "counts": {"forwarded": 1, "rejected": 2},
        }
    await server.close()
