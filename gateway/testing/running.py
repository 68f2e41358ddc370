"""A gateway in front of a sandbox of Close, for one test."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from gateway.app import Gateway
from gateway.config.settings import Settings
from gateway.sandbox import Refusal, Sandbox, User, World
from gateway.sandbox.clock import Clock
from gateway.sandbox.making import unknown_names
from gateway.sandbox.seed import JANE, JOHN, LEAD_ID, MARY
from gateway.sandbox.seeding import SECTIONS
from gateway.testing.background import Background
from gateway.testing.events import Events
from gateway.testing.rejection import Rejection

Json: TypeAlias = dict[str, Any]

USERS: Final = (JANE, JOHN, MARY)
API: Final = "/api/v1/"


class CloseGateway:
    """A gateway in front of a sandbox of Close, both on free ports of 127.0.0.1, and new for this test.

    The sandbox knows three users and one lead, and holds no email. What is read here are copies, taken at that moment.
    """

    url: str
    """What a client takes for Close: http://127.0.0.1:PORT/api/v1/."""
    close_url: str
    """The same of the sandbox alone, without the gateway."""
    api_key: str
    """The owner's: the user name of HTTP Basic, with an empty password."""
    owner: User
    """Whose key it is: `id`, `name`, `email`, and an `access_token` for OAuth."""
    users: tuple[User, ...]
    """The owner, a colleague, and somebody of another organization; each has an `api_key`."""
    lead_id: str
    """A lead of the owner's organization."""
    clock: "SandboxClock"
    """The sandbox's, which sends what is scheduled when its time has come."""

    def __init__(self, background: Background, gateway: Gateway, close: Sandbox, events: Events) -> None:
        self._background = background
        self._close = close
        self._events = events
        self.clock = SandboxClock(background, close)
        self.url = f"http://{gateway.listen}{API}"
        self.close_url = f"{close.url}{API}"
        self.users = USERS
        self.owner = JANE
        self.api_key = JANE.api_key
        self.lead_id = LEAD_ID

    @property
    def rejections(self) -> list[Rejection]:
        """What the gateway refused, in its order. Whoever has the answer finds it here."""
        return self._events.rejections

    @property
    def reports(self) -> list[Rejection]:
        """What it forwarded, and would have refused were that rule enforced: one for each rule."""
        return self._events.reports

    @property
    def emails(self) -> list[Json]:
        """The emails that the sandbox holds, the oldest first, as Close would give them."""
        return self._background.call(lambda: copy.deepcopy(list(self._close.world.emails.values())))

    @property
    def requests(self) -> list[tuple[str, str]]:
        """Method and target of each request that reached the sandbox, in their order, the gateway's own included."""
        return self._background.call(lambda: list(self._close.requests))

    def told(self) -> str:
        """Tell of all that the gateway refused, reported and warned of, as beneath a test that fails."""
        return self._events.told()

    def seed_lead(self, **members: object) -> Json:
        """Have the sandbox hold a lead more, and give it. `members` are as in a POST of it."""
        __tracebackhide__ = True
        return self._seeded("leads", members, lambda world: world.create_lead(self.owner, members))

    def seed_draft(self, **members: object) -> Json:
        """Have the sandbox hold an email, and give it: a draft of the lead `lead_id`, unless `members` say otherwise.

        `members` are as in a POST of it: seed_draft(subject="Hello", sender="jane@example.com").
        """
        __tracebackhide__ = True
        draft = {"lead_id": self.lead_id, "status": "draft", **members}
        return self._seeded("emails", draft, lambda world: world.create_email(self.owner, draft))

    def _seeded(self, kind: str, members: Json, create: Callable[[World], Json]) -> Json:
        __tracebackhide__ = True  # the mistake is the caller's
        if unknown := unknown_names("", members, SECTIONS[kind].takes):
            raise ValueError("; ".join(unknown))
        try:
            return self._background.call(lambda: copy.deepcopy(create(self._close.world)))
        except Refusal as refusal:
            raise ValueError(f"The sandbox does not take this: {refusal.body}") from None

    def __repr__(self) -> str:
        return f"CloseGateway(url={self.url!r}, rejections={self.rejections!r})"


class SandboxClock:
    """What time it is in the sandbox: this machine's, until it is moved."""

    def __init__(self, background: Background, close: Sandbox) -> None:
        self._background = background
        self._close = close

    def now(self) -> datetime:
        """Tell the time, in UTC."""
        return self._background.call(self._close.world.clock.now)

    def set(self, now: datetime) -> None:
        """Go on from there. Raises ValueError where it has no time zone, or is too far off."""
        __tracebackhide__ = True
        if now.tzinfo is None:
            raise ValueError(f"{now!r} has no time zone: give it one, such as datetime.UTC")
        self._move(lambda clock: clock.set(now))

    def advance(self, by: timedelta) -> None:
        """Go forward. Raises ValueError where that leads too far."""
        __tracebackhide__ = True
        self._move(lambda clock: clock.advance(by))

    def _move(self, move: Callable[[Clock], None]) -> None:
        __tracebackhide__ = True  # the mistake is the caller's
        try:
            self._background.call(lambda: move(self._close.world.clock))
        except ValueError as error:
            raise ValueError(f"The clock cannot be moved there: it {error}") from None


@contextmanager
def running(background: Background, settings: Settings) -> Iterator[CloseGateway]:
    """Run one with these settings. Raises what Gateway.start raises."""
    events = Events()
    close, gateway = background.do(_start(settings, events))
    try:
        yield CloseGateway(background, gateway, close, events)
    finally:
        background.do(_stop(close, gateway))


async def _start(settings: Settings, events: Events) -> tuple[Sandbox, Gateway]:
    world = World(USERS)
    world.create_lead(JANE, {"name": "Bluth Company"}, lead_id=LEAD_ID)
    close = Sandbox(world)
    await close.start()
    try:
        gateway = Gateway(replace(settings, upstream=replace(settings.upstream, url=close.url)), events.log)
        await gateway.start()
    except BaseException:
        await close.stop()
        raise
    return close, gateway


async def _stop(close: Sandbox, gateway: Gateway) -> None:
    try:
        await gateway.stop()
    finally:
        await close.stop()
