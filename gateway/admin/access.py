"""Who may ask: whoever shows the token, or has shown it on the login page.

Rule    Tokens are compared in constant time, and only so many wrong ones are taken in a minute, whoever brings them.
        Beyond that none is looked at, since a right one would be told from the wrong ones by its answer.
Rule    Who logged in is known by a random text of its own, never by the token. It is forgotten with the process.
"""

import hashlib
import hmac
import secrets
import time
from collections import deque
from collections.abc import Callable, Collection
from typing import Final

from gateway.secret import Secret

ATTEMPTS: Final = 10
WINDOW: Final = 60.0
"""So many wrong tokens in so many seconds."""
SESSIONS: Final = 100
"""Logins that are remembered; the oldest goes first."""


class Access:
    """Knows the token and who has shown it. Without a token everybody may ask.

    `open_paths` are those that need none.
    """

    def __init__(
        self, token: Secret | None, open_paths: Collection[str] = (), *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._token = token
        self.open_paths = frozenset(open_paths)
        self._clock = clock
        self._failed: deque[float] = deque(maxlen=ATTEMPTS)
        self._sessions: dict[bytes, None] = {}

    def renew(self, token: Secret | None, open_paths: Collection[str]) -> None:
        """Have this in force from now on. With another token, who had shown the old one has to show the new one."""
        self.open_paths = frozenset(open_paths)
        if token != self._token:
            self._token = token
            self._sessions.clear()
            self._failed.clear()

    @property
    def required(self) -> bool:
        """Whether there is a token."""
        return self._token is not None

    def wait(self) -> int:
        """Tell for how many seconds no token is looked at; 0: they are."""
        if len(self._failed) < ATTEMPTS:
            return 0
        left = self._failed[0] + WINDOW - self._clock()
        return int(left) + 1 if left > 0 else 0

    def accepts(self, token: str) -> bool:
        """Whether this is the token. A wrong one counts. Only to be asked where nobody has to wait."""
        if self._token is None:
            return True
        if hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._token.reveal().encode()):
            return True
        self._failed.append(self._clock())
        return False

    def admit(self) -> str:
        """Begin a session, and give what it is known by."""
        session = secrets.token_urlsafe(32)
        self._sessions[_digest(session)] = None
        if len(self._sessions) > SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        return session

    def knows(self, session: str) -> bool:
        """Whether this session has begun. A guess need not count: there is too much to guess."""
        return _digest(session) in self._sessions

    def dismiss(self, session: str) -> None:
        """End a session."""
        self._sessions.pop(_digest(session), None)


def _digest(session: str) -> bytes:
    """What is looked up: how long that takes tells nothing of what it was made from."""
    return hashlib.sha256(session.encode("utf-8", "surrogatepass")).digest()
