"""What a developer reads, of requests that walk through a real gateway."""

import io
import re
from typing import Final

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from gateway.config.settings import InspectSettings
from gateway.live import view
from gateway.live.story import Story
from tests.forwarding.emails import EMAILS, LOGGED, SENDERLESS, change, write
from tests.gateways import until
from tests.live.watching import watched
from tests.raw import connected, with_length
from tests.recording import OK, OWNER, Script, answers, by_path, hangs, recording, resets

ME: Final = b"/api/v1/me/"
JSON: Final = b"Content-Type: application/json\r\n"
UNAUTHORIZED: Final = with_length(b"HTTP/1.1 401 Unauthorized\r\n", b'{"error": "Unauthorized"}')
NO_LEAD: Final = with_length(
    b"HTTP/1.1 400 Bad Request\r\n" + JSON, b'{"errors": [], "field-errors": {"lead_id": "Object does not exist."}}'
)
LIMITED: Final = with_length(
    b"HTTP/1.1 429 Too Many Requests\r\n" + JSON,
    b'{"error": {"rate_reset": 1.0, "message": "API call count exceeded for this 15 second window."}}',
)
NESTED: Final = with_length(
    b"HTTP/1.1 400 Bad Request\r\n" + JSON, b'{"field-errors": {"attachments": {"0": {"url": null}}}}'
)
CLOSE: Final = by_path({ME: answers(OWNER)}, answers(OK))
DRAFT: Final = b'{"lead_id": "lead_1", "status": "draft"}'
GET: Final = (
    b"GET /api/v1/lead/?api_key=CANARY&q=a HTTP/1.1\r\nHost: x\r\nAuthorization: Basic Q0FOQVJZX0tFWTo=\r\n\r\n"
)
LONG: Final = b"a" * 300


def drawn(story: Story, width: int = 100, *, again: bool = False) -> str:
    """Draw a story, with its times made equal."""
    file = io.StringIO()
    console = Console(file=file, width=width, color_system=None, highlight=False, markup=False, emoji=False)
    console.print(view.draw(view.shown_of(story), width, again=again))
    text = re.sub(r"^\d\d:\d\d:\d\d", "TT:TT:TT", file.getvalue())
    return re.sub(r"(Close|gateway) [0-9.]+ m?s", r"\1 1 ms", text)


async def seen(script: Script, *requests: bytes) -> list[Story]:
    """Send requests to a gateway in front of such a Close, and give their stories."""
    async with recording(script) as upstream, watched(upstream.url) as close, connected(close.port) as client:
        for request in requests:
            await client.ask(request)
        return close.stories


