import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from structlog.typing import EventDict

from gateway.live import screen as module
from gateway.live.screen import Screen, live_log, styled
from gateway.live.story import Story, Tape
from tests.exchanges import exchange_of
from tests.forwarding.emails import write
from tests.live.watching import watched
from tests.raw import connected
from tests.recording import OK, answers, recording

GET = b"GET /api/v1/me/ HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(autouse=True)
def _width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have it as wide as where there is no terminal."""
    monkeypatch.setenv("COLUMNS", "100")


def story(path: bytes = b"/api/v1/me/", *, kind: str = "pass_through") -> Story:
    """Give one that is over."""
    told = Story(exchange_of(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path), Tape(0), Tape(0))
    told.exchange.kind = kind
    told.exchange.status = 200
    told.exchange.complete = True
    told.end(whole=True)
    return told


def heavy() -> Story:
    """Give one that holds 600 bytes."""
    told = story()
    told.came = Tape(600)
    told.came.hear(b"x" * 600)
    return told


def shown(tell: Callable[[Screen], None], tmp_path: Path, *, quiet: bool = False, styled: bool = False) -> str:
    """Give what is written of what is told."""
    file = tmp_path / "shown"
    with file.open("wb") as stream:
        screen = Screen(stream, quiet=quiet, styled=styled)
        tell(screen)
        screen.close()
    return file.read_text()


def test_what_is_told_is_drawn_in_its_order(tmp_path: Path) -> None:
    """All of it, by the time that it is closed."""

    def tell(screen: Screen) -> None:
        for number in range(300):
            screen.tell(story(b"/%d/" % number))

    lines = shown(tell, tmp_path).splitlines()
    assert [line.split()[4] for line in lines] == [f"/{number}/" for number in range(300)]


def test_quiet_leaves_out_what_passes_through(tmp_path: Path) -> None:
    """But not what has something to it."""
    noted = story(b"/noted/")
    noted.notes.append({"event": "upstream_failed", "level": "warning", "reason": "x"})

    def tell(screen: Screen) -> None:
        for told in (story(b"/passed/"), story(b"/email/", kind="create_email"), noted):
            screen.tell(told)

    text = shown(tell, tmp_path, quiet=True)
    assert [name for name in ("/passed/", "/email/", "/noted/") if name in text] == ["/email/", "/noted/"]


@pytest.mark.parametrize("colours", [False, True])
def test_colours_are_for_who_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, colours: bool) -> None:
    """Elsewhere not even what is dim is marked."""
    monkeypatch.setenv("TERM", "xterm-256color")
    assert ("\x1b" in shown(lambda screen: screen.tell(story()), tmp_path, styled=colours)) is colours


def test_a_terminal_has_colours_unless_it_is_told_not_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file has none; nor does a terminal with NO_COLOR, or one that knows none."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    other, end = os.openpty()
    with os.fdopen(end, "w") as terminal, (tmp_path / "file").open("w") as file:
        seen = [styled(terminal), styled(file)]
        monkeypatch.setenv("TERM", "dumb")
        seen.append(styled(terminal))
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("NO_COLOR", "1")
        seen.append(styled(terminal))
    os.close(other)
    assert seen == [True, False, False, False]


def test_a_terminal_that_is_stuck_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it does not take in time is dropped and counted; it is said how many that were once it goes on."""
    monkeypatch.setattr(module, "MOST_WAITING", 1000)
    monkeypatch.setattr(module, "MOST_HELD", 1000)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "wb", buffering=0) as stream:
        screen = Screen(stream, quiet=False, styled=False)
        for _ in range(3000):
            screen.put({"timestamp": "2026-01-01T00:00:00Z", "level": "info", "event": "x" * 99})
        screen.tell(heavy())
        screen.tell(heavy())
        came: list[bytes] = []
        thread = threading.Thread(target=lambda: came.append(reader.read()))
        thread.start()
        while screen._waiting:
            time.sleep(0.01)
        screen.put({"timestamp": "2026-01-01T00:00:00Z", "level": "info", "event": "last"})
        screen.close()
        screen._thread.join(30)
        stream.close()
        thread.join()
    assert b"more could not be shown: the terminal is too slow." in came[0]


