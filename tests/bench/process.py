"""A process that the bench starts, pins or not, watches and stops by its id; its children are counted with it.

Source  proc(5). CPU time is the first number of /proc/PID/task/TID/schedstat, in nanoseconds; where the kernel keeps
        none, utime and stime of /proc/PID/stat, in clock ticks. Resident memory is VmRSS, its peak is VmHWM, which
        writing 5 to /proc/PID/clear_refs sets back.
"""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.bench.ask import NoAnswer, ask
from tests.bench.machine import pinned
from tests.bench.traffic import GET

ROOT: Final = Path(__file__).parents[2]
START_LIMIT: Final = 20.0
"""Seconds until a process that does not answer counts as broken."""
STOP_LIMIT: Final = 3.0
"""Seconds from SIGTERM to SIGKILL."""
TICK_NS: Final = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


class NotReady(Exception):
    """A process ended or stayed silent instead of answering."""


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """A server process with what it prints in a file of its own. It runs on one core, or None: where the bench may."""

    def __init__(self, command: Sequence[str], *, port: int, core: int | None, folder: Path) -> None:
        self.port = port
        self._output = folder / f"{port}.log"
        variables = {name: value for name, value in os.environ.items() if not name.startswith("CLOSE_GATEWAY_")}
        # What a peer keeps for its user, as the gateway its store of rejections, goes with the run.
        variables |= {"PYTHONPATH": str(ROOT), "HOME": str(folder)}
        self._started = time.perf_counter()
        pinning = contextlib.nullcontext() if core is None else pinned(core)
        with pinning, self._output.open("wb") as output:
            self._popen = subprocess.Popen(  # noqa: S603 # the command is the bench's own
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder, env=variables
            )

    def wait_ready(self) -> float:
        """Wait for the first answer to a GET; tell how many seconds after the start it came."""
        while (elapsed := time.perf_counter() - self._started) < START_LIMIT:
            with contextlib.suppress(OSError, NoAnswer):
                if ask(self.port, GET.data, timeout=START_LIMIT).status == GET.status:
                    return time.perf_counter() - self._started
            if self._popen.poll() is not None:
                raise NotReady(f"ended with {self._popen.returncode}: {self.last_words()}")
            time.sleep(0.001)
        raise NotReady(f"no answer within {elapsed:.0f} s: {self.last_words()}")

    def wait_printed(self, text: str) -> None:
        """Wait until the process has printed a text, some time since its start."""
        while text not in self._printed():
            if self._popen.poll() is not None or time.perf_counter() - self._started > START_LIMIT:
                raise NotReady(f"never said {text}: {self.last_words()}")
            time.sleep(0.01)

    def _printed(self) -> str:
        return self._output.read_text(encoding="utf-8", errors="replace")

    def last_words(self) -> str:
        """Give the last line that the process printed."""
        lines = self._printed().strip().splitlines()
        return lines[-1][:200] if lines else "it printed nothing"

    def stop(self) -> None:
        self._popen.terminate()
        try:
            self._popen.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()

    def tree(self) -> "Tree":
        return Tree(self._popen.pid)


class Tree:
    """A process and its descendants, as they are now."""

    def __init__(self, pid: int) -> None:
        self.pids = [pid]
        parents = _parents()
        for known in self.pids:  # grows while it is walked
            self.pids.extend(child for child, parent in parents.items() if parent == known)

    def cpu_ns(self) -> int:
        """CPU time spent since the processes started, by the threads that live."""
        return sum(map(_cpu_ns, self.pids))

    def rss_kib(self) -> int:
        return sum(_status_kib(pid, "VmRSS:") for pid in self.pids)

    def peak_kib(self) -> int:
        """The peak of each process, added up: no less than the peak of the sum."""
        return sum(_status_kib(pid, "VmHWM:") for pid in self.pids)

    def forget_peak(self) -> None:
        """Let the peak start from what is resident now."""
        for pid in self.pids:
            Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def _parents() -> dict[int, int]:
    """Map the id of every process to that of its parent."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(folder.name)] = int(_stat(int(folder.name))[1])
    return parents


def _stat(pid: int) -> list[str]:
    """Read /proc/PID/stat from its third field on: the second, a name in brackets, may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def _cpu_ns(pid: int) -> int:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0]) for task in tasks)
    except FileNotFoundError:
        fields = _stat(pid)
        return (int(fields[11]) + int(fields[12])) * TICK_NS


def _status_kib(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0
