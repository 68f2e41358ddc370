"""Pure: the body of an email write, written out for people, with the spots to change told.

Rule    A line for each member, in the client's order and with its own numbers; duplicates stay, and of them the last is
        told, which is the one that counts. Where a field is absent, the line that would be added stands first, which
        is where the gateway itself puts a sender.
Rule    However large or odd a body is, what comes of it is small and fit for a terminal: long texts and lists are cut
        short, lines far from a spot are left out, and whatever is not printable (escapes, marks that turn the
        direction of writing, halves of surrogate pairs) is written as JSON's own escape.
"""

import enum
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from rich.cells import cell_len

from gateway.policy import Reject, Verdict, Violations
from gateway.policy.attachments import LOOKED_AT, is_file
from gateway.wire.advice import EXAMPLES

WIDE: Final = 72
"""Columns of a line, where nobody asks for others."""
KEPT: Final = 18
"""Lines of a body that are not left out. Beside them stand those that tell how many are."""
LONGEST_KEY: Final = 32
SMALLEST: Final = 12
"""Columns that a value has at least."""
LOOKED_INTO: Final = 256
"""Characters of a text beyond those shown that are looked into for what must not be: half of it would show too much."""
EXPANDED: Final = 3
"""Attachments whose members have lines of their own."""
QUOTED: Final = json.JSONEncoder(ensure_ascii=False).encode
NOT_ASCII: Final = re.compile(r"[^ -~]")

Redact: TypeAlias = Callable[[str | None, str], str]
"""Takes out of a text what nobody is to see. Is given the name of the member, where it is the value of one."""


class Tone(enum.Enum):
    """What there is to say of a spot."""

    WRONG = "wrong"
    """It is refused for this."""
    NOTED = "noted"
    """It is reported, and refused for it neither here nor, maybe, by Close."""
    FILLED = "filled"
    """The gateway has put it in."""


class Spot(NamedTuple):
    """A field with something to say of it."""

    field: str
    tone: Tone
    value: str | None = None
    """What would be added where it is absent. None: nothing would help, or nobody knows what."""


class Line(NamedTuple):
    """A line of the body. Printable, and no wider than asked for but where a key alone nearly is."""

    text: str
    tone: Tone | None = None
    """None: there is nothing to say of it."""
    added: bool = False
    """Whether the client did not send it so."""
    span: tuple[int, int] = (0, 0)
    """Where in the text the value stands that is to be changed."""


def spots(verdict: Verdict, filled: str | None = None) -> tuple[Spot, ...]:
    """List what a verdict has to say. `filled` is the address that was put in as the sender."""
    refused = verdict.violations if isinstance(verdict, Reject) else ()
    found = (*_spots(refused, Tone.WRONG), *_spots(verdict.reported, Tone.NOTED))
    return found if filled is None else (Spot("sender", Tone.FILLED, filled), *found)


def marked(
    body: bytes, found: Iterable[Spot], *, width: int = WIDE, redact: Redact = lambda _, text: text
) -> tuple[Line, ...]:
    """Write the body out. It is without its codings; what is no JSON has no lines. `redact` sees what is shown."""
    try:
        value = json.loads(body, object_pairs_hook=_Members, parse_int=_Number, parse_float=_Number)
    except (ValueError, RecursionError):
        return ()
    pen = _Pen(width, redact)
    if not isinstance(value, _Members):
        return (Line(pen.compact(value, width)),)
    by_field: dict[str, Spot] = {}
    for spot in found:
        by_field.setdefault(spot.field, spot)  # of several the first: what refuses stands before what is reported
    rows = [_Row(0, None, _Bare("{")), *_rows(value, by_field), _Row(0, None, _Bare("}"))]
    return tuple(pen.chosen(rows))


def _spots(violations: Violations, tone: Tone) -> Iterator[Spot]:
    return (Spot(violation.field, tone, EXAMPLES.get(violation.field)) for violation in violations)


class _Members(list[tuple[str, Any]]):
    """A JSON object: its members as they came."""


class _Bare(str):
    """What is written as it stands."""

    __slots__ = ()


class _Number(_Bare):
    """A number as it came: Python's own may have lost what the client wrote."""

    __slots__ = ()


class _Row(NamedTuple):
    """A line that is not written yet: of a million, a few are."""

    depth: int
    key: str | None
    value: object
    comma: bool = False
    tone: Tone | None = None
    added: bool = False


def _rows(members: _Members, spots: dict[str, Spot]) -> Iterator[_Row]:
    """Give the rows within the outermost object."""
    last = {key: place for place, (key, _) in enumerate(members)}
    missing = [spot for spot in spots.values() if spot.field not in last and spot.value is not None]
    for place, spot in enumerate(missing, 1):
        yield _Row(1, spot.field, spot.value, bool(members) or place < len(missing), spot.tone, added=True)
    for place, (key, value) in enumerate(members):
        comma = place + 1 < len(members)
        told = spots.get(key) if last[key] == place else None
        if told is None:
            yield _Row(1, key, value, comma)
        elif told.tone is Tone.FILLED:
            yield _Row(1, key, told.value, comma, told.tone, added=True)
        elif key == "attachments" and isinstance(value, list) and any(map(_lies_elsewhere, value[:LOOKED_AT])):
            yield from _attachments(key, value, told.tone, comma=comma)
        else:
            yield _Row(1, key, value, comma, told.tone)


