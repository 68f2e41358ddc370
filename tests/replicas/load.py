"""Clients that send mixed requests through the balancer until they are told to stop, and account for each.

Rule    They behave as HTTP/1.1 asks: a connection is kept while nobody says otherwise, and left after
        `Connection: close`. Nothing is sent a second time.
"""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from tests.raw import LONGEST_HEAD, NO_BODY, Broken, Ended, body_pieces, read_head, values, with_length
from tests.replicas.balancer import Backend, Balancer, Pairing
from tests.replicas.ledger import Entry, Kind, Ledger, Outcome
from tests.replicas.upstream import EMAILS, LEADS

CLIENTS: Final = 20
LIMIT: Final = 15.0
"""Seconds that an exchange may take, or anything waited for."""
PAUSE: Final = 0.03
"""Seconds between two requests of a client, at most."""
LIFE: Final = 30
"""Requests of a connection, at most."""
KEYS: Final = 24
"""Credentials of a load, and of a crowd."""
FRESH: Final = 0.3
"""Of the emails whose sender is to be filled in."""
CROWD: Final = 6
"""Clients that come with the same new credential at once: two for each gateway."""
WEIGHTS: Final = {Kind.PASSED: 30, Kind.ACCEPTED: 15, Kind.FILLED: 25, Kind.REJECTED: 30}
EXPECTED: Final = {  # status, X-Close-Gateway
    Kind.PASSED: (200, []),
    Kind.ACCEPTED: (200, [b"forwarded"]),
    Kind.FILLED: (200, [b"filled; sender"]),
    Kind.REJECTED: (400, [b"rejected; sender_required"]),
}


@dataclass(frozen=True, slots=True)
class Planned:
    """A request to send. `hold` is how many seconds the upstream takes for it (of PASSED alone)."""

    token: str
    kind: Kind
    key: str
    lead: str
    hold: float = 0.0

    def data(self) -> bytes:
        """Give its bytes."""
        method, target, body = "POST", EMAILS, b""
        email = {"note": self.token, "lead_id": self.lead, "to": ["lead@example.net"], "status": "outbox"}
        match self.kind:
            case Kind.PASSED:
                method, target = "GET", f"{LEADS}{self.token}/?hold={self.hold}"
            case Kind.ACCEPTED:
                body = json.dumps(email | {"sender": "jane@example.com"}).encode()
            case Kind.FILLED:
                body = json.dumps(email | {"status": "sent"}).encode()
            case Kind.REJECTED:
                body = json.dumps(email).encode()
        head = (
            f"{method} {target} HTTP/1.1\r\nHost: gateway\r\nX-Request-Id: {self.token}\r\n"
            f"Authorization: Bearer {self.key}\r\n"
        ).encode()
        return with_length(head, body) if body else head + b"\r\n"


