import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tests.bench import traffic, upstream
from tests.bench.ask import Answer
from tests.bench.load import Figures, WrongAnswer, closed_loop, open_loop
from tests.bench.upstream import LEAD_ANSWER, LEAD_BODY, Seen

EXPECTED = Answer(200, len(LEAD_BODY), LEAD_BODY)
STALL = 0.1


@asynccontextmanager
async def running(seen: Seen) -> AsyncIterator[int]:
    """Run the bench's upstream; gives its port."""
    server = await upstream.listen(0, seen)
    async with server:
        yield server.sockets[0].getsockname()[1]


class Faulty(asyncio.Protocol):
    """Answers the first requests rightly, then otherwise."""

    def __init__(self, otherwise: Callable[[asyncio.Transport], None]) -> None:
        self._left = 20
        self._otherwise = otherwise

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert data == traffic.GET.data
        self._left -= 1
        if self._left > 0:
            self._transport.write(LEAD_ANSWER)
        else:
            self._otherwise(self._transport)


@asynccontextmanager
async def running_faulty(otherwise: Callable[[asyncio.Transport], None]) -> AsyncIterator[int]:
    """Run an upstream that goes wrong; gives its port."""
    server = await asyncio.get_running_loop().create_server(lambda: Faulty(otherwise), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def load(port: int, connections: int = 4) -> Figures:
    """A short closed loop. The CPU clock it is given says 1,000 ns at the beginning and 5,000 at the end."""
    return await closed_loop(
        port,
        traffic.GET.data,
        EXPECTED,
        warm_up=0.05,
        seconds=0.1,
        cpu_ns=iter((1000, 5000)).__next__,
        connections=connections,
    )


async def test_the_closed_loop_counts_what_the_upstream_counts() -> None:
    """No request is lost or invented: those of the warm-up and the last ones are the only ones left out."""
    seen = Seen()
    async with running(seen) as port:
        figures = await load(port)
    assert 0 < figures.requests < seen.counts["get"]
    assert figures.requests == len(figures.latencies)
    assert figures.cpu_ns == 4000
    assert 0.1 <= figures.seconds < 1
    assert 0 < figures.percentile(0.5) <= figures.percentile(0.99) <= figures.latencies[-1] / 1000


async def test_the_open_loop_keeps_its_rate() -> None:
    """A request is due every 5 ms, for 0.3 s."""
    seen = Seen()
    async with running(seen) as port:
        figures = await open_loop(port, traffic.GET.data, EXPECTED, rate=200, warm_up=0, seconds=0.3, connections=4)
    assert figures.requests == seen.counts["get"] == 60


async def test_the_open_loop_does_not_hide_a_stall() -> None:
    """While the only connection waits, requests go on falling due, and their waiting counts as latency.

    From the twentieth on an answer takes 0.1 s; four are due behind it, so that the last one waits for five.
    """

    def stall(transport: asyncio.Transport) -> None:
        asyncio.get_running_loop().call_later(STALL, transport.write, LEAD_ANSWER)

    async with running_faulty(stall) as port:
        figures = await open_loop(port, traffic.GET.data, EXPECTED, rate=200, warm_up=0, seconds=0.12, connections=1)
    assert figures.requests == 24
    assert len([latency for latency in figures.latencies if latency > 0.9 * STALL * 1e9]) == 5
    assert figures.latencies[-1] > 4 * STALL * 1e9


@pytest.mark.parametrize(
    ("otherwise", "complaint"),
    [
        (lambda transport: transport.write(LEAD_ANSWER.replace(b"200 OK", b"502 No")), "HTTP/1.1 502"),
        (lambda transport: transport.write(upstream.answer(b"{}")), "HTTP/1.1 200, 2 bytes: {}"),
        (lambda transport: transport.close(), "hung up"),
    ],
)
async def test_a_wrong_answer_ends_the_run(otherwise: Callable[[asyncio.Transport], None], complaint: str) -> None:
    """A proxy that fails under load is not to be praised for its speed."""
    async with running_faulty(otherwise) as port:
        with pytest.raises(WrongAnswer, match=complaint):
            await load(port)


async def test_a_proxy_that_does_not_answer_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run ends all the same."""
    monkeypatch.setattr("tests.bench.load.GRACE", 0.05)
    async with running_faulty(lambda _: None) as port:
        with pytest.raises(TimeoutError):
            await load(port)
