"""The settings of a gateway in a test: those that the test gives, and beneath them what a test needs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from gateway.config.load import load_sections
from gateway.config.problem import BadConfiguration, Problem
from gateway.config.settings import (
    Address,
    AdminSettings,
    ListenerSettings,
    RejectionsSettings,
    Settings,
    ShutdownSettings,
)

Sections: TypeAlias = Mapping[str, Any]
"""As in the file: {"rules": {"lead_id_required": "enforce"}}."""

SOURCE: Final = "the test"
OWN: Final = frozenset({"admin", "identity", "listener", "log", "process", "rejections", "shutdown", "traces"})
"""Sections that a test has no use for: where it listens, and what it leaves behind."""


def settings_of(sections: Sections) -> Settings:
    """Make settings of a gateway that still has to be told where Close is. Raises BadConfiguration."""
    kept = [Problem(name, SOURCE, "is set by the fixture itself", "Leave it out.") for name in _taken(sections)]
    if kept:
        raise BadConfiguration(kept)
    given = load_sections(sections, SOURCE)
    return replace(
        given,
        listener=ListenerSettings(listen=Address("127.0.0.1", 0)),
        admin=AdminSettings(listen=None),
        rejections=RejectionsSettings(store=None),
        shutdown=ShutdownSettings(grace=0.0),
    )


def _taken(sections: Sections) -> list[str]:
    taken = [f"[{section}]" for section in sections if section in OWN]
    # An email of a test must not get to Close for a line in it.
    upstream = sections.get("upstream")
    return taken + ["upstream.url"] * (isinstance(upstream, Mapping) and "url" in upstream)
