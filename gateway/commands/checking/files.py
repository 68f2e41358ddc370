"""The files of a command, opened one after the other, with a bar on a terminal for a large one."""

import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO, Final

from gateway.commands.checking.found import Found, Unreadable
from gateway.commands.checking.payloads import payloads

STDIN: Final = "-"
LARGE: Final = 16 * 1024 * 1024
"""Bytes of a file from which on there is a bar."""
STEP: Final = 1_000
"""Payloads after which it moves."""


def shown(name: str) -> str:
    """Name a file to people and programs."""
    return "stdin" if name == STDIN else name


def found_in(name: str, limit: int, bar: "Bar | None" = None) -> Iterator[Found]:
    """Give what stands in a file, or for `-` in standard input. `limit` is in bytes of a payload."""
    try:
        with nullcontext(sys.stdin.buffer) if name == STDIN else Path(name).open("rb") as file:
            for number, found in enumerate(payloads(file, name, limit)):
                if bar is not None and not number % STEP:
                    bar.moved(file)
                yield found
    except OSError as error:
        reason = (error.strerror or "no reason is given").lower()
        yield Unreadable(None, None, f"It cannot be read: {reason}.")


def with_bar(name: str) -> "Bar | None":
    """Make a bar where the file is large, and where errors go somebody looks at a terminal."""
    try:
        size = 0 if name == STDIN else os.stat(name).st_size  # noqa: PTH116 - a pipe has none, and so needs no other question
    except (OSError, ValueError):
        return None
    return Bar(size) if size >= LARGE and sys.stderr.isatty() else None


class Bar:
    """Shows how much of a file is read. It is drawn on standard error, and makes room for whatever else is printed."""

    def __init__(self, size: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

        # What is printed meanwhile goes where it belongs: rich would take it along to standard error.
        self._progress = Progress(
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task("", total=size)
        self._drawn = False

    def moved(self, file: BinaryIO) -> None:
        if not self._drawn:
            self._progress.start()
            self._drawn = True
        self._progress.update(self._task, completed=file.tell())

    def aside(self) -> None:
        """Take it away, until it moves again."""
        if self._drawn:
            self._progress.stop()
            self._drawn = False
