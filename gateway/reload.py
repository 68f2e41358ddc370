"""Reads the configuration anew and puts it in force: all of it or nothing.

Rule    One at a time. Nothing of it keeps the event loop waiting: a thread reads and checks.
Rule    Whoever asked for it may leave: what has begun goes on to its end.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

from structlog.typing import FilteringBoundLogger

from gateway import systemd
from gateway.config.change import Change, change, clashes
from gateway.config.problem import BadConfiguration, Problem
from gateway.config.settings import Settings
from gateway.errors import GatewayError, places
from gateway.log import at_level
from gateway.meters import Readings

OUTCOMES: Final = ("reloaded", "rejected")


class NotPutInForce(GatewayError):
    """What was read is fine, and yet could not be put in force. Its text says why."""

    code: ClassVar[str] = "not_put_in_force"


class Reloader:
    """`load` reads the configuration, in a thread. `put_in_force` does so wholly, or raises and has changed nothing.

    `counts` counts by outcome: reloaded, rejected.
    """

    def __init__(
        self,
        settings: Settings,
        load: Callable[[], Settings],
        put_in_force: Callable[[Settings], Awaitable[None]],
        log: FilteringBoundLogger,
    ) -> None:
        self._settings = settings
        self._load = load
        self._put_in_force = put_in_force
        self._log = log
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[Change]] = set()
        self._closed = False
        self.counts: Counter[str] = Counter()

    def hang_up(self) -> None:
        """Reload, as SIGHUP asks for. What is wrong goes into the log alone."""
        self._begin().add_done_callback(self._heard)

    def _heard(self, task: asyncio.Task[Change]) -> None:
        fault = None if task.cancelled() else task.exception()
        if fault is not None and not isinstance(fault, BadConfiguration):
            self._log.error("internal_error", error=type(fault).__name__, at=places(fault))

    async def reload(self) -> Change:
        """Reload. Raises BadConfiguration with every problem, and nothing has changed then."""
        return await asyncio.shield(self._begin())

    def readings(self) -> Readings:
        """Tell how many reloads there were, by outcome."""
        return {"config_reloads": {(outcome,): self.counts[outcome] for outcome in OUTCOMES}}

    async def close(self) -> None:
        """Begin no more; wait for the one that has begun."""
        self._closed = True
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self) -> asyncio.Task[Change]:
        task = asyncio.get_running_loop().create_task(self._in_turn())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _in_turn(self) -> Change:
        async with self._turn:
            systemd.reloading()
            try:
                wanted = await self._reloaded()
            except BadConfiguration as bad:
                self.counts["rejected"] += 1
                self._log.error("config_rejected", problems=[str(problem) for problem in bad.problems])
                raise
            finally:
                systemd.ready()
            self.counts["reloaded"] += 1
            self._settings = wanted.settings
            self._log = at_level(self._log, wanted.settings.log.level.value)
            log = self._log.warning if wanted.needs_restart else self._log.info
            log("config_reloaded", changed=wanted.changed, needs_restart=wanted.needs_restart)
            return wanted

    async def _reloaded(self) -> Change:
        if self._closed:
            raise BadConfiguration([_problem("cannot be put in force: the gateway is about to stop")])
        wanted = change(self._settings, await asyncio.to_thread(self._load))
        if problems := list(clashes(wanted)):
            raise BadConfiguration(problems)
        try:
            await self._put_in_force(wanted.settings)
        except (GatewayError, OSError) as error:
            why = str(error) if isinstance(error, GatewayError) else (error.strerror or type(error).__name__).lower()
            raise BadConfiguration([_problem(f"could not be put in force: {why}")]) from None
        return wanted


def _problem(what: str) -> Problem:
    return Problem("", "the configuration", what, "The settings from before are in force as they were.")