@pytest.mark.parametrize(("most", "waiting"), [(2, 1_000_000), (1000, 1000)])
def test_what_is_dropped_waits_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, waiting: int
) -> None:
    """Whether it was too many or too much: else a terminal that was stuck for long would show nothing ever after."""
    monkeypatch.setattr(module, "MOST_HELD", most)
    monkeypatch.setattr(module, "MOST_WAITING", waiting)
    with (tmp_path / "shown").open("wb") as stream:
        screen = Screen(stream, quiet=False, styled=False)
        for _ in range(50):
            screen.tell(heavy())
        screen.close()
    assert (screen._came - screen._gone, screen._lost > 0) == (0, True)


LOOP: Final = write(b'{"lead_id": "lead_1", "status": "outbox", "subject": "one"}')
OTHER: Final = write(b'{"lead_id": "lead_1", "status": "outbox", "sender": "Jane"}')


async def below(tmp_path: Path, *requests: bytes, late: int = 0) -> list[tuple[str, str]]:
    """Send these, the last so many seconds late; give of each what stands behind its target, and the code below it."""
    async with recording(answers(OK)) as upstream, watched(upstream.url) as close, connected(close.port) as client:
        for request in requests:
            await client.ask(request)
    close.stories[-1].at += late

    def tell(screen: Screen) -> None:
        for told in close.stories:
            screen.tell(told)

    text = re.sub(r"(Close|gateway) [0-9.]+ m?s", "1 ms", shown(tell, tmp_path))
    return re.findall(r"^(?:\d\d:.*/  (.*)|  (sender_\w+)  .*)$", text, re.MULTILINE)


async def test_a_mistake_in_a_loop_is_shown_once(tmp_path: Path) -> None:
    """Those that follow soon say so in a line, whatever comes between them; after a while it is shown again."""
    told = await below(tmp_path, LOOP, OTHER, GET, LOOP.replace(b"one", b"two"), OTHER, OTHER, LOOP, LOOP, late=60)
    assert ["".join(pair) for pair in told] == [
        "1 ms",
        "sender_required",
        "1 ms",
        "sender_malformed",
        "1 ms",
        "1 ms  sender_required as above",
        "1 ms  sender_malformed as above",
        "1 ms  sender_malformed as above",
        "1 ms  sender_required as above",
        "1 ms",
        "sender_required",
    ]


async def test_no_more_mistakes_are_remembered_than_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was not made for longest is shown again."""
    monkeypatch.setattr(module, "MISTAKES", 1)
    told = await below(tmp_path, LOOP, LOOP, OTHER, LOOP)
    assert [code for _, code in told if code] == ["sender_required", "sender_malformed", "sender_required"]


def test_what_cannot_be_drawn_is_told_and_the_rest_is_shown(tmp_path: Path) -> None:
    """A mistake of the view's own ends no view."""
    broken = story()
    broken.notes.append({})

    def tell(screen: Screen) -> None:
        screen.tell(broken)
        screen.tell(story(b"/after/"))

    text = shown(tell, tmp_path)
    assert "What came could not be shown: KeyError." in text
    assert "/after/" in text


def test_a_terminal_that_is_gone_stops_nobody() -> None:
    """What was to be shown there is lost."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb", buffering=0) as stream:
        screen = Screen(stream, quiet=False, styled=False)
        screen.tell(story())
        screen.close()
    assert screen._lost == 1


def test_what_the_view_tells_the_log_does_not_tell_again(tmp_path: Path) -> None:
    """Nor what the welcome tells; what belongs to a request goes there, and all else stands between the lines."""
    seen: list[EventDict] = []

    def noted(event: EventDict) -> bool:
        if event.get("request_id") == "r-1":
            seen.append(event)
            return True
        return False

    def tell(screen: Screen) -> None:
        log = live_log("info", screen, noted)
        log.debug("too_little")
        log.info("gateway_started")
        log.warning("request_rejected", request_id="r-1")
        log.warning("upstream_failed", request_id="r-1", reason="x")
        log.warning("identity_cache_down", reason="y")

    text = shown(tell, tmp_path)
    assert [line.split(maxsplit=1)[1] for line in text.splitlines()] == ["warning   identity_cache_down  y"]
    assert [event["event"] for event in seen] == ["upstream_failed"]
