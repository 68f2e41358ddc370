"""The proxy that most would write with aiohttp: an Application, one ClientSession, and the rule in the handler.

It streams both ways, leaves bodies coded, follows no redirects, and remembers the owner of a key for ten minutes.
What it is not: byte for byte, guarded against a dead upstream, or logging.

It is run by the harness as `python -m tests.bench.peers.usual_aiohttp PORT UPSTREAM_PORT`.
"""

import sys
import time
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web
from multidict import CIMultiDict
from yarl import URL

from tests.bench.peers.rule import EMAILS, REJECTION, filled, judge, judges

HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"})
TTL: Final = 600.0


class Proxy:
    """Forwards what it is asked to one upstream."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._owners: dict[str, tuple[float, str]] = {}

    async def session(self, _: web.Application) -> AsyncIterator[None]:
        """Keep one client session for as long as the application runs."""
        async with ClientSession(
            connector=TCPConnector(limit=0),
            timeout=ClientTimeout(total=None, sock_read=60),
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,
        ) as self._session:
            yield

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = end_to_end(request.headers)
        headers.popall("Host", None)
        if not judges(request.method, request.path):
            content = request.content if request.can_read_body else None
            return await self._forward(request, headers, content)
        body = await request.read()
        case = judge(request.method, body)
        if case.act == "reject" or (case.act == "look" and not await self._has_sender(request)):
            return web.Response(status=400, body=REJECTION, content_type="application/json")
        if case.act == "fill":
            body = filled(case.email, await self._owner(request))
            headers["Content-Length"] = str(len(body))
        return await self._forward(request, headers, body)

    async def _forward(self, request: web.Request, headers: CIMultiDict[str], data: object) -> web.StreamResponse:
        url = URL(self._upstream + request.raw_path, encoded=True)
        async with self._session.request(
            request.method, url, headers=headers, data=data, allow_redirects=False
        ) as answer:
            response = web.StreamResponse(status=answer.status, headers=end_to_end(answer.headers))
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
            return response

    async def _owner(self, request: web.Request) -> str:
        credential = request.headers.get("Authorization", "")
        known = self._owners.get(credential)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        address: str = (await self._look_up("/api/v1/me/?_fields=id,email", credential))["email"]
        self._owners[credential] = (time.monotonic() + TTL, address)
        return address

    async def _has_sender(self, request: web.Request) -> bool:
        email_id = request.path.removeprefix(EMAILS).strip("/")
        credential = request.headers.get("Authorization", "")
        return bool((await self._look_up(f"{EMAILS}{email_id}/?_fields=id,sender", credential))["sender"])

    async def _look_up(self, target: str, credential: str) -> dict[str, str]:
        url = URL(self._upstream + target, encoded=True)
        async with self._session.get(url, headers={"Authorization": credential}) as answer:
            found: dict[str, str] = await answer.json()
            return found


def end_to_end(headers: "CIMultiDict[str] | object") -> CIMultiDict[str]:
    """Copy the header fields that do not end at this hop."""
    copied: CIMultiDict[str] = CIMultiDict(headers)  # type: ignore[arg-type] # a CIMultiDictProxy
    for name in [name for name in copied if name.lower() in HOP_BY_HOP]:
        copied.popall(name, None)
    return copied


def main(port: int, upstream_port: int) -> None:
    """Serve until the process is stopped."""
    proxy = Proxy(f"http://127.0.0.1:{upstream_port}")
    application = web.Application(client_max_size=8 * 1024 * 1024)
    application.cleanup_ctx.append(proxy.session)
    application.router.add_route("*", "/{path:.*}", proxy.handle)
    web.run_app(application, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
