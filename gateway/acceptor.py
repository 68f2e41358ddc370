"""Accepts connections, to be opened by whoever can; from a socket that other processes accept from too, its share.

Rule    One connection at a time; and where another process has fewer, it is left to that one for a moment. An event
        loop's own server takes all that wait at once: of two idle processes, the first to wake had 64 of 64.
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Final

from gateway.shares import Share
from gateway.sockets import BACKLOG

MOMENT: Final = 0.001
"""Seconds for which a connection is left to a process that has fewer. It may be busy, or hang."""
SHORT_OF_FILES: Final = 0.5
"""Seconds for which nothing is accepted where no file can be opened for it."""


class Acceptor:
    """Accepts until it is closed. `open_` is given each connection and its address; `share` is None where nobody else
    accepts.
    """

    def __init__(
        self,
        listening: socket.socket,
        open_: Callable[[socket.socket, object], Coroutine[Any, Any, None]],
        share: Share | None,
    ) -> None:
        self._listening = listening
        self._open = open_
        self._share = share
        self._loop = asyncio.get_running_loop()
        self._opening: set[asyncio.Task[Any]] = set()
        self._again: asyncio.TimerHandle | None = None
        listening.setblocking(False)
        self._loop.add_reader(listening, self._came)

    def close(self) -> None:
        """Accept what waits, for nobody else may, and no more."""
        if self._again is not None:
            self._again.cancel()
        if self._share is not None:
            self._share.leave()
        self._loop.remove_reader(self._listening)
        for _ in range(BACKLOG):
            if not self._accept():
                break
        self._listening.close()

    def _came(self) -> None:
        if self._share is not None and self._share.enough:
            self._rest(MOMENT)
        else:
            self._take()

    def _rest(self, seconds: float) -> None:
        self._loop.remove_reader(self._listening)
        self._again = self._loop.call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        self._again = None
        self._loop.add_reader(self._listening, self._came)
        self._take()

    def _take(self) -> None:
        """Take one, whoever has fewer: the moment is over."""
        if self._accept() is None:
            self._rest(SHORT_OF_FILES)

    def _accept(self) -> bool | None:
        """Take one; whether there was one, and None where no file could be opened for it."""
        try:
            connection, address = self._listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return False  # another process was quicker, or the client has left
        except OSError:
            return None
        connection.setblocking(False)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = self._loop.create_task(self._open(connection, address))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        return True
