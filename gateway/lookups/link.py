"""The connection to a shared cache, a Redis or a Valkey, and whether it does well.

Rule    Nobody waits for it longer than BUDGET. What is not answered by then has failed, and with it all that is still
        waiting for an answer: the next one does not find out again.
Rule    From then on nothing is asked. A task tries again after each pause, so that no request pays for the try; it
        reads and writes, since a cache that is full or read-only answers well to anything else.
Rule    Two events tell of it, once each: identity_cache_down and identity_cache_back. Of an error only the name of its
        class is told: its text may hold what Redis says, and so what somebody put there.
Why     One connection for all: what comes up while an answer is due goes out together afterwards. So a hundred cold
        keys at once cost two or three packets, and no connection is opened on anybody's time.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from structlog.typing import FilteringBoundLogger

from gateway.config.cache import CacheLocation
from gateway.lookups.seal import PREFIX

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

BUDGET: Final = 0.05
"""Seconds that a look-up may lose to a cache that does not answer."""
GRACE: Final = 0.005
"""Seconds of them in which the loop looks for answers once more. Where it is the gateway that stood still, they have
come meanwhile, and the timer must not be what is seen first."""
CONNECT: Final = 2.0
"""Seconds until a try to connect counts as failed. No request waits for it."""
BATCH: Final = 200
"""Commands that are sent at a stretch."""
PROBE: Final = f"{PREFIX}probe"
STARTING: Final = "starting"
TOO_SLOW: Final = "too_slow"
WRONG_TYPE: Final = "WRONGTYPE"
"""How Redis begins to say that a key holds no string."""

Command: TypeAlias = tuple[str | bytes | int, ...]


class CacheDown(Exception):
    """The cache is not asked, or did not answer."""


@dataclass(frozen=True, slots=True)
class CacheState:
    """How the shared cache does, for those who watch."""

    up: bool
    reason: str | None
    """Why it is not asked: a fixed word, or the name of an error's class."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that waits for its answer."""

    command: Command
    answer: asyncio.Future[Any]