CASES: Final[dict[str, tuple[Script, bytes, str]]] = {
    "rejected": (
        CLOSE,
        write(SENDERLESS),
        """TT:TT:TT rejected  400 POST /api/v1/activity/email/  gateway 1 ms
  sender_required  An email with status "outbox" needs a sender: add "sender", such as "Jane Roe
  <jane@example.com>", or save it as "draft" for now.
    {
  +   "sender": "Jane Roe <jane@example.com>",
      "lead_id": "lead_1",
      "status": "outbox"
    }

""",
    ),
    "filled": (
        CLOSE,
        write(LOGGED),
        """TT:TT:TT filled    200 POST /api/v1/activity/email/  Close 1 ms, gateway 1 ms
  sender  jane@example.com, the address of the key's owner (asked just now)
    {
  +   "sender": "jane@example.com",
      "lead_id": "lead_1",
      "status": "sent"
    }

""",
    ),
    "not filled": (
        by_path({ME: answers(UNAUTHORIZED)}, answers(UNAUTHORIZED)),
        write(LOGGED),
        """TT:TT:TT forwarded 401 POST /api/v1/activity/email/  Close 1 ms, gateway 1 ms
  look-up failed  Close did not tell who the key's owner is (status_401): no sender is put in.
  Close refuses it  Unauthorized

""",
    ),
    "refused by Close": (
        answers(NO_LEAD),
        write(DRAFT),
        """TT:TT:TT forwarded 400 POST /api/v1/activity/email/  Close 1 ms, gateway 1 ms
  Close refuses it  lead_id: Object does not exist.
    {
  >   "lead_id": "lead_1",
                 ^^^^^^^^
      "status": "draft"
    }

""",
    ),
    "too often for Close": (
        answers(LIMITED),
        write(DRAFT),
        """TT:TT:TT forwarded 429 POST /api/v1/activity/email/  Close 1 ms, gateway 1 ms
  Close refuses it  API call count exceeded for this 15 second window.

""",
    ),
    "refused by Close in a way of its own": (
        answers(NESTED),
        write(DRAFT),
        """TT:TT:TT forwarded 400 POST /api/v1/activity/email/  Close 1 ms, gateway 1 ms
  Close refuses it  attachments: {"0": {"url": null}}
    {
      "lead_id": "lead_1",
      "status": "draft"
    }

""",
    ),
    "not reached": (
        by_path({ME: resets()}, resets()),
        write(LOGGED),
        """TT:TT:TT failed    502 POST /api/v1/activity/email/  Close 1 ms, gateway 1 ms
  look-up failed  Close did not tell who the key's owner is (upstream_broken): no sender is put in.

""",
    ),
    "reported": (
        CLOSE,
        write(b'{"status": "draft", "api_key": "CANARY"}'),
        """TT:TT:TT reported  200 POST /api/v1/activity/email/  Close 1 ms, gateway 1 ms
  lead_id_required (reported)  A new email belongs to a lead: add "lead_id", the id of the lead
  whose email it is.
    {
  +   "lead_id": "lead_...",
      "status": "draft",
      "api_key": "***"
    }

""",
    ),
    "forwarded": (
        CLOSE,
        write(DRAFT),
        "TT:TT:TT forwarded 200 POST /api/v1/activity/email/  Close 1 ms, gateway 1 ms\n",
    ),
    "unreadable": (
        CLOSE,
        write(b"{nope"),
        """TT:TT:TT forwarded 200 POST /api/v1/activity/email/  Close 1 ms, gateway 1 ms
  Its body is no JSON object that could be read: only Close can tell.

""",
    ),
    "passed": (CLOSE, GET, "TT:TT:TT passed    200 GET  /api/v1/lead/?api_key=***&q=a  Close 1 ms\n"),
}


@pytest.mark.parametrize(("script", "request_", "expected"), CASES.values(), ids=CASES)
async def test_what_is_shown(script: Script, request_: bytes, expected: str) -> None:
    """At a glance: what became of it; and of an email write that has something to it, what to change."""
    (story,) = await seen(script, request_)
    assert drawn(story) == expected


async def test_what_could_not_be_read_for_its_size_says_so() -> None:
    """The event of the log that belongs to it stands below it."""
    async with (
        recording(CLOSE) as upstream,
        watched(upstream.url, inspect=InspectSettings(max_body=10)) as close,
        connected(close.port) as client,
    ):
        await client.ask(write(DRAFT))
        (story,) = close.stories
    story.notes.append({"event": "body_oversized", "level": "warning", "limit": 10, "request_id": "r"})
    assert drawn(story).splitlines()[1:] == [
        "  body_oversized  Its body is larger than the 10 bytes that are looked into (setting",
        "  inspect.max_body): no rule was applied.",
        "",
    ]


async def test_an_upstream_that_fails_is_no_verdict() -> None:
    """The request failed, whatever the policy had said of it."""
    (story,) = await seen(resets(), write(DRAFT))
    assert drawn(story).startswith("TT:TT:TT failed    502 POST /api/v1/activity/email/")


