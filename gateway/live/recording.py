"""Writes what passes into a HAR archive, by a thread of its own.

Rule    The file is a whole archive after each write: what closes it is written again behind each entry. A process that
        is killed in the midst of one loses that entry alone: each has a line, and the next recording mends the file.
Rule    A recording goes on where an earlier one ended; a file that is none is left as it is.
Rule    Nobody waits for it. Entries that come quicker than they are written wait, up to a limit; what is beyond it, and
        what the disk does not take, is counted and told.
"""

import fcntl
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, ClassVar, Final, NamedTuple

import orjson

from gateway.background import Background
from gateway.errors import GatewayError
from gateway.live.har import LOG, entry_of
from gateway.live.story import Story

HEAD: Final = b'{"log":' + orjson.dumps(LOG)[:-1] + b',"entries":[\n'
TAIL: Final = b"\n]}}\n"
BEGINNING: Final = b'{"log":{"version":"1.2","creator":{"name":"Close Gateway"'
MOST_BYTES: Final = 1_073_741_824
"""Bytes of an archive."""
BLOCK: Final = 1_048_576
"""Bytes that are read at once."""
MOST_WAITING: Final = 64 * 1024 * 1024
"""Bytes of entries that wait to be written."""

LAST_WRITES: Final = 30.0
"""Seconds that a stopping process waits for the last entries: a second Ctrl-C ends it before."""


class Unrecordable(GatewayError):
    """The file cannot be recorded to."""

    code: ClassVar[str] = "unrecordable"


class Found(NamedTuple):
    """What an archive holds."""

    end: int
    """Where its entries end."""
    entries: int
    mended: bool = False
    """Whether its last line was cut off."""


def whole(text: bytes) -> Found | None:
    """Find what is whole in a recording that was cut off in its last line. None: it is none of ours."""
    end = text.rfind(b",\n")
    if not text.startswith(BEGINNING) or (end < 0 and not text.startswith(HEAD)):
        return None
    return Found(len(HEAD), 0, mended=True) if end < len(HEAD) else Found(end, text.count(b"\n", 0, end), mended=True)


class Archive:
    """The file. What is written to it are entries, each followed by a comma but the last; `found` was there before."""

    def __init__(self, path: Path) -> None:
        """Open it, or make it for its user's eyes alone. Raises Unrecordable."""
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            self._file: IO[bytes] = os.fdopen(handle, "r+b", buffering=0)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until it is closed
                found = self._found()
            except OSError:
                self._file.close()
                raise
        except BlockingIOError:
            raise Unrecordable(f"{path} is being recorded to already. Name another file with --record.") from None
        except OSError as error:
            reason = (error.strerror or "no reason is given").lower()
            raise Unrecordable(f"{path} cannot be written: {reason}. Name another file with --record.") from None
        if found is None:
            self._file.close()
            raise Unrecordable(f"{path} holds something else than a recording of ours. Name another with --record.")
        self.found = found
        self._end, self._some = found.end, found.entries > 0

    def _found(self) -> Found | None:
        """Find what is there, and make it an archive. None: it is none of ours."""
        size = self._file.seek(0, os.SEEK_END)
        if size == 0:
            if stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
                os.fchmod(self._file.fileno(), 0o600)  # also where it was there already, and empty
            self._file.write(HEAD + TAIL)
            return Found(len(HEAD), 0)
        end = size - len(TAIL)
        self._file.seek(0)
        begins = self._file.read(len(BEGINNING)) == BEGINNING
        self._file.seek(max(0, end - 1))
        last = self._file.read()
        if not begins:
            return None
        if last[1:] == TAIL:
            return Found(end, max(1, self._lines(end)) if last[:1] == b"}" else 0)
        return self._mended()

    def _lines(self, end: int) -> int:
        """Count the lines before `end`: an entry is one, and behind its last there is none."""
        self._file.seek(0)
        count = 0
        while (left := end - self._file.tell()) > 0 and (block := self._file.read(min(left, BLOCK))):
            count += block.count(b"\n")
        return count

    def _mended(self) -> Found | None:
        """Close an archive again that was cut off in its last line."""
        self._file.seek(0)
        found = whole(self._file.read())
        if found is not None:
            self._file.seek(found.end)
            self._file.write(TAIL)
            self._file.truncate()
        return found

    def write(self, entries: bytes) -> None:
        """Write entries behind those that are there. Raises OSError, and the archive is as it was then."""
        text = (b",\n" if self._some else b"") + entries
        if self._end + len(text) > MOST_BYTES:
            raise OSError("the archive is as large as it may be")
        try:
            self._put(text + TAIL)
        except OSError:
            with suppress(OSError):
                self._put(TAIL)  # shorter than what is there, so that a full disk takes it
                self._file.truncate()
            raise
        self._end += len(text)
        self._some = True

    def _put(self, text: bytes) -> None:
        self._file.seek(self._end)
        rest = memoryview(text)
        while rest:
            rest = rest[self._file.write(rest) :]

    def close(self) -> None:
        self._file.close()


class Recording(Background[Story]):
    """Takes stories. `failed` is told, once, why something could not be kept."""

    def __init__(self, archive: Archive, failed: Callable[[str], None]) -> None:
        self._archive = archive
        self._failed = failed
        self._came = 0  # bytes, and those of them that are dealt with: each counted by one thread alone
        self._gone = 0
        self.written = 0
        self.lost = 0
        super().__init__("recording")

    def tell(self, story: Story) -> None:
        """Have it written."""
        if self.full or self._came - self._gone + story.weight > MOST_WAITING:
            self._lose(1)
            return
        self._came += story.weight
        self.put(story)

    def close(self, within: float = LAST_WRITES) -> None:
        super().close(within)
        self._archive.close()
        self.lost += len(self._waiting)

    def _deal(self, things: list[Story]) -> None:
        for story in things:
            try:
                self._archive.write(orjson.dumps(entry_of(story)))
            except OSError as error:
                self._lose(1, error.strerror or str(error))
            except Exception as fault:  # noqa: BLE001 - what comes after is to be recorded all the same
                self._lose(1, type(fault).__name__)
            else:
                self.written += 1
            self._gone += story.weight

    def _lose(self, count: int, reason: str = "the disk is too slow") -> None:
        if not self.lost:
            self._failed(reason)
        self.lost += count