class Link:
    """Asks the cache as long as it does well. `failures` counts how often it has ceased to.

    `pause` is until the next try, `budget` for an answer, both in seconds.
    """

    def __init__(
        self, location: CacheLocation, log: FilteringBoundLogger, *, pause: float, budget: float = BUDGET
    ) -> None:
        self._location = location
        self._log = log
        self._pause = pause
        self._budget = budget
        self._connection: AbstractConnection | None = None
        self._reason: str | None = STARTING
        self._down_since: float | None = None
        self._queue: list[Asked] = []
        self._sent: list[Asked] = []
        self._sending: asyncio.Task[None] | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()
        self.failures = 0

    @property
    def up(self) -> bool:
        return self._reason is None

    @property
    def state(self) -> CacheState:
        return CacheState(self.up, self._reason)

    async def start(self) -> None:
        """Connect, or fail to: then it is tried again. Takes no longer than a try does."""
        self._connecting = asyncio.create_task(self._connect(0.0))
        await self._tried.wait()

    def renew(self, log: FilteringBoundLogger, *, pause: float) -> None:
        """Go by these settings from now on."""
        self._log = log
        self._pause = pause

    @contextmanager
    def in_time(self) -> Iterator[None]:
        """Give what is asked within the budget to be answered; a cache that takes longer is down."""
        timer = Timer(self._budget, lambda: self._failed(TOO_SLOW))
        try:
            yield
        finally:
            timer.cancel()

    async def ask(self, *command: str | bytes | int) -> Any:
        """Say a command, within `in_time`, and give its answer; None too where a key holds no string.

        Raises CacheDown.
        """
        if self._reason is not None:
            raise CacheDown
        asked = Asked(command, asyncio.get_running_loop().create_future())
        self._queue.append(asked)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        return await asked.answer

    async def close(self) -> None:
        """Give up all that is under way."""
        self._reason = "closed"
        self._give_up()
        tasks = [task for task in (self._sending, self._connecting) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._disconnect()

    # -- what is said and answered --

    async def _send(self) -> None:
        try:
            while self._queue and self._connection is not None:
                self._sent, self._queue = self._queue[:BATCH], self._queue[BATCH:]
                answers = await _answers(self._connection, [asked.command for asked in self._sent])
                for asked, answer in zip(self._sent, answers, strict=True):
                    if not asked.answer.done():  # whoever asked may have left
                        asked.answer.set_result(answer)
                self._sent = []
        except Exception as error:  # noqa: BLE001 - whatever it is, look-ups go on without the cache
            self._failed(_named(error))
        finally:
            self._sending = None

    def _failed(self, reason: str) -> None:
        if self._reason is not None:
            return
        self.failures += 1
        self._down(reason)
        self._give_up()
        if self._sending is not None and self._sending is not asyncio.current_task():
            self._sending.cancel()
        self._connecting = asyncio.create_task(self._connect(self._pause))

    def _give_up(self) -> None:
        asked, self._sent, self._queue = self._sent + self._queue, [], []
        for one in asked:
            if not one.answer.done():
                one.answer.set_exception(CacheDown())

    # -- whether it does well --

    async def _connect(self, pause: float) -> None:
        while True:
            await asyncio.sleep(pause)
            try:
                await self._try()
            except Exception as error:  # noqa: BLE001 - as above
                self._down(TOO_SLOW if isinstance(error, TimeoutError) else _named(error))
            else:
                self._back()
                return
            pause = self._pause

    async def _try(self) -> None:
        """Connect, and see that it takes a value and gives one, as quickly as look-ups need it."""
        await self._disconnect()
        # The driver takes a tenth of a second to import, and authorities take their time to load.
        made = await asyncio.get_running_loop().run_in_executor(None, _connection, self._location)
        self._connection = made
        for seconds in (CONNECT, self._budget):
            async with asyncio.timeout(seconds):
                await _answers(made, [("SET", PROBE, b"", "PX", 1000), ("GETRANGE", PROBE, 0, 0)])

    def _down(self, reason: str) -> None:
        self._reason = reason
        self._tried.set()
        if self._down_since is None:
            self._down_since = monotonic()
            outcome = "Close is asked directly until it is back"
            self._log.warning("identity_cache_down", cache=str(self._location), reason=reason, outcome=outcome)

    def _back(self) -> None:
        self._reason = None
        self._tried.set()
        if self._down_since is not None:
            seconds = round(monotonic() - self._down_since, 1)
            self._log.info("identity_cache_back", cache=str(self._location), seconds=seconds)
            self._down_since = None

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # it is given up, however it ends
                await connection.disconnect(nowait=True)


class Timer:
    """Calls back after so many seconds, in two steps: see GRACE."""

    def __init__(self, seconds: float, late: Callable[[], None]) -> None:
        self._late = late
        self._handle = asyncio.get_running_loop().call_later(seconds - GRACE, self._nearly)

    def _nearly(self) -> None:
        self._handle = asyncio.get_running_loop().call_later(GRACE, self._late)

    def cancel(self) -> None:
        self._handle.cancel()


def _named(error: Exception) -> str:
    """Name an error. Over a UNIX socket, what Redis refuses comes wrapped in one that says nothing."""
    cause = error.__cause__
    return type(cause if type(cause).__module__ == "redis.exceptions" else error).__name__


def _connection(location: CacheLocation) -> "AbstractConnection":
    """Make the connection, not yet connected. What takes time of its own is done here, and so in a thread."""
    from redis.asyncio.connection import Connection, SSLConnection, parse_url
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    given: dict[str, Any] = dict(parse_url(location.reveal()))
    made: AbstractConnection = given.pop("connection_class", Connection)(
        **given,
        client_name="close-gateway",  # in CLIENT LIST
        driver_info=None,  # says nothing that an operator could use, and older servers refuse it
        protocol=2,  # all that is needed, without a HELLO that older servers refuse
        retry=Retry(NoBackoff(), 0),  # a second try would be on a request's time
        socket_connect_timeout=CONNECT,
        socket_timeout=None,  # timers here watch over it
    )
    if isinstance(made, SSLConnection):
        made.ssl_context.get()  # reads the system's authorities
    return made


async def _answers(connection: "AbstractConnection", commands: list[Command]) -> list[Any]:
    """Say commands and give their answers; None where a key holds no string. Raises what Redis refuses."""
    from redis.exceptions import ResponseError

    if connection.is_connected and await connection.can_read():
        await connection.disconnect(nowait=True)  # Redis has ended it since, as it does with idle ones
    await connection.connect()  # type: ignore[no-untyped-call]  # at once where it is
    await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
    answers: list[Any] = []
    refusal: ResponseError | None = None
    for _ in commands:
        try:
            answers.append(await connection.read_response())
        except ResponseError as error:
            answers.append(None)
            refusal = refusal if str(error).startswith(WRONG_TYPE) else error
    if refusal is not None:
        raise refusal
    return answers
