"""Does the upstream's name resolve? Asked by those who decide whether requests should come here.

Rule    The system is asked at most once in AGE seconds, by one question at a time: whoever asks meanwhile shares it.
        A question about one name is never an answer about another: a reload may have changed it.
        A question that takes longer than PATIENCE counts as no, and goes on in its thread.
"""

import asyncio
from time import monotonic
from typing import Final

AGE: Final = 5.0
PATIENCE: Final = 2.0
"""Seconds."""


class Resolving:
    """Remembers the answer for a while."""

    def __init__(self) -> None:
        self._asked: tuple[str, float] | None = None
        self._answer = False
        self._asking: dict[str, asyncio.Task[bool]] = {}

    async def resolves(self, host: str) -> bool:
        """Whether the system knows an address for this name, or it is an address."""
        if self._asked is None or self._asked[0] != host or monotonic() - self._asked[1] > AGE:
            asking = self._asking.get(host)
            if asking is None or asking.done():
                # A question about a name from before a reload goes on, and is no answer about this one.
                asking = asyncio.create_task(_resolves(host))
                self._asking = {host: asking}
            try:
                answer = await asyncio.wait_for(asyncio.shield(asking), PATIENCE)
            except TimeoutError:
                answer = False
            self._answer, self._asked = answer, (host, monotonic())
            return answer
        return self._answer


async def _resolves(host: str) -> bool:
    try:
        return bool(await asyncio.get_running_loop().getaddrinfo(host, None))
    except (OSError, UnicodeError):  # no address; or no name that the system could look up
        return False
