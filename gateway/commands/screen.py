"""Rejections for people: tables and bars, as wide as the terminal.

Rule    No value is taken for markup, and no character of one acts on the terminal. Without a terminal, or with
        NO_COLOR, nothing is coloured, nor dimmed or bold.
        What is to be pasted or clicked is never broken into lines, however narrow the terminal is. Elsewhere than on
        one, no line ends in blanks.
Source  no-color.org.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import IO, Any, Final, Literal

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gateway.commands.texts import clean

WIDE: Final = 140
"""Columns from which on a rejection has one line."""
COLUMNS: Final = {  # and whether each stays whole where there is too little room
    "time (UTC)": True,
    "code": True,
    "request": False,
    "credential": True,
    "owner": False,
    "client": False,
    "id": True,
}
PADDING: Final = re.compile(" +$", re.MULTILINE)
MOST_STEPS: Final = 48
TOP: Final = 5
STEP: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
DETAILS: Final = {
    "at": "time",
    "last_at": "until",
    "code": "code",
    "email_status": "email status",
    "method": "method",
    "path": "path",
    "lead_id": "lead",
    "email_id": "email",
    "credential": "credential",
    "owner": "owner",
    "client": "client",
    "user_agent": "user agent",
    "request_id": "request",
    "instance": "gateway",
}


def screen(file: IO[str]) -> Console:
    """Make what can be printed to."""
    colours: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"  # NO_COLOR alone keeps "dim"
    kind = Console if file.isatty() else _Unpadded
    return kind(file=file, color_system=colours, highlight=False, markup=False, emoji=False, soft_wrap=False)


class _Unpadded(Console):
    """Leaves out the blanks with which rich fills up what stands in columns: in a file they would stay."""

    def print(self, *objects: Any, **how: Any) -> None:
        with self.capture() as drawn:
            super().print(*objects, **how)
        self.file.write(PADDING.sub("", drawn.get()))
        self.file.flush()


def listing(rows: Iterable[Mapping[str, Any]], width: int) -> RenderableType:
    """Draw a list."""
    rows = list(rows)
    if not rows:
        return Text("No rejections are found.")
    if width < WIDE:
        return Group(*(card(row, width) for row in rows))
    table = Table(box=None, pad_edge=False)
    for name, whole in COLUMNS.items():
        table.add_column(name, no_wrap=whole, overflow="fold")
    for row in rows:
        table.add_row(
            Text(_time(row)),
            _code(row),
            Text(_request(row)),
            _text(row, "credential"),
            _text(row, "owner"),
            _text(row, "client"),
            Text(clean(str(row["id"])), style="dim"),
        )
    return table


def card(row: Mapping[str, Any], width: int) -> RenderableType:
    """Draw a rejection in few columns: when and what, and below which and who, as far as there is room."""
    head = Text(f"{_time(row)}  ", overflow="fold").append_text(_code(row)).append(f"  {_request(row)}")
    below = f"  {clean(str(row['id']))}"
    who = [clean(str(row[name])) for name in ("owner", "credential", "client") if row[name]]
    while len(who) > 1 and len("  ".join([below, *who])) > width:
        who.pop()
    return Group(head, Text(overflow="fold").append(below, "dim").append("".join(f"  {each}" for each in who)))


def details(found: Mapping[str, Any], width: int) -> RenderableType:
    """Draw one rejection with all that is known of it. To be printed without being cut off at the terminal's edge."""
    row, explained = found["data"], found["explanation"]
    parts: list[RenderableType] = [Text(clean(str(row["id"])), style="bold"), _facts(row)]
    if row["shape"]:
        parts += [_title("What was sent"), _pairs(_flat(row["shape"]))]
    if row["captured"]:
        parts.append(Padding(Text(clean(row["captured"], lines=True), overflow="fold"), (0, 0, 0, 2)))
    if explained:
        parts += [_title("What to change"), _said(explained["rule"]), _said(explained["fix"])]
        parts.append(Text(f"  {clean(explained['source'])}", style="dim", no_wrap=True, overflow="ignore"))
    if found["others"]:
        parts += [_title("Others of the same credential"), *(card(row, width) for row in found["others"])]
    return Group(*parts)


