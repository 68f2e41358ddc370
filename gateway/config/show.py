"""The settings in force, as a file that could be loaded again; secrets as stars."""

from collections.abc import Iterator

from gateway.config.known import KNOWN, SECTIONS, Known
from gateway.config.load import Loaded
from gateway.config.values import printable, spelled


def show(loaded: Loaded) -> str:
    """Write every setting, and behind each that was given where it comes from."""
    return "\n\n".join("\n".join(_lines(loaded, section)) for section in SECTIONS) + "\n"


def _lines(loaded: Loaded, section: str) -> Iterator[str]:
    yield f"[{section}]"
    for known in KNOWN.values():
        if known.section == section:
            value = getattr(getattr(loaded.settings, section), known.key)
            source = loaded.sources.get(known.name)
            yield _line(known, value) + (f"  # from {printable(source)}" if source else "")


def _line(known: Known, value: object) -> str:
    if value is None and known.default is None:
        return f"# {known.key} is not set"
    return f"{known.key} = {spelled(value)}"
