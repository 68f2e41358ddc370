"""What the harness has to know of a proxy in order to run it."""

import importlib.metadata
import importlib.util
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """Where a peer is to listen, where its upstream is, and a folder for its files."""

    port: int
    upstream_port: int
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A proxy that can be measured."""

    name: str
    """As on the command line and in the table."""
    title: str
    command: Callable[[Place], Sequence[str]]
    """Writes the configuration, where there is one, and gives the command that starts the peer."""
    modules: tuple[str, ...] = ()
    """Modules that have to be importable."""
    binaries: tuple[str, ...] = ()
    """Programs that have to be on PATH, or beside the interpreter."""
    package: str | None = None
    """The distribution whose version is told."""
    judges: bool = False
    """Whether it is scripted to judge email writes: only then it is asked to prove that, and timed doing it."""

    def missing(self) -> str | None:
        """Name what keeps it from running here."""
        wanted = [module for module in self.modules if not _importable(module)]
        wanted += [binary for binary in self.binaries if not _find(binary)]
        return ", ".join(wanted) or None

    def version(self) -> str:
        return importlib.metadata.version(self.package) if self.package else ""


def _importable(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # nor is what it is a part of
        return False


def program(name: str) -> str:
    """Find a program that `missing` has not missed."""
    found = _find(name)
    if found is None:
        raise FileNotFoundError(name)
    return found


def _find(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=Path(sys.executable).parent)


def module(name: str) -> Callable[[Place], Sequence[str]]:
    """Give the command of a peer that is a module of ours."""
    return lambda place: (sys.executable, "-m", name, str(place.port), str(place.upstream_port))
