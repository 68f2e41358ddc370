"""The rule for email writes as a mitmproxy add-on. mitmproxy runs it; it has nothing but the standard library."""

# mypy: disable-error-code="import-not-found"
# The checks run without mitmproxy.

import asyncio
import json
import time
from typing import Any, Final

from mitmproxy import ctx, http

from tests.bench.peers.rule import REJECTION, filled, judge, judges

TTL: Final = 600.0


class Rule:
    """Judges email writes."""

    def __init__(self) -> None:
        self._owners: dict[str, tuple[float, str]] = {}
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    def load(self, loader: Any) -> None:
        loader.add_option("upstream_port", int, 0, "where look-ups go")

    async def request(self, flow: Any) -> None:
        request = flow.request
        path = request.path.partition("?")[0]
        if not judges(request.method, path):
            return
        case = judge(request.method, request.content)
        credential = request.headers.get("Authorization", "")
        if case.act == "reject" or (case.act == "look" and not await self._has_sender(path, credential)):
            flow.response = http.Response.make(400, REJECTION, {"Content-Type": "application/json"})
        elif case.act == "fill":
            request.content = filled(case.email, await self._owner(credential))

    async def _owner(self, credential: str) -> str:
        known = self._owners.get(credential)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        address: str = (await self._look_up("/api/v1/me/?_fields=id,email", credential))["email"]
        self._owners[credential] = (time.monotonic() + TTL, address)
        return address

    async def _has_sender(self, path: str, credential: str) -> bool:
        return bool((await self._look_up(f"{path}?_fields=id,sender", credential))["sender"])

    async def _look_up(self, target: str, credential: str) -> dict[str, Any]:
        """Ask the upstream over a connection kept from before, where there is one."""
        port = ctx.options.upstream_port
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", port)
        head = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: {credential}\r\n\r\n"
        writer.write(head.encode())
        fields = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(fields.partition(b"content-length:")[2].split(b"\r\n")[0])
        found: dict[str, Any] = json.loads(await reader.readexactly(length))
        self._idle.append((reader, writer))
        return found


addons = [Rule()]
