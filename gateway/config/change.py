"""Pure: what a configuration that was read anew changes, and what of it waits for a restart.

Rule    What is bound to something that the running process holds open, or has in common with what it wrote before,
        stays as it was until a restart. All else is in force at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from gateway.config.check import check
from gateway.config.known import KNOWN, SECTIONS
from gateway.config.problem import Problem
from gateway.config.settings import Settings
from gateway.config.values import said

FIXED: Final = frozenset(
    {
        "listener.listen",  # a port that is open
        "admin.listen",
        "identity.cache",  # a connection that is open, and whom it is shared with
        "identity.fingerprint_key",  # what is remembered and recorded goes by fingerprints
        "rejections.store",  # open, and entries are on their way to it
        "rejections.backlog",
        "rejections.backlog_folder",
        "log.format",  # who reads the log reads one format
        "process.workers",
    }
)
"""Settings that change at a restart alone."""
STAYS: Final = "what stays as it is until a restart"


@dataclass(frozen=True, slots=True)
class Change:
    """Settings to put in force, and in what they differ from those before."""

    settings: Settings
    changed: Mapping[str, object]
    """The names of those that change, with their new values as they may be told: a secret is stars."""
    needs_restart: tuple[str, ...]
    """The names of those that were to change, and keep their old value."""


def change(old: Settings, new: Settings) -> Change:
    """Compare what is in force with what was read."""
    differ = [name for name in KNOWN if _value(old, name) != _value(new, name)]
    waiting = tuple(name for name in differ if name in FIXED)
    sections: dict[str, Any] = {
        section: replace(getattr(new, section), **{KNOWN[name].key: _value(old, name) for name in of_section})
        for section in SECTIONS
        if (of_section := [name for name in waiting if KNOWN[name].section == section])
    }
    changed = {name: said(_value(new, name)) for name in differ if name not in FIXED}
    return Change(replace(new, **sections), changed, waiting)


def clashes(wanted: Change) -> Iterator[Problem]:
    """Find what does not go with the settings that wait for a restart. What was read has been checked by itself."""
    if wanted.needs_restart:
        for conflict in check(wanted.settings):
            fix = f"{conflict.fix} Or restart the gateway, which changes {', '.join(wanted.needs_restart)} too."
            yield Problem(conflict.names[0], STAYS, conflict.what, fix)


def _value(settings: Settings, name: str) -> object:
    known = KNOWN[name]
    return getattr(getattr(settings, known.section), known.key)
