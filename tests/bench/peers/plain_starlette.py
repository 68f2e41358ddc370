"""A plain pass-through with Starlette and httpx, as their documentation suggests one. It judges nothing.

It is run by the harness as `python -m tests.bench.peers.plain_starlette PORT UPSTREAM_PORT`.
"""

# mypy: disable-error-code="import-not-found"
# The checks run without the packages that only the bench uses.

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

HOP_BY_HOP: Final = frozenset({b"connection", b"host", b"keep-alive", b"te", b"transfer-encoding", b"upgrade"})
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Proxy:
    """Forwards what it is asked to one upstream."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream

    @asynccontextmanager
    async def client(self, _: Starlette) -> AsyncIterator[None]:
        """Keep one client for as long as the application runs."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
        async with httpx.AsyncClient(base_url=self._upstream, limits=limits, timeout=60) as self._client:
            yield

    async def handle(self, request: Request) -> StreamingResponse:
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        headers = [(name, value) for name, value in request.headers.raw if name not in HOP_BY_HOP]
        has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
        content = request.stream() if has_body else None
        answer = await self._client.send(
            self._client.build_request(request.method, target, headers=headers, content=content), stream=True
        )
        response = StreamingResponse(
            answer.aiter_raw(), status_code=answer.status_code, background=BackgroundTask(answer.aclose)
        )
        response.raw_headers = [(name.lower(), value) for name, value in answer.headers.raw if name not in HOP_BY_HOP]
        return response


def main(port: int, upstream_port: int) -> None:
    """Serve until the process is stopped."""
    proxy = Proxy(f"http://127.0.0.1:{upstream_port}")
    route = Route("/{path:path}", proxy.handle, methods=list(METHODS))
    application = Starlette(routes=[route], lifespan=proxy.client)
    uvicorn.run(application, host="127.0.0.1", port=port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
