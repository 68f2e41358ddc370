"""A worker: takes requests from sockets that it was handed, and orders from its supervisor.

Rule    Signals of a terminal are the supervisor's to heed. SIGTERM has a worker finish what is in flight and end.
Rule    Without a supervisor it does so too; and where it was finishing already, at its supervisor's word, it ends at
        once, since then somebody wants an end.
"""

import asyncio
import os
import signal
import socket
import sys
from typing import Any

from gateway.process import run, the_log
from gateway.rejections.store import Store
from gateway.serving import Serving
from gateway.shares import Shares
from gateway.workers.channel import Channel, ClosePort, Look, Renew, Start, Stop, Stopped


def main() -> None:
    """Run the worker whose end of the channel is the file descriptor named on the command line."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    run(_work(socket.socket(fileno=int(sys.argv[1]))))


async def _work(end: socket.socket) -> None:
    channel = await Channel.over(end)
    try:
        start: Start = await channel.receive()
    except EOFError:
        return
    location = start.settings.rejections.store
    store = None if location is None else Store(location)
    serving = Serving(start.settings, start.fingerprint_key, store, the_log(start.settings))
    share = Shares(start.shares, start.settings.process.workers).of(start.place)
    await serving.start([socket.socket(fileno=number) for number in start.sockets], share)
    worker = _Worker(channel, serving)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.ending.set)
    channel.send((0, None))
    await worker.work()


class _Worker:
    """Answers the supervisor until the end."""

    def __init__(self, channel: Channel, serving: Serving) -> None:
        self._channel = channel
        self._serving = serving
        self._told_to_stop: int | None = None
        self.ending = asyncio.Event()

    async def work(self) -> None:
        hearing = asyncio.create_task(self._hear())
        await self.ending.wait()
        cut_off = await self._serving.drain()
        await self._serving.close()
        await self._serving.close_store()
        if self._told_to_stop is not None:
            self._channel.send((self._told_to_stop, Stopped(cut_off, self._serving.snapshot())))
            await self._channel.sent()
        hearing.cancel()
        self._channel.close()

    async def _hear(self) -> None:
        while True:
            try:
                number, question = await self._channel.receive()
            except EOFError:
                if self._told_to_stop is not None:
                    os._exit(1)
                self.ending.set()
                return
            if isinstance(question, Stop):
                self._told_to_stop = number
                self.ending.set()
            else:
                self._channel.send((number, await self._answer(question)))

    async def _answer(self, question: Look | ClosePort | Renew) -> Any:
        if isinstance(question, Look):
            return self._serving.snapshot()
        if isinstance(question, ClosePort):
            self._serving.listener.close_port()
            return None
        try:
            await self._serving.renew(question.settings)
        except OSError as error:
            return (error.strerror or type(error).__name__).lower()
        return None


if __name__ == "__main__":
    main()
