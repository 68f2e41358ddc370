"""The machine the figures come from, and who runs on which of its cores."""

import datetime as dt
import os
import platform
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

WANTED_FILES: Final = 8192
"""File descriptors that the row of idle connections may need in one process."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Who runs where. With a single core, it is the same for both."""

    proxy: int
    load: int
    """The upstream's and the load's."""


def cores() -> Cores:
    """Take the first and the last core that this process may run on."""
    allowed = os.sched_getaffinity(0)
    return Cores(proxy=max(allowed), load=min(allowed))


def describe() -> dict[str, str | int]:
    """Tell what the figures depend on."""
    return {
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def load_average() -> float:
    """Tell how many processes wanted to run within the last minute."""
    return round(os.getloadavg()[0], 2)


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Run on one core meanwhile; a process started here stays there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def allow_files() -> None:
    """Raise the soft limit on open files, which the proxies inherit, as far as needed and as the hard one lets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
