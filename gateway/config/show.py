"""The settings in force, as a file that could be loaded again; secrets as stars."""

from collections.abc import Iterator
from dataclasses import fields

from gateway.config.load import Loaded
from gateway.config.values import spelled


def show(loaded: Loaded) -> str:
    """Write every setting, and behind each that was given where it comes from."""
    return "\n".join(_lines(loaded)) + "\n"


def _lines(loaded: Loaded) -> Iterator[str]:
    for number, section in enumerate(fields(loaded.settings)):
        if number:
            yield ""
        yield f"[{section.name}]"
        settings = getattr(loaded.settings, section.name)
        for setting in fields(settings):
            source = loaded.sources.get(f"{section.name}.{setting.name}")
            origin = f"  # from {source}" if source else ""
            yield f"{_line(setting.name, getattr(settings, setting.name), section.name)}{origin}"


def _line(name: str, value: object, section: str) -> str:
    if value is None and (section, name) != ("admin", "listen"):
        return f"# {name} is not set"
    return f"{name} = {spelled(value)}"
