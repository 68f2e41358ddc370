"""A worker as its supervisor sees it: a process, and what it answers."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, Protocol, Self

from structlog.typing import FilteringBoundLogger

from gateway.config.settings import Settings
from gateway.shares import Shares
from gateway.snapshot import Snapshot
from gateway.workers.channel import Channel, ClosePort, Look, Renew, Start, Stop, Stopped

LOOK: Final = 1.0
"""Seconds that a worker has to tell how it does, before what it told last is taken."""


LAST_WORDS: Final = 5.0
"""Seconds that a worker that is done has to end: its log may have to wait for its reader."""


class WorkerGone(Exception):
    """It has ended, or is about to, or does not answer."""


class WorkerHangs(WorkerGone):
    """It does not answer."""


class Common(Protocol):
    """What all workers have in common."""

    settings: Settings
    key: bytes
    shares: Shares
    log: FilteringBoundLogger

    @property
    def sockets(self) -> Sequence[socket.socket]: ...


class Child:
    """One process. `settings` are those in force there, `last` is what it told of itself last."""

    def __init__(self, process: Process, channel: Channel, settings: Settings) -> None:
        self.process = process
        self.settings = settings
        self.last = Snapshot()
        self.ready = False
        self._channel = channel
        self._questions = 0
        self._asked: dict[int, asyncio.Future[Any]] = {0: asyncio.get_running_loop().create_future()}
        self._hearing = asyncio.create_task(self._hear())

    @classmethod
    async def start(cls, common: Common, place: int) -> Self:
        """Start a process at this place, and hand it the sockets. Raises OSError."""
        ours, its = socket.socketpair()
        settings, shares = common.settings, common.shares.descriptor
        numbers = tuple(listening.fileno() for listening in common.sockets)
        # It imports what this one did, from where this one did, and nothing that happens to lie where it is started.
        variables = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        try:
            with its:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-P",
                    "-m",
                    "gateway.workers.worker",
                    str(its.fileno()),
                    stdin=DEVNULL,
                    start_new_session=True,  # Ctrl-C and the end of a terminal are the supervisor's to heed
                    pass_fds=(its.fileno(), shares, *numbers),
                    env=variables,
                )
        except OSError:
            ours.close()
            raise
        channel = await Channel.over(ours)
        channel.send(Start(settings, common.key, numbers, shares, place))
        return cls(process, channel, settings)

    async def until_ready(self, within: float) -> None:
        """Wait until it serves. Raises WorkerGone."""
        await self._answer(0, within)
        self.ready = True
        self.last = Snapshot(serving=1)

    async def look(self, within: float = LOOK) -> Snapshot:
        """Have it tell how it does. Raises WorkerGone."""
        self.last = await self._ask(Look(), within)
        return self.last

    async def renew(self, settings: Settings, within: float) -> str | None:
        """Put these settings in force there; None, or why it could not. Raises WorkerGone."""
        failure: str | None = await self._ask(Renew(settings), within)
        if failure is None:
            self.settings = settings
        return failure

    async def close_port(self, within: float = LOOK) -> None:
        """Have it accept no more. Raises WorkerGone."""
        await self._ask(ClosePort(), within)

    async def stop(self, within: float) -> int:
        """Have it finish and end; tell how many requests it cut off. One that takes longer is killed."""
        cut_off = 0
        with suppress(WorkerGone):
            stopped: Stopped = await self._ask(Stop(), within)
            self.last, cut_off = stopped.last, stopped.cut_off
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS):
                await self.process.wait()
        self.kill()
        return cut_off

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()

    def close(self) -> None:
        """Let go of what belongs to a process that has ended."""
        self.ready = False
        self._hearing.cancel()
        self._channel.close()
        self._lost()

    async def _ask(self, question: object, within: float) -> Any:
        if self._hearing.done():
            raise WorkerGone
        self._questions += 1
        number = self._questions
        self._asked[number] = asyncio.get_running_loop().create_future()
        self._channel.send((number, question))
        return await self._answer(number, within)

    async def _answer(self, number: int, within: float) -> Any:
        try:
            async with asyncio.timeout(within):
                return await self._asked[number]
        except TimeoutError:
            raise WorkerHangs from None
        finally:
            self._asked.pop(number, None)

    async def _hear(self) -> None:
        try:
            while True:
                number, answer = await self._channel.receive()
                if (waiting := self._asked.get(number)) is not None and not waiting.done():
                    waiting.set_result(answer)
        except EOFError:
            self._lost()

    def _lost(self) -> None:
        for waiting in self._asked.values():
            if not waiting.done():
                waiting.set_exception(WorkerGone())
                waiting.exception()  # seen, where nobody waits
