"""What a developer has beside the gateway: the screen and the recording, each where it is asked for."""

import atexit
import sys
from collections.abc import Callable
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from gateway.live.har import MOST_BODY
from gateway.live.recording import Archive, Found, Recording
from gateway.live.screen import Screen, live_log, styled
from gateway.live.story import Story
from gateway.live.watch import Watch
from gateway.witness import Witness


class Live:
    """`log` is the one for the gateway, `witness` what it shows its email writes to, if to anybody.

    `lines`: a log that is to stay as it is, and so there is no screen. None: the screen has the log's lines from
    `level` on; `quiet` leaves out what passes through. `record`: where to.
    """

    def __init__(self, level: str, lines: FilteringBoundLogger | None, record: Path | None, *, quiet: bool) -> None:
        """Raises Unrecordable."""
        archive = None if record is None else Archive(record)
        tell: list[Callable[[Story], None]] = []
        self._record = record
        self.records = None if archive is None else _told(record, archive.found)
        """Where to, in words."""
        self._recording = None if archive is None else Recording(archive, self._unrecorded)
        if self._recording is not None:
            tell.append(self._recording.tell)
        watch = Watch(tell, 0 if archive is None else MOST_BODY)
        self._screen: Screen | None = None
        if lines is None:
            screen = self._screen = Screen(sys.stdout.buffer, quiet=quiet, styled=styled(sys.stdout))
            atexit.register(screen.close)
            tell.append(screen.tell)
            lines = live_log(level, screen, watch.noted)
        self.log = lines
        self.witness: Witness | None = watch if tell else None

    def close(self) -> None:
        """Record and show what waits."""
        if self._recording is not None:
            self._recording.close()
            written, lost = self._recording.written, self._recording.lost
            if written or lost:
                self.log.info("recorded", file=str(self._record), requests=written, lost=lost or None)
        if self._screen is not None:
            self._screen.close()

    def _unrecorded(self, reason: str) -> None:
        """Tell at once: what comes from here on may be missing."""
        self.log.warning("recording_failed", file=str(self._record), reason=reason)


def _told(record: Path | None, found: Found) -> str:
    """Name the recording, and what it holds already."""
    before = f", behind {found.entries:,} earlier request{'s' * (found.entries != 1)}" if found.entries else ""
    return f"{record}{before}{'; one that was cut off is taken out' if found.mended else ''}"
