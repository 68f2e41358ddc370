"""A traced email write, at each front: its span goes on up the road, with its verdict."""

from gateway.config.settings import TracesSettings
from tests.collector import collecting
from tests.forwarding.emails import DRAFT, write
from tests.fronts.fronts import Runs
from tests.raw import ask, values
from tests.recording import recording

PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_the_trace_of_an_email_write_goes_on(in_front: Runs) -> None:
    """What goes up hangs on the gateway's span, which hangs on the client's; a state without one ends."""
    async with collecting() as collector, recording() as upstream:
        async with in_front(upstream.url, traces=TracesSettings(endpoint=collector.endpoint)) as gateway:
            await ask(gateway.port, write(DRAFT, b"traceparent: %b\r\ntracestate: a=1\r\n" % PARENT))
            await ask(gateway.port, write(DRAFT, b"traceparent: amiss\r\ntracestate: a=1\r\n"))
        assert [values(request.head, b"tracestate") for request in upstream.requests] == [[b"a=1"], []]
        (parent,) = values(upstream.requests[0].head, b"traceparent")
        _, trace, span, _ = parent.decode().split("-")
        assert trace == PARENT.decode().split("-")[1]
        assert span != PARENT.decode().split("-")[2]
        assert collector.spans
        assert trace in {found.trace for found in collector.spans}
        assert "forwarded" in {found.facts.get("close_gateway.verdict") for found in collector.spans}