async def test_an_email_write_that_never_came_whole_is_not_forwarded() -> None:
    """Its client left in the midst of its body: there is no verdict."""
    async with recording(hangs()) as upstream, watched(upstream.url) as close:
        async with connected(close.port) as client:
            await client.send(write(SENDERLESS)[:-1])
            await until(lambda: bool(close.watch._open))
        await until(lambda: bool(close.stories))
    title, said = drawn(close.stories[0]).splitlines()[:2]
    assert title.startswith("TT:TT:TT left        - POST /api/v1/activity/email/  ")
    assert said == "  The client left before it had an answer."


async def test_who_left_has_no_status() -> None:
    """And it is said why."""
    async with recording(hangs()) as upstream, watched(upstream.url) as close:
        async with connected(close.port) as client:
            await client.send(GET)
            await until(lambda: bool(upstream.requests))
        await until(lambda: bool(close.stories))
    assert drawn(close.stories[0]).splitlines()[:2] == [
        "TT:TT:TT passed      - GET  /api/v1/lead/?api_key=***&q=a  Close 1 ms",
        "  The client left before it had an answer.",
    ]


async def test_an_answer_that_was_broken_off() -> None:
    """The status alone would not tell."""
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"
    async with recording(resets(cut)) as upstream, watched(upstream.url) as close, connected(close.port) as client:
        await client.send(GET)
        await until(lambda: bool(close.stories))
    assert drawn(close.stories[0]).splitlines()[1] == "  The answer was broken off."


@pytest.mark.parametrize("width", [40, 60, 100])
async def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Whatever was sent; and what passes through has one line."""
    stories = await seen(
        CLOSE,
        write(SENDERLESS),
        change(b'{"status": "x"}', email_id=LONG),
        GET.replace(b"q=a", b"q=" + LONG),
        write(LOGGED, path=EMAILS + LONG + b"/"),
        write(f'{{"status": "outbox", "subject": "{"三" * 99}"}}'.encode()),
    )
    texts = [drawn(story, width).splitlines() for story in stories]
    assert max(cell_len(line) for text in texts for line in text) <= width
    assert len(texts[2]) == 1
    assert [line for line in texts[4] if line.startswith('      "subject": "三三三')]


@pytest.mark.parametrize(
    ("width", "rest"),
    [
        (100, "/api/v1/activity/email/  gateway 1 ms  sender_required as above"),
        (78, "/api/v1/activity/email/  sender_required as above"),
        (60, "/api/v1/activi…/email/  as above"),
        (40, "/api/v1…ail/"),
    ],
)
async def test_what_was_shown_before_has_one_line(width: int, rest: str) -> None:
    """It says of what is above as much as there is room for."""
    (story,) = await seen(CLOSE, write(SENDERLESS))
    text = drawn(story, width, again=True)
    assert text == f"TT:TT:TT rejected  400 POST {rest}\n"


async def test_the_end_of_a_target_is_seen() -> None:
    """It tells which email was meant."""
    (story,) = await seen(CLOSE, change(DRAFT, email_id=b"acti_" + b"x" * 40 + b"END"))
    assert "/api/v1/activity/email/acti…x" in drawn(story)
    assert "xxxEND/  Close 1 ms, gateway 1 ms" in drawn(story)


async def test_colours_are_the_verdicts() -> None:
    """Red stands for what was refused; what passes through is dim."""
    rejected, passed = await seen(CLOSE, write(SENDERLESS), GET)
    words = [view.shown_of(story).word for story in (rejected, passed)]
    assert words == [Text("rejected", style="bold red"), Text("passed", style="dim")]


def test_an_event_of_the_log() -> None:
    """When, how bad and what, then what is known of it; nothing that a terminal would act on."""
    file = io.StringIO()
    told = {
        "timestamp": "2026-01-01T00:00:00.0Z",
        "level": "warning",
        "event": "store_down",
        "reason": "\x1b[31mx",
        "counts": {"a": 1},
    }
    Console(file=file, width=100, color_system=None).print(view.event(told))
    assert re.sub(r"^\S+", "TT:TT:TT", file.getvalue()) == (
        "TT:TT:TT warning   store_down  \N{REPLACEMENT CHARACTER}[31mx  counts=1 a\n"
    )
