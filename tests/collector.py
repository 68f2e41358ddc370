"""A collector of spans for a test: takes OTLP over HTTP, as any collector does, and keeps what it was sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PATH: Final = "/v1/traces"
SERVER, CLIENT, INTERNAL = 2, 3, 1
OK_OR_UNSET, ERROR = 0, 2


@dataclass(frozen=True, slots=True)
class Span:
    """A span as it was sent. Ids are in hexadecimal; a root's `parent` is empty."""

    name: str
    kind: int
    trace: str
    id: str
    parent: str
    state: str
    """The tracestate."""
    status: int
    facts: dict[str, Any]
    resource: dict[str, Any]


class Collector:
    """What was sent. `status` is what it answers, after `delay` seconds, with `answer` for a body."""

    def __init__(self) -> None:
        self.port = 0
        self.status = 200
        self.delay = 0.0
        self.answer = b""
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"

    @property
    def spans(self) -> list[Span]:
        """All spans, in the order in which they ended."""
        return [span for body in self.bodies for span in _spans(body)]

    def named(self, name: str) -> Span:
        """Tell the one span of this name."""
        (span,) = [span for span in self.spans if span.name == name]
        return span

    def below(self, span: Span) -> list[Span]:
        """Tell the spans whose parent this one is."""
        return [each for each in self.spans if each.parent == span.id]

    async def take(self, request: web.Request) -> web.Response:
        assert request.headers["Content-Type"] == "application/x-protobuf"
        self.bodies.append(await request.read())
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        await asyncio.sleep(self.delay)
        return web.Response(status=self.status, body=self.answer)


def _spans(body: bytes) -> list[Span]:
    sent = ExportTraceServiceRequest()
    sent.ParseFromString(body)
    return [
        Span(
            span.name,
            span.kind,
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex(),
            span.trace_state,
            span.status.code,
            _values(span.attributes),
            _values(of_resource.resource.attributes),
        )
        for of_resource in sent.resource_spans
        for of_scope in of_resource.scope_spans
        for span in of_scope.spans
    ]


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """Run a collector on a free port."""
    collector = Collector()
    app = web.Application(client_max_size=2**24)
    app.router.add_post(PATH, collector.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    collector.port = runner.addresses[0][1]
    try:
        yield collector
    finally:
        await runner.cleanup()
