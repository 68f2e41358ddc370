"""A run: rounds of traffic with a rest after each, in which every account is settled and nothing may be left over."""

import asyncio
import contextlib
import signal
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.soak.clients import Client
from tests.soak.drain import drain
from tests.soak.faults import Fate
from tests.soak.gateway_process import MAX_CONNECTIONS, GatewayProcess
from tests.soak.ledger import Ledger
from tests.soak.traffic import Traffic
from tests.soak.upstream import Upstream

CLIENTS: Final = 24
LONGEST_ROUND: Final = 20.0
ROUNDS: Final = 3
"""At the least."""
REST: Final = 10.0
"""Seconds in which all has to come to rest."""
GROWTH_KIB: Final = 12 * 1024
"""Of resident memory from the first third of the rounds on, by the line through what was measured after each."""
OF_A_REQUEST: Final = frozenset({"upstream_failed", "request_broken", "request_rejected"})
OF_A_FAULT: Final = frozenset({"internal_error"})


class Failed(Exception):
    """What the soak found."""


@dataclass
class Report:
    """What was done, as far as it is done."""

    seed: int
    sent: int = 0
    fates: Counter[Fate] = field(default_factory=Counter)
    resident_kib: list[int] = field(default_factory=list)
    """After each round."""


class Soak:
    """The parts of a run."""

    def __init__(self, seed: int, say: Callable[[str], None], ledger: Ledger, upstream: Upstream) -> None:
        self.report = Report(seed)
        self._say = say
        self._ledger = ledger
        self._upstream = upstream
        self._gateway: GatewayProcess
        self._files = 0
        self._tasks = 0
        self._traffic = [Traffic(seed, number) for number in range(CLIENTS)]

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls, seed: int, say: Callable[[str], None]) -> AsyncIterator["Soak"]:
        """Start upstream and gateway, and see that both are gone afterwards."""
        ledger = Ledger()
        with tempfile.TemporaryDirectory(prefix="soak-") as folder:
            async with Upstream.running(ledger) as upstream:
                soak = cls(seed, say, ledger, upstream)
                soak._gateway = GatewayProcess(upstream.port, Path(folder))
                try:
                    await soak._gateway.ready()
                    soak._files = soak._gateway.files()
                    soak._tasks = await soak._gateway.tasks()
                    yield soak
                finally:
                    soak._gateway.kill()

    async def run(self, seconds: float) -> None:
        """Let the rounds follow each other, then stop the gateway under load. Raises Failed."""
        rounds = max(ROUNDS, round(seconds / LONGEST_ROUND))
        for number in range(1, rounds + 1):
            await self._round(seconds / rounds)
            await self._rest()
            self._tell(number, rounds)
            self._check()
        self._check_memory()
        await self._stop()
        self._check()
        self._say(f"stopped under load, exit code 0; {self._ledger.sent} requests in all, every one accounted for")

    async def _round(self, seconds: float) -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(seconds, stop.set)
        async with asyncio.TaskGroup() as group:
            for traffic in self._traffic:
                group.create_task(Client(self._gateway.port, self._ledger, traffic).go_on(stop))

    async def _rest(self) -> None:
        """Wait until nothing is under way, and check that nothing is left: the pool's connections are all there is."""
        end = time.monotonic() + REST
        while True:
            await asyncio.sleep(0.1)
            files, tasks = self._gateway.files(), await self._gateway.tasks()
            expected = self._files + self._upstream.open
            if not self._upstream.busy and tasks == self._tasks and files == expected:
                break
            if time.monotonic() > end:
                self._ledger.problems.append(
                    f"left over: {files} files open where {expected} should be, {tasks} tasks of {self._tasks}, "
                    f"{self._upstream.busy} requests at the upstream"
                )
                break
        if self._upstream.open > MAX_CONNECTIONS:
            self._ledger.problems.append(f"the pool holds {self._upstream.open} connections")
        self._settle()

    def _settle(self) -> None:
        for event in self._gateway.events():
            if event["event"] in OF_A_REQUEST:
                self._ledger.logged.setdefault(event["request_id"], []).append(event.get("reason") or event["event"])
            elif event["event"] == "lookup_failed":
                self._ledger.note(event["request_id"], f"look-up of {event['kind']}: {event['reason']}")
            elif event["event"] in OF_A_FAULT:
                self._ledger.problems.append(f"the gateway tells of a fault of its own: {event}")
        self._ledger.settle()
        self.report.sent, self.report.fates = self._ledger.sent, self._ledger.fates
        if errors := self._gateway.errors():
            self._ledger.problems.append(f"the gateway wrote to standard error: {errors}")

    def _tell(self, number: int, rounds: int) -> None:
        self.report.resident_kib.append(self._gateway.resident_kib())
        fates = " · ".join(f"{fate.value} {self.report.fates[fate]}" for fate in Fate)
        self._say(
            f"round {number}/{rounds}  {self.report.sent} requests: {fates}  "
            f"slowest {self._ledger.slowest:.1f} s  memory {self.report.resident_kib[-1] / 1024:.1f} MiB"
        )
        self._ledger.slowest = 0.0

    def _check(self) -> None:
        if problems := self._ledger.problems:
            more = f"\n... and {len(problems) - 20} more" if len(problems) > 20 else ""
            raise Failed(f"seed {self.report.seed}:\n" + "\n".join(problems[:20]) + more)

    def _check_memory(self) -> None:
        growth = grown(self.report.resident_kib[len(self.report.resident_kib) // 3 :])
        if growth > GROWTH_KIB:
            raise Failed(f"seed {self.report.seed}: memory grows, {self.report.resident_kib} KiB after each round")

    async def _stop(self) -> None:
        """Send SIGTERM while requests are under way: every one is answered, and the process ends well."""
        await drain(self._gateway.port, self._ledger, self._traffic, self._gateway.terminate)
        code = await self._gateway.exit_code()
        self._settle()
        if code != 0:
            self._ledger.problems.append(f"the gateway ended with {code} ({signal.SIGTERM.name} was sent)")


def grown(samples: list[int]) -> float:
    """Tell by how much the straight line through the samples rises from the first to the last (least squares)."""
    count = len(samples)
    middle = (count - 1) / 2
    spread = sum((at - middle) ** 2 for at in range(count))
    slope = sum((at - middle) * sample for at, sample in enumerate(samples)) / spread if spread else 0.0
    return slope * (count - 1)


async def soak(seconds: float, seed: int, say: Callable[[str], None]) -> Report:
    """Run for about so many seconds. Raises Failed."""
    async with Soak.started(seed, say) as running:
        await running.run(seconds)
        return running.report
