"""The settings for a command, or every problem with them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.commands.failures import Unconfigured

if TYPE_CHECKING:
    from gateway.config.load import Loaded
    from gateway.config.problem import BadConfiguration
    from gateway.config.settings import AdminSettings, InspectSettings, RulesSettings, Settings


def configured(
    file: Path | None, flags: Mapping[str, object] | None = None, defaults: Mapping[str, object] | None = None
) -> "Loaded":
    """Read the settings from the file, the environment and the flags. Raises Unconfigured."""
    from gateway.config.load import load
    from gateway.config.problem import BadConfiguration

    try:
        return load(file, os.environ, flags or {}, defaults)
    except BadConfiguration as bad:
        raise _unconfigured(bad) from None


def asked(file: Path | None) -> "AdminSettings":
    """Read how to reach the admin listener of the gateway that runs with this file. Raises Unconfigured."""
    from gateway.config.load import load_admin
    from gateway.config.problem import BadConfiguration

    try:
        return load_admin(file, os.environ)
    except BadConfiguration as bad:
        raise _unconfigured(bad) from None


def ruled(file: Path | None) -> "tuple[InspectSettings, RulesSettings]":
    """Read how a gateway that runs with this file judges. Raises Unconfigured."""
    from gateway.config.load import load_rules
    from gateway.config.problem import BadConfiguration

    try:
        return load_rules(file, os.environ)
    except BadConfiguration as bad:
        raise _unconfigured(bad) from None


def _unconfigured(bad: "BadConfiguration") -> Unconfigured:
    problems = "".join(f"\n  {problem}" for problem in bad.problems)
    count = len(bad.problems)
    return Unconfigured(f"{count} problem{'s' * (count > 1)} in the configuration:{problems}")


def reloaded(
    file: Path | None, flags: Mapping[str, object], defaults: Mapping[str, object] | None = None
) -> "Settings":
    """Read them again, for a gateway that runs. Raises BadConfiguration."""
    from gateway.config.load import load

    return load(file, os.environ, flags, defaults).settings