def passing(found: Mapping[str, Any]) -> RenderableType:
    """Draw what would have passed, to be printed without being broken into lines: so it can be pasted."""
    explained = found["explanation"]
    return _title("A request that passes").append(f"\n{clean(explained['curl'])}") if explained else Text("", end="")


def counts(stats: Mapping[str, Any], bucket: str, width: int, encoding: str) -> RenderableType:
    """Draw what was counted: the steps as bars, and who stands behind most."""
    parts: list[RenderableType] = [
        Text(f"{stats['rejected']} rejected, {stats['reported']} reported", style="bold"),
        *_bars(stats["series"], bucket, width, "█" if encoding.lower().startswith("utf") else "#"),
    ]
    for name, title in (
        ("codes", "Codes"),
        ("owners", "Owners"),
        ("credentials", "Credentials"),
        ("user_agents", "User agents"),
    ):
        if stats[name]:
            parts += [_title(title), _pairs((str(total["value"]), total["count"]) for total in stats[name][:TOP])]
    if stats["counted_from"] or stats["series_from"]:
        since = clean(str(stats["series_from"] or stats["counted_from"]))
        parts.append(Text(f"Not all could be looked at: counted from {since} on. Narrow it with --since."))
    return Group(*parts)


def _bars(series: Iterable[Mapping[str, Any]], bucket: str, width: int, block: str) -> Iterator[RenderableType]:
    """Draw a line for each step, the empty ones between two others too."""
    steps: dict[datetime, int] = {}
    for step in series:
        at = datetime.fromisoformat(step["at"])
        steps[at] = steps.get(at, 0) + int(step["count"])
    if not steps:
        return
    last, most = max(steps), max(steps.values())
    first = max(min(steps), last - (MOST_STEPS - 1) * STEP[bucket])
    shown = "%m-%d %H:%M" if bucket == "hour" else "%Y-%m-%d "
    room = max(10, width - 14 - len(str(most)))
    yield _title(f"By the {bucket} (UTC)")
    at = first
    while at <= last:
        number = steps.get(at, 0)
        bar = block * (0 if not number else max(1, number * room // most))
        yield Text(f"{at.strftime(shown)} ").append(bar, style="red").append(f" {number}" if number else "")
        at += STEP[bucket]
    if first > min(steps):
        yield Text(
            f"Earlier ones are left out: take a longer --bucket, or --until {first:%Y-%m-%dT%H:%M}.", style="dim"
        )


def _facts(row: Mapping[str, Any]) -> Table:
    became = "forwarded, and reported" if row["status"] is None else f"{row['status']}, refused"
    if row["status"] is not None and not row["enforced"]:
        became += " for something else; this was reported"
    facts = [(title, row[name]) for name, title in DETAILS.items() if name != "last_at" or row["count"] > 1]
    return _pairs([*facts, ("answer", became), ("requests", row["count"])])


def _flat(shape: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for name, value in shape.items():
        if isinstance(value, dict):
            yield from ((str(key), inner) for key, inner in value.items())
        else:
            yield f"({name})", value


def _pairs(pairs: Iterable[tuple[str, object]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for name, value in pairs:
        if value is not None:
            table.add_row(Text(f"  {clean(name)}"), Text(clean(str(value))))
    return table


def _title(text: str) -> Text:
    return Text("\n").append(text, style="bold")


def _said(text: object) -> RenderableType:
    return Padding(Text(clean(str(text)), overflow="fold"), (0, 0, 0, 2))


def _time(row: Mapping[str, Any]) -> str:
    return clean(str(row["at"])[:19].replace("T", " "))


def _code(row: Mapping[str, Any]) -> Text:
    code = Text(clean(str(row["code"])), style="red" if row["enforced"] else "yellow")
    return code if row["count"] == 1 else code.append(f" x{row['count']}", style="bold")


def _request(row: Mapping[str, Any]) -> str:
    """Say what was to be done; and in words that it was only reported, since a colour may not be seen."""
    return clean(f"{row['method']} {row['email_status'] or '-'}{'' if row['enforced'] else ', reported'}")


def _text(row: Mapping[str, Any], name: str) -> Text:
    return Text(clean(str(row[name] or "-")), overflow="fold")
