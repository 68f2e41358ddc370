"""Spans of email writes, for OpenTelemetry. Alone in knowing its SDK, which takes long to import: only where it is on.

Rule    A span has what the log has: no credential, no query, nothing of an email. Its values are bounded.
        Spans wait in memory, up to a number, and a thread sends them: a collector that is slow or down costs spans,
        never a request.
        A refusal (400) is no error of the server's; what Close, or the gateway, failed to answer in full is one.
Source  W3C Trace Context; OpenTelemetry, Semantic Conventions: HTTP Spans.
"""

import asyncio
import contextlib
import logging
import platform
import threading
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.typing import FilteringBoundLogger

from gateway import __version__
from gateway.config.settings import TracesSettings
from gateway.exchange import Exchange

MOST_HELD: Final = 2048
"""Spans that wait to be sent. Beyond it the oldest are dropped."""
BATCH: Final = 512
"""Spans that are sent at once."""
DELAY: Final = 2000
"""Milliseconds for which spans are gathered."""
LAST_EXPORT: Final = 2.0
"""Seconds that a stopping gateway waits for its last spans to be sent."""
SELDOM: Final = 60.0
"""Seconds between two events about a collector that does not take spans."""
MOST_READ: Final = 64 * 1024
"""Bytes of a collector's answer that are read."""
ROUTES: Final = {"create_email": "/api/v1/activity/email/", "update_email": "/api/v1/activity/email/{id}/"}
"""By the exchange's kind."""
QUESTIONS: Final = {
    "owner": "/api/v1/me/",
    "user": "/api/v1/user/{id}/",
    "stored_email": "/api/v1/activity/email/{id}/",
}
"""By the look-up's kind."""
SILENT: Final = logging.CRITICAL + 1
"""The SDK would write to standard error what failed, and what of a client's fields it could not read."""
PORTS: Final = {"http": 80, "https": 443}
PROPAGATOR: Final = TraceContextTextMapPropagator()
EXPORT_FAILED: Final = "traces_export_failed"


class Traces:
    """Sends the spans of a gateway to its collector."""

    def __init__(self, settings: TracesSettings, log: FilteringBoundLogger) -> None:
        logging.getLogger("opentelemetry").setLevel(SILENT)
        self._log = log
        self._exporter = Exporter(settings.endpoint or "", log)
        service = {"service.name": "close-gateway", "service.version": __version__, "host.name": platform.node()}
        self._provider = TracerProvider(
            ParentBasedTraceIdRatio(settings.sample),
            Resource.create(service).merge(OTELResourceDetector().detect()),  # what OTEL_… variables say goes first
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter, MOST_HELD, DELAY, BATCH))
        self._tracer = self._provider.get_tracer("close-gateway", __version__)

    def renew(self, log: FilteringBoundLogger) -> None:
        """Have what is told from now on logged there."""
        self._log = self._exporter.log = log

    def towards(self, upstream: str) -> "Tracing":
        """Give what traces exchanges on their way to this upstream: a URL of scheme, host and perhaps a port."""
        return Tracing(self._tracer, upstream)

    async def close(self) -> None:
        """Send what waits, for as long as a stopping gateway may take for it."""
        loop, sent = asyncio.get_running_loop(), asyncio.Event()

        def shut() -> None:
            self._provider.shutdown()
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(sent.set)

        threading.Thread(target=shut, name="traces-close", daemon=True).start()
        try:
            async with asyncio.timeout(LAST_EXPORT):
                await sent.wait()
        except TimeoutError:
            self._exporter.shutdown()  # no batch is tried again
            self._log.warning(EXPORT_FAILED, reason="no_time_left")


class Tracing:
    """Makes a trace of each exchange that it is called with, as a part of the client's where it sent one."""

    def __init__(self, tracer: Tracer, upstream: str) -> None:
        self.tracer = tracer
        self.upstream = upstream
        parts = urlsplit(upstream)
        self.server: dict[str, str | int] = {
            "server.address": parts.hostname or "",
            "server.port": parts.port or PORTS[parts.scheme],
        }

    def __call__(self, exchange: Exchange) -> "RequestTrace":
        return RequestTrace(self, exchange)


