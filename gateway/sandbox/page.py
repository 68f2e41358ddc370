"""The page of a sandbox: what it holds and what it was asked, newest first.

Rule    No script: it is drawn anew each time it is asked for, by itself every few seconds for who wants that.
Rule    Every text in it may come from outside, and `tag` escapes it.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from gateway.sandbox.markup import Html, joined, tag
from gateway.sandbox.records import Record
from gateway.sandbox.tables import TABLES, lists_in, names_in, rows, table_of, text_of

MOST_ROWS: Final = 100
MOST_REQUESTS: Final = 20
LONGEST_RECORD: Final = 20_000
"""Letters of one record that are shown."""
EVERY: Final = "5"
"""Seconds between two looks of a page that draws itself anew."""
LONGEST_VALUE: Final = 2_000
DEEPEST: Final = 6


def page(dump: Record, query: Mapping[str, str]) -> str:
    """Draw the page. `query` may name one record, by `id`, and ask for a page that draws itself anew, by `every`."""
    chosen, repeats = query.get("id"), query.get("every") == EVERY
    lists = lists_in(dump)
    names = [*TABLES, *(name for name in lists if name not in TABLES)]
    sections = [_list(name, lists[name], dump) for name in names if name in lists]
    body = [
        _top(repeats=repeats),
        tag(
            "main",
            _glance({name: lists[name] for name in names if name in lists}, dump),
            *([_record(chosen, lists)] if chosen else []),
            *sections,
            _requests(dump.get("requests", [])),
            _controls(),
        ),
    ]
    return "<!doctype html>\n" + tag("html", _head(repeats=repeats), tag("body", *body), lang="en")


def _head(*, repeats: bool) -> Html:
    refresh = [tag("meta", http_equiv="refresh", content=EVERY)] if repeats else []
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("title", "Sandbox · Close Gateway"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        *refresh,
        tag("link", rel="icon", href="/sandbox/icon.svg", type="image/svg+xml"),
        tag("link", rel="stylesheet", href="/sandbox/page.css"),
    )


def _top(*, repeats: bool) -> Html:
    other = tag("a", "Stop", href="/") if repeats else tag("a", f"Every {EVERY} s", href=f"/?every={EVERY}")
    return tag(
        "header",
        tag("img", src="/sandbox/icon.svg", alt="", width="28", height="28"),
        tag("h1", "Close Gateway ", tag("span", "Sandbox")),
        tag("nav", tag("a", "Refresh", href=f"/?every={EVERY}" if repeats else "/"), other, aria_label="Refresh"),
        tag("form", tag("button", "Reset", type="submit"), method="post", action="/sandbox/reset"),
        class_="top",
    )


def _glance(lists: Mapping[str, list[Record]], dump: Record) -> Html:
    counts = {name.replace("_", " ").capitalize(): f"{len(records):,}" for name, records in lists.items()}
    counts["Requests"] = f"{len(dump.get('requests', [])):,}"
    counts["Rate limit"] = text_of(dump.get("rate_limit"))
    tiles = [tag("div", tag("dt", title), tag("dd", count), class_="tile") for title, count in counts.items()]
    return tag("dl", *tiles, id="glance")


def _list(name: str, records: list[Record], dump: Record) -> Html:
    table = table_of(name)
    shown = (records[::-1] if table.grows else records)[:MOST_ROWS]
    inside = rows(name, shown, names_in(dump), _link) if shown else tag("p", "None yet.", class_="muted")
    return _section(name, table.title, _counted(len(shown), len(records)), inside)


def _section(name: str, title: str, count: str, inside: Html) -> Html:
    heading = tag("div", tag("h2", title, id=f"{name}-title"), tag("p", count, class_="muted"), class_="head")
    return tag("section", heading, inside, class_="panel list", aria_labelledby=f"{name}-title")


def _counted(shown: int, there: int) -> str:
    return f"{shown:,} of {there:,}" if shown < there else ""


def _record(chosen: str, lists: Mapping[str, list[Record]]) -> Html:
    found = next((record for records in lists.values() for record in records if record["id"] == chosen), None)
    title = text_of(chosen)
    if found is None:
        return tag("p", f"There is no {title} here any more, if it ever was.", class_="notice")
    text = json.dumps(clipped(found), indent=2, ensure_ascii=False)
    close = tag("a", "Close", href="/")
    return tag(
        "section",
        tag("div", tag("h2", title, id="record-title"), tag("p", close), class_="head"),
        tag(
            "pre",
            text if len(text) <= LONGEST_RECORD else text[:LONGEST_RECORD] + "…",
            tabindex="0",
            role="group",
            aria_labelledby="record-title",
        ),
        class_="panel record",
        aria_labelledby="record-title",
    )


def _requests(requests: list[Record]) -> Html:
    newest = requests[: -MOST_REQUESTS - 1 : -1]
    items = [tag("li", tag("code", f"{text_of(one['method'])} {text_of(one['target'])}")) for one in newest]
    inside = tag("ol", *items, class_="requests") if items else tag("p", "None yet.", class_="muted")
    return _section("requests", "Requests", _counted(len(newest), len(requests)), inside)


def _controls() -> Html:
    return tag(
        "p",
        "Nothing is sent from here, and everything is forgotten when the sandbox stops. For programs: ",
        tag("a", "GET /sandbox/state", href="/sandbox/state"),
        joined(", ", tag("code", "POST /sandbox/reset"), ", ", tag("code", "POST /sandbox/limits"), "."),
        class_="muted",
    )


def clipped(value: Any, depth: int = DEEPEST) -> Any:
    """A value whose texts, lists and levels are few enough to be looked at."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST_VALUE else value[:LONGEST_VALUE] + "…"
    if isinstance(value, list | dict) and value and not depth:
        return "…"
    if isinstance(value, list):
        return [clipped(item, depth - 1) for item in value[:MOST_ROWS]]
    if isinstance(value, dict):
        return {clipped(key): clipped(item, depth - 1) for key, item in list(value.items())[:MOST_ROWS]}
    return value


def _link(record_id: str) -> str:
    return "/?" + urlencode({"id": record_id}, errors="replace")
