"""A place for a worker: one is started there, watched, and replaced when it dies or hangs.

Rule    The first replacement comes at once. One that dies soon again waits, twice as long each time, so that what
        cannot start costs little; after a quiet while that is forgotten.
"""

import asyncio
import signal
from contextlib import suppress
from dataclasses import dataclass

from gateway.snapshot import Snapshot, merged, of_the_past
from gateway.workers.child import LAST_WORDS, Child, Common, WorkerGone, WorkerHangs


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often and how long, in seconds."""

    start: float = 30.0
    """In which a worker has to serve."""
    beat: float = 1.0
    """Between two looks at a worker."""
    patience: float = 5.0
    """For which a worker may not answer, before it counts as hung and is killed."""
    first_pause: float = 0.5
    longest_pause: float = 30.0
    """Before a worker is started where others have died one after the other."""
    quiet: float = 60.0
    """That a worker lives before what went before it is forgotten."""

    def pause(self, failures: int) -> float:
        """Tell how long to wait after so many that died in a row."""
        return min(self.first_pause * 2.0 ** min(failures - 2, 32), self.longest_pause) if failures > 1 else 0.0


class Slot:
    """`restarts` counts the workers that came after the first. `past` adds up what those did that are gone."""

    def __init__(self, number: int, common: Common, rhythm: Rhythm) -> None:
        self._number = number
        self._common = common
        self._rhythm = rhythm
        self._stopping = False
        self._work: asyncio.Task[None] | None = None
        self.tried = asyncio.Event()
        """Set once the first worker serves, or has ended without."""
        self.child: Child | None = None
        self.restarts = 0
        self.past = Snapshot()

    def start(self) -> None:
        self._work = asyncio.create_task(self._go_on())

    @property
    def serving(self) -> Child | None:
        """The worker, where it serves."""
        return self.child if self.child is not None and self.child.ready else None

    async def look(self) -> Snapshot:
        """Add up what this place's workers did; of one that does not answer, what it told last."""
        child = self.serving
        if child is None:
            return self.past
        with suppress(WorkerGone):
            await child.look()
        return self.past if child is not self.serving else merged((self.past, child.last))

    async def renew(self, child: Child) -> None:
        """Have the settings that are in force in force there. Who cannot have them is replaced by one that starts so.

        Raises WorkerGone.
        """
        if await child.renew(self._common.settings, self._rhythm.patience) is not None:
            child.kill()

    async def close_port(self) -> None:
        """Have the worker accept no more, and start no other."""
        self._stopping = True
        if self.child is not None:
            with suppress(WorkerGone):
                await self.child.close_port()

    async def stop(self, within: float) -> int:
        """Stop the worker and start no other; tell how many requests were cut off."""
        self._stopping = True
        cut_off = 0 if self.child is None else await self.child.stop(within)
        if self._work is not None:
            if self.child is None:
                self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
        return cut_off

    async def _go_on(self) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            since = loop.time()
            try:
                how = _ended(await self._one())
            except OSError as error:  # no process can be started, or no file opened
                how = {"reason": error.strerror}
            self.tried.set()
            if self._stopping:
                return
            failures = 1 if loop.time() - since >= self._rhythm.quiet else failures + 1
            pause = self._rhythm.pause(failures)
            self._common.log.warning("worker_died", worker=self._number, **how, restart_in=pause)
            await asyncio.sleep(pause)
            self.restarts += 1

    async def _one(self) -> int:
        """Run a worker to its end; give its exit code, or the signal that ended it as a negative number."""
        common = self._common
        child = self.child = await Child.start(common, self._number - 1)
        watching = asyncio.create_task(self._watch(child))
        try:
            return await child.process.wait()
        finally:
            watching.cancel()
            child.close()
            common.shares.of(self._number - 1).leave()
            self.past = merged((self.past, of_the_past(child.last)))
            self.child = None

    async def _watch(self, child: Child) -> None:
        """Look at the worker now and then, and kill it where it does not answer."""
        rhythm, common = self._rhythm, self._common
        try:
            await child.until_ready(rhythm.start)
            if child.settings is not common.settings:  # a reload came in between
                await self.renew(child)
            common.log.info("worker_started", worker=self._number, pid=child.process.pid)
            self.tried.set()
            while True:
                await asyncio.sleep(rhythm.beat)
                await child.look(rhythm.patience)
        except WorkerHangs:
            if not self._stopping:
                common.log.error("worker_hangs", worker=self._number, pid=child.process.pid)  # noqa: TRY400 - no fault
                child.kill()
        except WorkerGone:
            await asyncio.sleep(LAST_WORDS)  # on its way out; this is cancelled once it is
            child.kill()


def _ended(code: int) -> dict[str, object]:
    if code >= 0:
        return {"exit_code": code}
    try:
        return {"signal": signal.Signals(-code).name}
    except ValueError:
        return {"signal": -code}