class RequestTrace:
    """A gateway.spans.Trace: a span of the request, one below it of the call to the upstream, others of look-ups."""

    __slots__ = ("_call", "_error", "_exchange", "_resent", "_status", "below", "span", "tracing")

    def __init__(self, tracing: Tracing, exchange: Exchange) -> None:
        self.tracing = tracing
        self._exchange = exchange
        name = f"{exchange.method} {ROUTES[exchange.kind]}"
        self.span = tracing.tracer.start_span(name, _parent(exchange), SpanKind.SERVER)
        self.below = set_span_in_context(self.span, Context())
        self._call: Span | None = None
        self._resent = 0
        self._status: int | None = None
        self._error: str | None = None

    def lookup(self, kind: str) -> "RequestLookup":
        return RequestLookup(self, kind)

    def forwarded(self) -> bytes:
        self._call = self.tracing.tracer.start_span(self._exchange.method, self.below, SpanKind.CLIENT)
        return _lines(self._call)

    def resent(self) -> None:
        self._resent += 1

    def answered(self, status: int) -> None:
        self._status = status

    def failed(self, code: str) -> None:
        self._error = code

    def end(self) -> None:
        exchange, span, error = self._exchange, self.span, self._error
        if error is None and not exchange.complete:
            error = "client_left"
        if self._call is not None:
            self._end_call(self._call, error)
        if span.is_recording():
            span.set_attributes(_facts(exchange))
            if exchange.status >= HTTPStatus.INTERNAL_SERVER_ERROR or not exchange.complete:
                _fail(span, error or str(exchange.status))
        span.end()

    def _end_call(self, span: Span, error: str | None) -> None:
        if span.is_recording():
            exchange, tracing = self._exchange, self.tracing
            span.set_attributes(tracing.server)
            span.set_attribute("http.request.method", exchange.method)
            span.set_attribute("url.full", tracing.upstream + exchange.path)
            if self._resent:
                span.set_attribute("http.request.resend_count", self._resent)
            _settle(span, self._status, error)
        span.end()


class RequestLookup:
    """A gateway.spans.Lookup. Where another request asks, or did, it has no span of a call below it."""

    __slots__ = ("_asked", "_below", "_kind", "_span", "_tracing")

    def __init__(self, trace: RequestTrace, kind: str) -> None:
        self._tracing = trace.tracing
        self._kind = kind
        self._span = self._tracing.tracer.start_span(f"lookup {kind}", trace.below)
        self._below = set_span_in_context(self._span, Context())
        self._asked = False

    def ask(self) -> "LookupCall":
        self._asked = True
        return LookupCall(self._tracing, self._below, QUESTIONS[self._kind])

    def end(self, outcome: str) -> None:
        span = self._span
        if span.is_recording():
            span.set_attribute("close_gateway.lookup.kind", self._kind)
            span.set_attribute("close_gateway.lookup.outcome", outcome)
            span.set_attribute("close_gateway.lookup.asked", self._asked)
            if outcome != "answered":
                _fail(span, outcome)
        span.end()


class LookupCall:
    """A gateway.spans.Call."""

    __slots__ = ("_question", "_span", "_tracing", "lines")

    def __init__(self, tracing: Tracing, below: Context, question: str) -> None:
        self._tracing = tracing
        self._question = question
        self._span = tracing.tracer.start_span(f"GET {question}", below, SpanKind.CLIENT)
        self.lines = _lines(self._span)

    def end(self, status: int | None, error: str | None) -> None:
        span = self._span
        if span.is_recording():
            span.set_attributes(self._tracing.server)
            span.set_attribute("http.request.method", "GET")
            span.set_attribute("url.template", self._question)
            _settle(span, status, error)
        span.end()