class Connection:
    """A client's connection to the balancer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pairing: Pairing) -> None:
        self._reader = reader
        self._writer = writer
        self.pairing = pairing
        self.good = True

    @classmethod
    async def to(cls, balancer: Balancer) -> "Connection":
        """Open one, and wait until the balancer has taken it on."""
        reader, writer = await asyncio.open_connection("127.0.0.1", balancer.port, limit=LONGEST_HEAD)
        port = writer.get_extra_info("sockname")[1]
        async with asyncio.timeout(LIMIT):
            while (pairing := balancer.pairing(port)) is None:  # noqa: ASYNC110 - it is a turn of the loop or two
                await asyncio.sleep(0)
        return cls(reader, writer, pairing)

    @property
    def usable(self) -> bool:
        """Whether another request may be sent: nobody has said that it closes, and it has not been closed."""
        return self.good and not self._reader.at_eof() and self._reader.exception() is None

    async def ask(self, planned: Planned, ledger: Ledger) -> Entry:
        """Send a request and see what becomes of it."""
        entry = ledger.enter(planned.token, planned.kind, planned.key, self.pairing)
        try:
            async with asyncio.timeout(LIMIT):
                self._writer.write(planned.data())
                await self._writer.drain()
                outcome, note = await self._answer(planned)
        except TimeoutError:
            outcome, note = Outcome.WRONG, f"no answer within {LIMIT:.0f} s"
        except (Ended, OSError) as error:
            outcome, note = Outcome.BROKEN, repr(error)
        except (Broken, ValueError) as error:
            outcome, note = Outcome.WRONG, repr(error)
        self.good = self.good and outcome in {Outcome.ANSWERED, Outcome.REJECTED}
        ledger.settle(entry, outcome, note)
        return entry

    async def _answer(self, planned: Planned) -> tuple[Outcome, str]:
        head = await read_head(self._reader)
        if not head:
            raise Ended("The connection ended without an answer.")
        status = int(head[9:12])
        body = b""
        if status not in NO_BODY:
            body = b"".join([piece async for piece in body_pieces(self._reader, head, request=False)])
        self.good = values(head, b"connection") != [b"close"]
        if (status, values(head, b"x-close-gateway")) != EXPECTED[planned.kind]:
            return Outcome.WRONG, repr(head + body)
        told = json.loads(body)
        token = told["gateway"]["request_id"] if status == 400 else told["note"]
        if token != planned.token:
            return Outcome.WRONG, f"it got the answer of {token}"
        return (Outcome.REJECTED if status == 400 else Outcome.ANSWERED), ""

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class Load:
    """Some clients, what they have sent, and what is to come.

    `name` begins the token of each request. Each load has credentials of its own, and some emails come with one that
    is used once.
    """

    def __init__(self, name: str, balancer: Balancer, seed: int) -> None:
        self.name = name
        self.ledger = Ledger()
        self._balancer = balancer
        self._seed = seed
        self._crowds = 0
        self._going = asyncio.Event()
        self._going.set()
        self._stop = asyncio.Event()

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, name: str, balancer: Balancer, seed: int) -> AsyncIterator["Load"]:
        """Have the clients go on; at the end, have each finish what it has begun."""
        load = cls(name, balancer, seed)
        async with asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(load._client(number))
            try:
                yield load
            finally:
                load._stop.set()

    @property
    def lead(self) -> str:
        """The lead of all emails."""
        return f"lead_{self.name}"

    async def goes_on(self, seconds: float, more: int = 200) -> None:
        """Wait for so many seconds, and until so many requests more have their answers."""
        wanted = self.ledger.settled + more
        await asyncio.sleep(seconds)
        await self.until(lambda: self.ledger.settled >= wanted)

    async def until(self, come: Callable[[], bool]) -> None:
        """Wait until something has come."""
        async with asyncio.timeout(LIMIT):
            while not come():  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.001)

    async def under_way(self, backend: Backend, least: int) -> None:
        """Wait for a moment in which a backend has so many requests to answer."""
        await self.until(lambda: len(self.ledger.under_way(backend)) >= least)

    async def crowd(self, *, rest: bool = True) -> list[str]:
        """Have emails come for new credentials, each over several connections, all at once; give the credentials.

        All else rests meanwhile: a machine as busy as that would keep the cache from answering in time.
        """
        self._crowds += 1
        keys = [f"crowd-{self.name}-{self._crowds}-{number}" for number in range(KEYS)]
        async with self._at_rest() if rest else contextlib.nullcontext():
            connections = [(key, await Connection.to(self._balancer)) for key in keys for _ in range(CROWD)]
            async with asyncio.TaskGroup() as group:
                for number, (key, connection) in enumerate(connections):
                    planned = Planned(f"{key}-{number}", Kind.FILLED, key, self.lead)
                    group.create_task(connection.ask(planned, self.ledger))
            for _, connection in connections:
                await connection.close()
        return keys

    @contextlib.asynccontextmanager
    async def _at_rest(self) -> AsyncIterator[None]:
        """Have the clients pause."""
        self._going.clear()
        try:
            await self.until(lambda: self.ledger.settled == len(self.ledger.entries))
            yield
        finally:
            self._going.set()

    async def _client(self, number: int) -> None:
        chance = random.Random(f"{self._seed} {self.name} {number}")
        sent = 0
        while not self._stop.is_set():
            connection = await Connection.to(self._balancer)
            try:
                for _ in range(chance.choice((1, LIFE))):
                    await self._going.wait()
                    if self._stop.is_set() or not connection.usable:
                        break
                    sent += 1
                    await connection.ask(self._planned(f"{self.name}-{number}-{sent}", chance), self.ledger)
                    await asyncio.sleep(chance.uniform(0, PAUSE))
            finally:
                await connection.close()

    def _planned(self, token: str, chance: random.Random) -> Planned:
        kind = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        fresh = kind is Kind.FILLED and chance.random() < FRESH
        key = f"fresh-{token}" if fresh else f"key-{self.name}-{chance.randrange(KEYS)}"
        hold = chance.choice((0, 0, 0.02)) if kind is Kind.PASSED else 0
        return Planned(token, kind, key, self.lead, hold)
