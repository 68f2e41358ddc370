"""The requests of the soak: which there are, and how each is written."""

import enum
import itertools
import json
import random
from dataclasses import dataclass, replace
from typing import Final

from tests.raw import chunked
from tests.soak.faults import FAULTS
from tests.soak.ledger import Entry
from tests.soak.lookups import BARE, DEAD, owner_of
from tests.soak.tokens import pattern

KEYS: Final = 300
"""Different keys, more than the gateway remembers."""
LARGE: Final = (150_000, 1_500_000)
SMALL: Final = (1, 3000)
KEEP_ALIVE: Final = b"Connection: keep-alive\r\n"
CLOSE: Final = b"Connection: close\r\n"
CLOSING: Final = 0.1
FAULTY: Final = 0.4
"""Of the requests, so many ask for something else than a plain answer."""


class Leaving(enum.Enum):
    """When a client goes away by itself."""

    AT_THE_ANSWER = enum.auto()
    """Just as the upstream sends the last of it."""
    IN_UPLOAD = enum.auto()
    IN_DOWNLOAD = enum.auto()
    ANY_TIME = enum.auto()


@dataclass(frozen=True, slots=True)
class Planned:
    """A request to be sent."""

    entry: Entry
    data: bytes
    """All of it."""
    size: int
    """Bytes of the answer's body."""
    keep_alive: bool = True
    leaving: Leaving | None = None

    @property
    def bodiless(self) -> bool:
        return self.entry.method == "HEAD"


class Traffic:
    """Makes requests, by the seed."""

    def __init__(self, seed: int, client: int) -> None:
        self.random = random.Random(f"{seed}/{client}")
        self._prefix = f"c{client}"
        self._numbers = itertools.count()

    def plan(
        self, *, plain: bool = False, leaving: Leaving | None = None, modern: bool = True, last: bool = True
    ) -> Planned:
        """Make a request. `plain`: a GET or POST that nothing happens to. `last`: it may end the connection."""
        planned = self._plan(plain=plain, leaving=leaving, modern=modern)
        if last and self.random.random() < CLOSING:
            return replace(planned, data=planned.data.replace(KEEP_ALIVE, CLOSE, 1), keep_alive=False)
        return planned

    def _plan(self, *, plain: bool, leaving: Leaving | None, modern: bool) -> Planned:
        token = f"{self._prefix}-{next(self._numbers)}"
        kind = self.random.choice(("get", "post")) if plain else self._kind(leaving)
        fault = "none" if plain else self._fault(kind)
        if kind == "email":
            return self._email(token, fault, leaving, modern=modern)
        method = {"get": "GET", "head": "HEAD", "download": "GET"}.get(kind, "POST")
        size = self.random.randint(*(LARGE if kind == "download" else SMALL)) if fault != "surplus" else 100
        length = self.random.randint(*(LARGE if kind == "upload" else SMALL)) if method == "POST" else 0
        body = pattern(token, length)
        entry = Entry(token, method, FAULTS[fault], rejected=False, leaves=leaving is not None)
        lines = f"X-Size: {size}\r\nX-Length: {length}\r\n"
        in_chunks = modern and method == "POST" and self.random.random() < 0.5
        return self._written(
            entry, "/api/v1/lead/", lines, body, size, modern=modern, leaving=leaving, chunks=in_chunks
        )

    def _kind(self, leaving: Leaving | None) -> str:
        if leaving is Leaving.IN_UPLOAD:
            return "upload"
        if leaving is Leaving.IN_DOWNLOAD:
            return "download"
        return self.random.choices(("get", "post", "email", "head", "upload", "download"), (30, 20, 35, 5, 5, 5))[0]

    def _fault(self, kind: str) -> str:
        if self.random.random() > FAULTY:
            return "none"
        return self.random.choice([fault.name for fault in FAULTS.values() if fault.bodiless or kind != "head"])

    def _email(self, token: str, fault: str, leaving: Leaving | None, *, modern: bool) -> Planned:
        """Make an email write: accepted, rejected, filled or looked up, also where the look-up fails."""
        chance = self.random
        key = f"key{chance.randrange(KEYS)}" + chance.choice(("", "", "", DEAD))
        what = chance.choice(("accepted", "rejected", "filled", "looked up"))
        email = {"note": token, "status": {"filled": "sent"}.get(what, "outbox")}
        target, method, rejected, sender = "/api/v1/activity/email/", "POST", what == "rejected", ""
        if what == "accepted":
            sender = email["sender"] = f"{token}@example.com"
        elif what == "filled" and DEAD not in key:
            sender = owner_of(key)
        elif what == "looked up":
            stored = chance.choice(("whole", BARE, DEAD))
            target, method, rejected = f"{target}acti_{stored}_{token}/", "PUT", stored == BARE
        size = chance.randint(*SMALL) if fault != "surplus" else 100
        lines = f"X-Kind: email\r\nX-Sender: {sender}\r\nX-Size: {size}\r\nAuthorization: Bearer {key}\r\n"
        entry = Entry(token, method, FAULTS[fault], rejected=rejected, leaves=leaving is not None)
        body = json.dumps(email).encode()
        return self._written(entry, target, lines, body, size, modern=modern, leaving=leaving)

    def _written(
        self,
        entry: Entry,
        target: str,
        lines: str,
        body: bytes,
        size: int,
        *,
        modern: bool,
        leaving: Leaving | None,
        chunks: bool = False,
    ) -> Planned:
        framing = ""
        if chunks:
            framing = "Transfer-Encoding: chunked\r\n"
            body = chunked(*(body[at : at + 50_000] for at in range(0, len(body), 50_000)))
        elif entry.method in {"POST", "PUT"}:
            framing = f"Content-Length: {len(body)}\r\n"
        entry.notes.append(f"HTTP/1.{int(modern)}")
        head = (
            f"{entry.method} {target} HTTP/1.{int(modern)}\r\nHost: gateway\r\n"
            f"X-Token: {entry.token}\r\nX-Request-Id: {entry.token}\r\nX-Fault: {entry.fault.name}\r\n"
            f"{lines}Connection: keep-alive\r\n{framing}\r\n"
        )
        return Planned(entry, head.encode() + body, size, leaving=leaving)