class Exporter(SpanExporter):
    """Sends spans over OTLP/HTTP, in the SDK's thread, and tells seldom that it could not."""

    def __init__(self, endpoint: str, log: FilteringBoundLogger) -> None:
        self.log = log
        self._session = Session()
        self._exporter = OTLPSpanExporter(endpoint, session=self._session)
        self._lost = 0
        self._told: float | None = None
        self._shut = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            self._lost += len(spans)
            now = time.monotonic()
            if self._told is None or now - self._told >= SELDOM:
                self.log.warning(EXPORT_FAILED, reason=self._session.outcome, lost=self._lost)
                self._told, self._lost = now, 0
        return result

    def shutdown(self) -> None:
        if not self._shut:
            self._shut = True
            self._exporter.shutdown()  # type: ignore[no-untyped-call]


class Session(requests.Session):
    """Keeps how the last request went, and reads no more of an answer than is worth it."""

    def __init__(self) -> None:
        super().__init__()
        self.outcome = "unsent"

    def request(self, *args: Any, **named: Any) -> requests.Response:
        try:
            answer = super().request(*args, **named | {"stream": True})
            answer.raw.read(MOST_READ)  # to its end, as a rule, and so the connection serves again
            answer.close()
        except requests.Timeout:
            self.outcome = "timed_out"
            raise
        except requests.ConnectionError:
            self.outcome = "unreachable"
            raise
        except Exception:
            self.outcome = "broken"
            raise
        self.outcome = f"status_{answer.status_code}"
        return answer


def _parent(exchange: Exchange) -> Context:
    """Read the client's trace context. Of several traceparents none is taken: which one is right would be a guess."""
    parents = exchange.values(b"traceparent")
    if len(parents) != 1:
        return Context()
    carrier = {"traceparent": [parents[0].decode("latin-1")]}
    if states := exchange.values(b"tracestate"):
        carrier["tracestate"] = [state.decode("latin-1") for state in states]
    return PROPAGATOR.extract(carrier, Context())


def _lines(span: Span) -> bytes:
    context = span.get_span_context()
    if not context.is_valid:  # OTEL_SDK_DISABLED
        return b""
    line = b"traceparent: 00-%032x-%016x-%02x\r\n" % (context.trace_id, context.span_id, context.trace_flags)
    state = context.trace_state.to_header()
    return line + b"tracestate: %b\r\n" % state.encode("latin-1") if state else line


def _facts(exchange: Exchange) -> dict[str, str | int]:
    """Give what the log tells of an exchange, under the names that tracing has for it."""
    facts: dict[str, str | int] = {
        "http.request.method": exchange.method,
        "http.route": ROUTES[exchange.kind],
        "url.scheme": exchange.scheme,
        "url.path": exchange.path,
        "client.address": exchange.client,
        "close_gateway.request_id": exchange.id,
    }
    if (user_agent := exchange.user_agent) is not None:
        facts["user_agent.original"] = user_agent
    if (credentials := exchange.credentials) is not None:
        facts["close_gateway.credential"] = credentials.fingerprint
    if exchange.status:
        facts["http.response.status_code"] = exchange.status
    if exchange.mark is not None:
        done, _, reported = exchange.mark.partition("; reported=")
        verdict, _, code = done.partition("; ")
        facts["close_gateway.verdict"] = verdict
        if code:
            facts["close_gateway.code"] = code
        if reported:
            facts["close_gateway.reported"] = reported
    return facts


def _settle(span: Span, status: int | None, error: str | None) -> None:
    """Tell how a call went: to who calls, 4xx is an error too."""
    if status is not None:
        span.set_attribute("http.response.status_code", status)
        if error is None and status >= HTTPStatus.BAD_REQUEST:
            error = str(status)
    if error is not None:
        _fail(span, error)


def _fail(span: Span, error: str) -> None:
    span.set_attribute("error.type", error)
    span.set_status(Status(StatusCode.ERROR))
