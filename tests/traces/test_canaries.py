"""What is nobody's business is in no span either, whatever becomes of a request."""

import asyncio

import pytest

from gateway.config.settings import TracesSettings
from tests.collector import Collector
from tests.forwarding.emails import EMAILS
from tests.forwarding.test_canaries import CANARIES, CASES, Case
from tests.gateways import running
from tests.raw import connected
from tests.recording import recording

WRITES = (b"POST " + EMAILS, b"PUT " + EMAILS)
TRACED = {
    name: case for name, case in CASES.items() if case.request.startswith(WRITES) and case.event != "gateway_started"
}
"""Those that are intercepted: of the others there are no spans."""


@pytest.mark.parametrize("case", TRACED.values(), ids=TRACED)
async def test_no_canary_gets_into_a_span(case: Case, collector: Collector) -> None:
    """The request has its spans, and none of them holds a word of it."""
    traces = TracesSettings(endpoint=collector.endpoint)
    async with (
        recording(case.script) as upstream,
        running(upstream.url, traces=traces, **case.sections) as gateway,
        connected(gateway.port) as client,
    ):
        await client.send(case.request)
        if case.later:
            await asyncio.sleep(0.05)
            await client.send(case.later)
        assert int((await client.head())[9:12]) == case.status
    sent = b"".join(collector.bodies).lower()
    assert collector.spans
    assert [canary for canary in CANARIES if canary in sent] == []
