"""Rejections are removed for good: from the store alone, by whoever may write to it."""

import time
from pathlib import Path

import click

from gateway.commands.configured import configured
from gateway.commands.flags import told_by_flags
from gateway.commands.source import open_store, told


def purge(file: Path | None, before: str, *, sure: bool) -> int | None:
    """Remove what is from before that time; tell how many entries. None: somebody is not sure."""
    from gateway.rejections.query import Filters
    from gateway.rejections.times import iso, parse_time

    settings = configured(file).settings
    try:
        end = parse_time(before, time.time_ns() // 1000)
        filters = Filters(until=end)
    except ValueError as wrong:
        raise told_by_flags({"before": f"It {wrong}."}) from None
    reader = open_store(settings)
    with told():
        found = reader.find(filters, None, 1)  # looks before it opens for writing, which would make a file
        if not found.rows:
            return 0
        question = f"Remove every rejection from before {iso(end)} in {settings.rejections.store} for good?"
        if not sure and not click.confirm(question, err=True):
            return None
        return sum(reader.purge(end))
