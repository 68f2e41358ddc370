"""Every setting there is: its names, what it takes, and which known one a mistaken name comes nearest to."""

import difflib
import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, get_args, get_origin, get_type_hints

from gateway.config.settings import Settings
from gateway.config.values import Takes, Text

PREFIX: Final = "CLOSE_GATEWAY_"
LONG: Final = 80
JOINED: Final = 0.8
"""How like a whole name one has to be that names no section. Any two have much in common."""
"""Characters of a mistaken name that are looked at and shown."""


@dataclass(frozen=True, slots=True)
class Known:
    """One setting."""

    section: str
    key: str
    hint: Any
    """Its type, with what `gateway.config.values` says of it."""
    default: object

    @property
    def name(self) -> str:
        return f"{self.section}.{self.key}"

    @property
    def variable(self) -> str:
        return f"{PREFIX}{self.section}__{self.key}".upper()

    @property
    def is_list(self) -> bool:
        return get_origin(self.hint) is tuple

    @property
    def is_plain(self) -> bool:
        """Whether TOML has a type of its own for it, so that a text in quotes is a mistake."""
        return self._base in {bool, int, float}

    @property
    def words(self) -> str:
        """What it takes."""
        if self.is_list:
            return f"a list of {_said(get_args(self.hint)[0])}"
        if self._base is bool:
            return "true or false"
        if isinstance(self._base, enum.EnumMeta):
            members: Mapping[str, enum.Enum] = self._base.__members__
            *most, last = [str(member.value) for member in members.values()]
            return f"{', '.join(most)} or {last}"
        return _said(self.hint)

    @property
    def _base(self) -> Any:
        return get_args(self.hint)[0] if get_args(self.hint) else self.hint


def _said(hint: Any) -> str:
    return next(mark.words for mark in get_args(hint) if isinstance(mark, Takes | Text))


SECTIONS: Final[Mapping[str, type[Any]]] = get_type_hints(Settings)
KNOWN: Final[Mapping[str, Known]] = {
    f"{section}.{field.name}": Known(section, field.name, hints[field.name], field.default)
    for section, its_class in SECTIONS.items()
    for hints in (get_type_hints(its_class, include_extras=True),)
    for field in fields(its_class)
}


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Find the known name that was most likely meant; None where none is near.

    The same key in another section is nearer than any likeness. Sections count for nothing in that, or each key of
    one would be like every other.
    """
    candidates = list(known)
    section, _, key = name[:LONG].replace("-", "_").rpartition(".")
    keys = {candidate: candidate.rpartition(".")[2] for candidate in candidates}
    same = [candidate for candidate in candidates if keys[candidate] == key]
    if same:
        return difflib.get_close_matches(name, same, n=1, cutoff=0)[0]
    beside = [candidate for candidate in candidates if candidate.rpartition(".")[0] == section]
    for group in (beside, candidates):
        if close := difflib.get_close_matches(key, [keys[candidate] for candidate in group], n=1):
            return next(candidate for candidate in group if keys[candidate] == close[0])
    joined = [] if section else difflib.get_close_matches(key, candidates, n=1, cutoff=JOINED)  # upstream_url
    return joined[0] if joined else None
