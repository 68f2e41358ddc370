"""Pure: entries and counts as JSON, the same wherever they are told."""

from dataclasses import asdict, fields
from typing import Any, Final

from gateway.rejections.entry import Entry
from gateway.rejections.query import Stats
from gateway.rejections.times import iso

FIELDS: Final = tuple(field.name for field in fields(Entry) if field.name != "seq")
"""What is told of an entry; its place in the store is the store's own affair."""


def entry_json(entry: Entry) -> dict[str, Any]:
    """Tell an entry."""
    return {name: getattr(entry, name) for name in FIELDS} | {"at": iso(entry.at), "last_at": iso(entry.last_at)}


def stats_json(stats: Stats) -> dict[str, Any]:
    """Tell what was counted."""
    return asdict(stats) | {
        "series": [{"at": iso(step.at), "code": step.code, "count": step.count} for step in stats.series],
        "counted_from": None if stats.counted_from is None else iso(stats.counted_from),
        "series_from": None if stats.series_from is None else iso(stats.series_from),
    }
