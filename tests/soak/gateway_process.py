"""The gateway as a user starts it: a process of its own, looked at through /proc and stopped by its id."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.following import Following

ROOT: Final = Path(__file__).parents[2]
PEEPHOLE: Final = Path(__file__).parent / "peephole"
START_LIMIT: Final = 20.0
STOP_LIMIT: Final = 20.0
PEEK_LIMIT: Final = 5.0
SETTINGS: Final = {  # small enough to be reached, long enough not to be
    "CLOSE_GATEWAY_UPSTREAM__MAX_CONNECTIONS": "16",
    "CLOSE_GATEWAY_UPSTREAM__CONNECT_TIMEOUT": "15",
    "CLOSE_GATEWAY_UPSTREAM__TIMEOUT": "15",
    "CLOSE_GATEWAY_IDENTITY__MAX_ENTRIES": "100",
    "CLOSE_GATEWAY_LOOKUPS__TIMEOUT": "10",
    "CLOSE_GATEWAY_LOOKUPS__BREAKER_FAILURES": "1000000",
}
MAX_CONNECTIONS: Final = int(SETTINGS["CLOSE_GATEWAY_UPSTREAM__MAX_CONNECTIONS"])


class Died(Exception):
    """The gateway's process ended, or does not say what it is asked."""


class GatewayProcess:
    """A gateway in front of the upstream at this port; `folder` takes what it writes."""

    def __init__(self, upstream_port: int, folder: Path) -> None:
        self._out = folder / "gateway.out"
        self._err = folder / "gateway.err"
        self._peek = folder / "tasks"
        self._store = folder / "rejections.sqlite3"
        self._log = Following(self._out)
        self.port = 0
        variables = {name: value for name, value in os.environ.items() if not name.startswith("CLOSE_GATEWAY_")}
        variables |= {"PYTHONPATH": f"{PEEPHOLE}{os.pathsep}{ROOT}", "SOAK_PEEPHOLE": str(self._peek), **SETTINGS}
        variables["CLOSE_GATEWAY_REJECTIONS__STORE"] = str(self._store)
        upstream = f"http://127.0.0.1:{upstream_port}"
        command = ["serve", "--upstream", upstream, "--listen", "127.0.0.1:0", "--admin", "off"]
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._popen = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "gateway", *command], stdout=out, stderr=err, cwd=folder, env=variables
            )

    async def ready(self) -> None:
        """Wait until it says where it listens."""
        end = time.monotonic() + START_LIMIT
        while time.monotonic() < end and self.alive:
            for event in self.events():
                if event["event"] == "gateway_started":
                    self.port = int(event["listen"].rpartition(":")[2])
                    return
            await asyncio.sleep(0.02)
        raise Died(f"It did not start: {self.errors()}")

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def events(self) -> Iterator[dict[str, Any]]:
        """Read what the log has got since the last time, line by line."""
        return self._log.new()

    def errors(self) -> str:
        """What it wrote to standard error: nothing, if all is well."""
        return self._err.read_text(encoding="utf-8", errors="replace")

    def files(self) -> int:
        """Count the file descriptors that are open, but for those of the store, which opens files as it needs them."""
        opened = 0
        for descriptor in Path(f"/proc/{self._popen.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed since
                opened += not os.readlink(descriptor).startswith(str(self._store))  # noqa: PTH115 - no file's path
        return opened

    def resident_kib(self) -> int:
        status = Path(f"/proc/{self._popen.pid}/status").read_text(encoding="utf-8")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))

    async def tasks(self) -> int:
        """Ask how many tasks there are."""
        self._peek.unlink(missing_ok=True)
        self._popen.send_signal(signal.SIGUSR2)
        end = time.monotonic() + PEEK_LIMIT
        while not self._peek.exists():
            if time.monotonic() > end:
                raise Died(f"It does not tell its tasks: {self.errors()}")
            await asyncio.sleep(0.005)
        return int(self._peek.read_text(encoding="ascii"))

    def terminate(self) -> None:
        self._popen.send_signal(signal.SIGTERM)

    async def exit_code(self) -> int:
        """Wait for its end. Raises TimeoutExpired."""
        return await asyncio.to_thread(self._popen.wait, STOP_LIMIT)

    def kill(self) -> None:
        """See that it is gone, whatever happened."""
        if self.alive:
            self._popen.kill()
        self._popen.wait()
