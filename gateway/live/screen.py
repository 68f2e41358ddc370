"""Where the live view is drawn: standard output, by a thread of its own, so that no request waits for a terminal.

Rule    Colours and styles are for a terminal alone, and not where NO_COLOR is set (no-color.org).
Rule    A mistake that is made in a loop is shown once, whatever comes between: what follows with the same is a line
        that says so.
Rule    What the view tells of a request, the log does not tell beside it; all else that is logged stands in between,
        for reading.
"""

import io
import os
import shutil
from collections.abc import Callable
from typing import IO, Any, BinaryIO, Final, TypeAlias

import structlog
from rich.console import Console
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from gateway.background import Background
from gateway.live import view
from gateway.live.story import Story
from gateway.log import LEVELS, in_order

TOLD: Final = frozenset({"request_rejected", "request_reported", "request_served", "sender_filled", "lookup_failed"})
"""Events that say what the view says."""
BY_THE_WELCOME: Final = "gateway_started"
MOST_WAITING: Final = 32 * 1024 * 1024
"""Bytes of bodies that wait to be drawn."""
LOOP: Final = 10.0
"""Seconds between two of the same mistake, within which they count as made in a loop."""
MISTAKES: Final = 32
"""Different ones that are remembered."""
UNKNOWN_WIDTH: Final = 100
"""Columns where there is no terminal."""
NARROWEST: Final = 40
MOST_HELD: Final = 5_000
"""Things that wait to be drawn, which takes a millisecond each."""
AT_ONCE: Final = 100
"""Things that are drawn before they are written."""

Thing: TypeAlias = Story | EventDict


class Screen(Background[Thing]):
    """Draws stories and events. `quiet`: what passes through, and has nothing to it, is left out."""

    def __init__(self, stream: BinaryIO, *, quiet: bool, styled: bool) -> None:
        self._stream = stream
        self._quiet = quiet
        self._styled = styled
        self._came = 0  # bytes, and those of them that are drawn: each counted by one thread alone
        self._gone = 0
        self._lost = 0
        self._told = 0
        self._mistakes: dict[tuple[object, ...], float] = {}
        """When each came last, in that order."""
        super().__init__("view", MOST_HELD)

    def tell(self, story: Story) -> None:
        """Have an exchange drawn that is over."""
        if self._quiet and story.exchange.kind == view.PASSED and not story.notes:
            return
        if self.full or self._came - self._gone + story.weight > MOST_WAITING:
            self._lose(1)
            return
        self._came += story.weight
        self.put(story)

    # What structlog calls with an event.
    msg = debug = info = warning = error = critical = exception = Background.put

    def _deal(self, things: list[Thing]) -> None:
        for place in range(0, len(things), AT_ONCE):
            self._show(things[place : place + AT_ONCE])

    def _show(self, things: list[Thing]) -> None:
        drawn = io.StringIO()
        console = console_of(drawn, styled=self._styled)
        lost = self._lost - self._told
        for thing in things:
            if isinstance(thing, Story):
                self._gone += thing.weight
            self._draw(console, thing)
        if lost:
            console.print(f"{lost} more could not be shown: the terminal is too slow.")
        try:
            self._stream.write(drawn.getvalue().encode("utf-8", "replace"))
            self._stream.flush()
        except (OSError, ValueError):
            self._lose(len(things))
        else:
            self._told += lost

    def _draw(self, console: Console, thing: Thing) -> None:
        try:
            if isinstance(thing, Story):
                self._draw_story(console, view.shown_of(thing), thing.at)
            else:
                console.print(view.event(thing))
        except Exception as fault:  # noqa: BLE001 - what comes after is to be shown all the same
            console.print(f"What came could not be shown: {type(fault).__name__}.")

    def _draw_story(self, console: Console, shown: view.Shown, at: float) -> None:
        gist = shown.gist
        before = self._mistakes.pop(gist, None)
        console.print(view.draw(shown, console.width, again=before is not None and at - before < LOOP))
        if gist:
            self._mistakes[gist] = at
            if len(self._mistakes) > MISTAKES:
                del self._mistakes[next(iter(self._mistakes))]

    def _lose(self, count: int) -> None:
        self._lost += count


def styled(stream: IO[str]) -> bool:
    """Whether colours are for this stream."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def live_log(level: str, screen: Screen, noted: Callable[[EventDict], bool]) -> FilteringBoundLogger:
    """Make the log that goes to the screen, but for what belongs to an exchange: that is `noted`."""

    def shown(logger: WrappedLogger, name: str, event: EventDict) -> Any:
        if event["event"] == BY_THE_WELCOME or event["event"] in TOLD or noted(event):
            raise structlog.DropEvent
        return (event,), {}

    log: FilteringBoundLogger = structlog.wrap_logger(
        screen,
        processors=[in_order, shown],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
    ).bind()
    return log


def console_of(file: IO[str], *, styled: bool) -> Console:
    """Make what draws for the terminal, and writes to this file."""
    return Console(
        file=file,
        width=max(NARROWEST, shutil.get_terminal_size((UNKNOWN_WIDTH, 0)).columns),
        force_terminal=styled,
        color_system="auto" if styled else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
