"""A log that a process writes to a file, read as far as it has got."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Following:
    """Gives each event once. A line that is still being written, or never will be whole, is left for later."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read = 0

    def new(self) -> Iterator[dict[str, Any]]:
        """Read what has come since the last time, line by line."""
        with self._file.open("rb") as log:
            log.seek(self._read)
            for line in log:
                if not line.endswith(b"\n"):
                    return
                self._read += len(line)
                yield json.loads(line)
