"""The page of a sandbox: what it holds and what it was asked, newest first.

Rule    No script: it is drawn anew each time it is asked for, by itself every few seconds for who wants that.
Rule    Every text in it may come from outside, and `tag` escapes it.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from gateway.sandbox.control import CONTROLS
from gateway.sandbox.markup import Html, joined, tag
from gateway.sandbox.records import Record
from gateway.sandbox.shown import Names, clipped, lists_in, names_in, text_of
from gateway.sandbox.tables import TABLES, moment, rows, table_of

MOST_ROWS: Final = 100
MOST_REQUESTS: Final = 20
LONGEST_RECORD: Final = 20_000
"""Letters of one record that are shown."""
EVERY: Final = "5"
"""Seconds between two looks of a page that draws itself anew."""


def page(dump: Record, query: Mapping[str, str]) -> str:
    """Draw the page. `query` may name one record, by `id`, and ask for a page that draws itself anew, by `every`."""
    lists, requests = lists_in(dump | {"requests": None}), dump["requests"]
    names = names_in(lists)
    known = {name: lists[name] for name in TABLES if name in lists}
    main = tag(
        "main",
        _glance({**known, **lists}, requests, dump),
        *([_record(query["id"], lists)] if query.get("id") else []),
        *(_list(name, records, names) for name, records in {**known, **lists}.items()),
        _requests(requests),
        _controls(),
    )
    repeats = query.get("every") == EVERY
    return "<!doctype html>\n" + tag(
        "html", _head(repeats=repeats), tag("body", _top(repeats=repeats), main), lang="en"
    )


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
    again, other = ("/", tag("a", f"Every {EVERY} s", href=f"/?every={EVERY}"))
    if repeats:
        again, other = (f"/?every={EVERY}", tag("a", "Stop", href="/"))
    return tag(
        "header",
        tag("img", src="/sandbox/icon.svg", alt="", width="28", height="28"),
        tag("h1", "Close Gateway ", tag("span", "Sandbox")),
        tag("nav", tag("a", "Refresh", href=again), other, aria_label="Refresh"),
        tag("form", tag("button", "Reset", type="submit"), method="post", action="/sandbox/reset"),
        class_="top",
    )


def _glance(lists: Mapping[str, list[Record]], requests: list[Record], dump: Record) -> Html:
    counts = {name: len(records) for name, records in lists.items()} | {"requests": len(requests)}
    facts = [(tag("a", name.replace("_", " ").capitalize(), href=f"#{name}"), f"{n:,}") for name, n in counts.items()]
    facts.append((tag("span", "Rate limit"), text_of(dump["rate_limit"])))
    if "now" in dump:
        facts.append((tag("span", "Clock (UTC)"), moment(dump["now"])))
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in facts), class_="panel glance")


def _list(name: str, records: list[Record], names: Names) -> Html:
    table = table_of(name)
    shown = (records[::-1] if table.grows else records)[:MOST_ROWS]
    inside = rows(name, shown, names, _link) if shown else tag("p", "None yet.", class_="muted")
    return _section(name, table.title, _counted(len(shown), len(records)), inside)


def _section(name: str, title: str, count: str, inside: Html) -> Html:
    heading = tag("div", tag("h2", title, id=name), tag("p", count, class_="muted"), class_="head")
    return tag("section", heading, inside, class_="panel", aria_labelledby=name)


def _counted(shown: int, there: int) -> str:
    return f"{shown:,} of {there:,}" if shown < there else ""


def _record(chosen: str, lists: Mapping[str, list[Record]]) -> Html:
    found = [record for records in lists.values() for record in records if record["id"] == chosen]
    title = text_of(chosen)
    if not found:
        return tag("p", f"There is no {title} here.", class_="notice")
    text = json.dumps(clipped(found[0]), indent=2, ensure_ascii=False)
    text = text if len(text) <= LONGEST_RECORD else text[:LONGEST_RECORD] + "…"
    return tag(
        "section",
        tag("div", tag("h2", title, id="record-title"), tag("p", tag("a", "Hide", href="/")), class_="head"),
        tag("pre", text, tabindex="0", role="group", aria_labelledby="record-title"),
        class_="panel record",
        aria_labelledby="record-title",
    )


def _requests(requests: list[Record]) -> Html:
    newest = requests[: -MOST_REQUESTS - 1 : -1]
    items = [tag("li", tag("code", f"{text_of(one['method'])} {text_of(one['target'])}")) for one in newest]
    inside = tag("ol", *items, class_="requests") if items else tag("p", "None yet.", class_="muted")
    return _section("requests", "Requests", _counted(len(newest), len(requests)), inside)


def _controls() -> Html:
    controls: list[str] = []
    for path, methods in CONTROLS.items():
        name = tag("code", f"{' or '.join(methods)} {path}")
        controls += [", " if controls else "For programs: ", tag("a", name, href=path) if "GET" in methods else name]
    return tag(
        "p",
        "Nothing is sent from here, and everything is forgotten when the sandbox stops. ",
        joined(*controls, "."),
        class_="muted",
    )


def _link(record_id: Any) -> str:
    return "/?" + urlencode({"id": record_id}, errors="replace")
