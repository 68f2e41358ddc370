"""All rejections that are meant, into a file or to standard output, with a bar on a terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gateway.commands import rows
from gateway.commands.failures import Failed
from gateway.commands.screen import screen
from gateway.commands.source import Query, Row, Source, every
from gateway.interrupts import careful


def export(source: Source, query: Query, output: Path | None, *, as_csv: bool) -> int:
    """Write them, newest first; tell how many they were."""
    number = 0

    def counted(found: Iterator[Row]) -> Iterator[Row]:
        nonlocal number
        for row in found:
            number += 1
            yield row

    with _opened(output) as file:
        # Where the rows themselves go to the terminal, they are what shows how far it is.
        watched = sys.stderr.isatty() and not (output is None and sys.stdout.isatty())
        found = counted(every(source, query))
        rows.write(_watched(source, query, found) if watched else found, file, as_csv=as_csv)
    return number


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    if output is None:
        yield sys.stdout
        return
    try:
        # For nobody else's eyes, as the store itself: it may hold what people write to each other.
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        reason = (error.strerror or "no reason is given").lower()
        raise Failed(f"{output} cannot be written: {reason}. Name another file with --output.") from None
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        yield file


def _watched(source: Source, query: Query, found: Iterator[Row]) -> Iterator[Row]:
    """Show how far it is. The counts tell how many requests there are to come, where they could be counted."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    stats = source.stats(query)
    total = None if stats["series_from"] else stats["rejected"] + stats["reported"]
    columns = (TextColumn("{task.completed} requests"), BarColumn(), TimeElapsedColumn())
    with careful(), Progress(*columns, console=screen(sys.stderr), transient=True) as progress:
        task = progress.add_task("", total=total)
        for row in found:
            progress.advance(task, row["count"])
            yield row
