"""The README's picture of the live view, drawn by the view itself."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from gateway.sandbox import Sandbox
from tests.forwarding.emails import EMAILS
from tests.live.test_view import drawn
from tests.live.watching import watched
from tests.raw import connected, with_length

README: Final = Path(__file__).parents[2] / "README.md"
FIELDS: Final = b"Host: x\r\nAuthorization: Basic YXBpX2phbmVfc2FuZGJveF9rZXk6\r\nContent-Type: application/json\r\n"
BODIES: Final = (
    b'{"lead_id": "lead_SandboxBluth", "to": ["lead@example.net"], "status": "outbox", "subject": "Offer"}',
    b'{"lead_id": "lead_SandboxBluth", "status": "sent", "subject": "Logged"}',
    b'{"lead_id": "lead_Unknown", "status": "draft"}',
)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Run a sandbox."""
    close = Sandbox()
    await close.start()
    yield close.url
    await close.stop()


async def test_the_picture_is_what_is_shown(url: str) -> None:
    """Line by line, but for the times."""
    section = README.read_text().partition("## While you develop\n")[2]
    picture = section.partition("```text\n")[2].partition("```")[0]
    async with watched(url) as close, connected(close.port) as client:
        await client.ask(b"GET /api/v1/me/ HTTP/1.1\r\n" + FIELDS + b"\r\n")
        for body in BODIES:
            await client.ask(with_length(b"POST %b HTTP/1.1\r\n" % EMAILS + FIELDS, body))
        text = "".join(drawn(story, 88) for story in close.stories)
    picture = re.sub(r"^\d\d:\d\d:\d\d", "TT:TT:TT", picture, flags=re.MULTILINE)
    assert text.rstrip("\n") == re.sub(r"(Close|gateway) [0-9.]+ m?s", r"\1 1 ms", picture).rstrip("\n")