def _attachments(key: str, attachments: list[object], tone: Tone, *, comma: bool) -> Iterator[_Row]:
    """Give the rows of a list of which some attachments lie elsewhere than among Close's files."""
    yield _Row(1, key, _Bare("["))
    expanded = 0
    for place, attachment in enumerate(attachments):
        more = place + 1 < len(attachments)
        if expanded < EXPANDED and place < LOOKED_AT and _lies_elsewhere(attachment):
            expanded += 1
            yield from _attachment(attachment, tone, comma=more)
        else:
            yield _Row(2, None, attachment, more)
    yield _Row(1, None, _Bare("]"), comma)


def _attachment(members: Any, tone: Tone, *, comma: bool) -> Iterator[_Row]:
    urls = [place for place, (key, _) in enumerate(members) if key == "url"]
    yield _Row(2, None, _Bare("{"))
    if not urls:
        yield _Row(3, "url", EXAMPLES["url"], bool(members), tone, added=True)
    for place, (key, value) in enumerate(members):
        yield _Row(3, key, value, place + 1 < len(members), tone if urls[-1:] == [place] else None)
    yield _Row(2, None, _Bare("}"), comma)


def _lies_elsewhere(attachment: object) -> bool:
    return isinstance(attachment, _Members) and not is_file(dict(attachment).get("url"))


class _Pen(NamedTuple):
    """Writes rows: the few that are chosen, and of each value no more than is shown."""

    width: int
    redact: Redact

    def chosen(self, rows: Sequence[_Row]) -> Iterator[Line]:
        """Write the rows that are nearest to a spot, or to the beginning and the end; count the others."""
        if len(rows) <= KEPT + 1:
            yield from map(self.line, rows)
            return
        spots = [place for place, row in enumerate(rows) if row.tone is not None]
        kept = sorted(sorted(range(len(rows)), key=_distances(spots, len(rows)))[:KEPT])
        before = -1
        for place in kept:
            if place - before > 1:
                left_out = place - before - 1
                indent = "  " * rows[place - 1].depth
                yield Line(f"{indent}… {left_out:,} more line{'s' * (left_out > 1)}")
            yield self.line(rows[place])
            before = place

    def line(self, row: _Row) -> Line:
        key = "" if row.key is None else f"{self.compact(row.key, LONGEST_KEY)}: "
        before = "  " * row.depth + key
        value = self.compact(row.value, max(SMALLEST, self.width - cell_len(before) - row.comma), row.key)
        span = (len(before), len(before) + len(value)) if row.tone is not None else (0, 0)
        return Line(f"{before}{value}{',' * row.comma}", row.tone, row.added, span)

    def compact(self, value: object, room: int, name: str | None = None) -> str:
        """Write a value on one line, cut short where it takes more columns. `name`: of the member whose value it is."""
        text = ""
        for piece in self._pieces(value, room, name):
            text += piece
            if len(text) > room or cell_len(text) > room:
                end = '…"' if isinstance(value, str) and text[0] == '"' else "…"
                return _first(text, room - len(end)) + end
        return text

    def _pieces(self, value: object, room: int, name: str | None) -> Iterator[str]:
        """Write a value in pieces. Who has enough of them stops: neither depth nor length costs more than is shown."""
        match value:
            case _Bare():
                yield value
            case str():
                yield _quoted(self.redact(name, value[: room + LOOKED_INTO])[: room + 1])
            case _Members():
                yield "{"
                for place, (key, inner) in enumerate(value):
                    yield f"{', ' * (place > 0)}{_quoted(self.redact(None, key[: room + LOOKED_INTO])[: room + 1])}: "
                    yield from self._pieces(inner, room, key)
                yield "}"
            case list():
                yield "["
                for place, inner in enumerate(value):
                    yield ", " * (place > 0)
                    yield from self._pieces(inner, room, name)
                yield "]"
            case _:
                yield QUOTED(value)


def _distances(spots: Sequence[int], size: int) -> Callable[[int], tuple[int, int]]:
    near = {place + step: abs(step) for step in (2, -2, 1, -1, 0) for place in spots} | {0: 0, size - 1: 0}
    return lambda place: (near.get(place, size), place)


def _first(text: str, columns: int) -> str:
    """Give what stands in the first columns: a wide letter takes two."""
    text = text[:columns]
    while cell_len(text) > columns:
        text = text[:-1]
    return text


def _quoted(text: str) -> str:
    """Write a text as JSON, with all of it visible."""
    quoted = QUOTED(text)
    return quoted if quoted.isprintable() else NOT_ASCII.sub(_escaped, quoted)


def _escaped(found: re.Match[str]) -> str:
    letter = found[0]
    return letter if letter.isprintable() else json.dumps(letter)[1:-1]
