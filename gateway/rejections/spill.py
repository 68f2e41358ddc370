"""Files in which entries wait for the store: a line of JSON each.

Rule    Nobody but the gateway may read them (0600).
Rule    Each gateway writes a file of its own, which it holds a lock on. At its start a gateway takes over the files
        that nobody holds: their gateways are gone. Entries in them that reached the store after all are known there by
        their ids.
Rule    What cannot be written whole is not there: the file is cut back to where it was. So is a last line without an
        end, which a crash leaves.
"""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from gateway.rejections.entry import Entry, from_line, to_line

PREFIX: Final = "rejections-waiting-"
SUFFIX: Final = ".jsonl"
FLAGS: Final = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
ATTEMPTS: Final = 5


class Spill:
    """One file: written at its end, read from its beginning."""

    def __init__(self, path: Path, *, make: bool = False) -> None:
        """Open it, or make it. Raises OSError: BlockingIOError if it is held, FileNotFoundError if it is gone."""
        self.path = path
        self._file = os.open(path, FLAGS | (os.O_CREAT | os.O_EXCL if make else 0), 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = os.fstat(self._file)
            if not found.st_nlink:  # somebody took it over and away before it was held
                raise FileNotFoundError
            self._end = found.st_size
        except OSError:
            os.close(self._file)
            raise
        self._read = 0
        self._next = 0
        self.damaged = 0
        """Lines that were no entries, of those read last."""

    def __len__(self) -> int:
        """Tell how many bytes are not done with."""
        return self._end - self._read

    def append(self, entries: Sequence[Entry]) -> None:
        """Write all of them, or raise OSError and write none."""
        text = b"".join(map(to_line, entries))
        written = 0
        try:
            while written < len(text):
                written += os.pwrite(self._file, text[written:], self._end + written)
        except OSError:
            with suppress(OSError):  # what is left there is written over later, or is no line
                os.ftruncate(self._file, self._end)
            raise
        self._end += written

    def read(self, limit: int) -> list[Entry]:
        """Give the first entries, again and again until they are done with. Raises OSError."""
        found: list[Entry] = []
        self._next = self._read
        self.damaged = 0
        for line in self._lines():
            if len(found) == limit:
                break
            self._next += len(line)
            entry = from_line(line)
            if entry is None:
                self.damaged += 1
            else:
                found.append(entry)
        return found

    def done(self) -> None:
        """Be done with what was read last. A file that is done with to its end becomes empty."""
        self._read = self._next
        if self._read == self._end:
            with suppress(OSError):  # else it only grows on
                os.ftruncate(self._file, 0)
                self._read = self._next = self._end = 0

    def close(self) -> None:
        """Let go of it; take it away if nothing is left in it."""
        if not len(self):
            with suppress(OSError):
                self.path.unlink()
        os.close(self._file)

    def _lines(self) -> Iterator[bytes]:
        """Read the lines from where is not done with yet; the last one may have no end."""
        with os.fdopen(os.dup(self._file), "rb") as file:
            file.seek(self._read)
            place = self._read
            for line in file:
                place += len(line)
                if place > self._end:
                    return
                yield line


def abandoned(folder: Path, store: str) -> tuple[list[Spill], OSError | None]:
    """Take over the files that no gateway holds, the oldest first; and tell why, where one cannot be."""
    found: list[Spill] = []
    failure: OSError | None = None
    for path in sorted(folder.glob(f"{PREFIX}{store}-*{SUFFIX}")):
        try:
            found.append(Spill(path))
        except (BlockingIOError, FileNotFoundError):
            continue
        except OSError as error:
            failure = error
    return found, failure


def fresh(folder: Path, store: str, name: str) -> Spill:
    """Make a file of one's own; `name` sorts by time. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for attempt in range(ATTEMPTS):
        # A gateway that starts at this moment may take it for one that nobody holds.
        with suppress(BlockingIOError, FileNotFoundError):
            return Spill(folder / f"{PREFIX}{store}-{name}-{attempt}{SUFFIX}", make=True)
    raise BlockingIOError
