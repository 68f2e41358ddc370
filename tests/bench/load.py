"""The load: many kept-alive connections that send one request over and over, and check each answer.

Closed loop   Each connection sends as soon as its answer is in: how much does the proxy take, and at what cost?
Open loop     Requests are due at a fixed rate, whatever comes back: how long does one take? Counted from the sending,
              or, where every connection was still waiting, from when the request was due, so that a stalled proxy
              does not hide behind requests that were never sent.
"""

import asyncio
import time
from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from tests.bench.ask import Answer
from tests.bench.reader import MessageReader

CONNECTIONS: Final = 32
GRACE: Final = 10.0
"""Seconds beyond its own duration until a run counts as stuck."""


class WrongAnswer(Exception):
    """The proxy answered otherwise than it did when it was proven right, or hung up."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run found between the end of its warm-up and its own end."""

    requests: int
    seconds: float
    cpu_ns: int
    latencies: "array[int]"
    """Nanoseconds, sorted."""

    def percentile(self, share: float) -> float:
        """The latency in microseconds that this share of the requests did not exceed."""
        place = min(int(len(self.latencies) * share), len(self.latencies) - 1)
        return self.latencies[place] / 1000


class _Load:
    """What the connections of one run share."""

    def __init__(self, request: bytes, expected: Answer) -> None:
        self.request = request
        self.status = b"%d" % expected.status
        self.length = expected.length
        self.latencies = array("q")
        self.connections: list[_Connection] = []
        self.idle: deque[_Connection] = deque()
        self.waiting: deque[int] = deque()
        """When the requests were due that found no idle connection: the open loop's alone."""
        self.closed_loop = False
        self.stopped = False
        self.failure = asyncio.get_running_loop().create_future()

    def fail(self, reason: str) -> None:
        if not self.stopped and not self.failure.done():
            self.failure.set_exception(WrongAnswer(reason))

    async def run_for(self, seconds: float) -> None:
        """Let the run go on, unless an answer is wrong."""
        done, _ = await asyncio.wait([self.failure], timeout=seconds)
        if done:
            self.failure.result()

    async def connect(self, port: int, connections: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            _, connection = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", port)
            self.connections.append(connection)
            self.idle.append(connection)

    async def drain(self) -> None:
        """Wait for the answers that are under way, so that no proxy has to deal with a client that left."""
        while self.waiting or len(self.idle) < len(self.connections):
            await self.run_for(0.001)

    def close(self) -> None:
        self.stopped = True
        for connection in self.connections:
            connection.transport.abort()


class _Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._reader = MessageReader(self._answered, answers=True)
        self.data_received = self._reader.feed  # type: ignore[method-assign] # spares a call for each answer
        self._since = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def send(self, since: int) -> None:
        self._since = since
        self.transport.write(self._load.request)

    def _answered(self, head: bytes, length: int, body: bytes) -> None:
        load, now = self._load, time.perf_counter_ns()
        if head[9:12] != load.status or length != load.length:
            load.fail(f"{head[:12].decode(errors='replace')}, {length} bytes: {body[:80].decode(errors='replace')}")
            return
        load.latencies.append(now - self._since)
        if load.closed_loop:
            self.send(now)
        elif load.waiting:
            self.send(load.waiting.popleft())
        else:
            load.idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.fail(f"hung up: {exc!r}" if exc else "hung up")


async def closed_loop(
    port: int,
    request: bytes,
    expected: Answer,
    *,
    warm_up: float,
    seconds: float,
    cpu_ns: Callable[[], int],
    connections: int = CONNECTIONS,
) -> Figures:
    """Load the proxy as much as it bears."""
    load = _Load(request, expected)
    try:
        async with asyncio.timeout(warm_up + seconds + GRACE):
            await load.connect(port, connections)
            load.closed_loop = True
            while load.idle:
                load.idle.popleft().send(time.perf_counter_ns())
            await load.run_for(warm_up)
            first, began, cpu = len(load.latencies), time.perf_counter(), cpu_ns()
            await load.run_for(seconds)
            last, ended, cpu = len(load.latencies), time.perf_counter(), cpu_ns() - cpu
            load.closed_loop = False
            await load.drain()
    finally:
        load.close()
    return _figures(load.latencies[first:last], ended - began, cpu)


async def open_loop(
    port: int,
    request: bytes,
    expected: Answer,
    *,
    rate: int,
    warm_up: float,
    seconds: float,
    connections: int = CONNECTIONS,
) -> Figures:
    """Send at a fixed rate and see how long the answers take."""
    load = _Load(request, expected)
    try:
        async with asyncio.timeout(warm_up + seconds + GRACE):
            await load.connect(port, connections)
            await _send_at_rate(load, rate, warm_up)
            await load.drain()
            first, began = len(load.latencies), time.perf_counter()
            await _send_at_rate(load, rate, seconds)
            await load.drain()
            ended = time.perf_counter()
    finally:
        load.close()
    return _figures(load.latencies[first:], ended - began, 0)


async def _send_at_rate(load: _Load, rate: int, seconds: float) -> None:
    due, step = time.perf_counter_ns(), 1_000_000_000 // rate
    end = due + int(seconds * 1e9)
    while due < end:
        now = time.perf_counter_ns()
        while due <= now and due < end:
            if load.idle:
                load.idle.popleft().send(time.perf_counter_ns())
            else:
                load.waiting.append(due)
            due += step
        await load.run_for((due - time.perf_counter_ns()) / 1e9)


def _figures(latencies: "array[int]", seconds: float, cpu_ns: int) -> Figures:
    if not latencies:
        raise WrongAnswer("no answer within the time of the run")
    return Figures(len(latencies), seconds, cpu_ns, array("q", sorted(latencies)))
