"""Stores for tests, and entries to put into them."""

import random
from collections.abc import Sequence
from typing import Any, Final

from gateway.config.store import StoreLocation
from gateway.rejections.entry import Entry, new_id
from gateway.rejections.record import Rejection
from gateway.rejections.store import Store
from gateway.rejections.store.migrations import migrate
from gateway.rejections.store.write import append

NOON: Final = 1_795_521_600_000_000
"""2026-11-24, noon, UTC, in microseconds."""
SECOND: Final = 1_000_000
HOUR: Final = 3600 * SECOND
DAY: Final = 24 * HOUR

A_REJECTION: Final = Rejection(
    request_id="r-1",
    code="sender_required",
    method="POST",
    path="/api/v1/activity/email/",
    email_status="outbox",
    lead_id="lead_1",
    email_id=None,
    credential="fp:3f9a",
    owner="jane@example.com",
    client="127.0.0.1",
    user_agent="Close/2.1 python",
    elapsed_ms=1.25,
    enforced=True,
    status=400,
)


def an_entry(at: int = NOON, **more: Any) -> Entry:
    """Make an entry like the rejection above; what is given is otherwise."""
    values = A_REJECTION._asdict()
    made = {
        "id": more.get("id") or new_id(at),
        "at": at,
        "last_at": at,
        "instance": "web:8080",
    }
    return Entry(**(values | made | {"shape": {"bytes": 2}} | more))


def many(number: int, seed: int = 1) -> list[Entry]:
    """Make various entries of three days, in no order of time; some have the same time, some stand for several."""
    chance = random.Random(seed)
    return [
        an_entry(
            NOON - chance.randrange(3 * 24 * 10) * HOUR // 10,
            code=chance.choice(["sender_required", "sender_malformed"]),
            credential=chance.choice(["fp:1", "fp:2", "fp:3", None]),
            owner=chance.choice(["jane@example.com", "joe@example.com", None]),
            email_status=chance.choice(["outbox", "inbox", None]),
            client=chance.choice(["10.0.0.1", "10.0.0.2"]),
            user_agent=chance.choice(["Close/2.1 python", "curl/8", None]),
            lead_id=chance.choice(["lead_1", "lead_2", None]),
            request_id=f"r-{chance.randrange(number)}",
            enforced=chance.random() < 0.8,
            count=chance.choice([1, 1, 1, 7]),
        )
        for _ in range(number)
    ]


def migrated(location: StoreLocation) -> Store:
    """Open a store, with its tables."""
    store = Store(location)
    with store.database.writing.begin() as connection:
        migrate(connection)
    return store


def filled(store: Store, entries: Sequence[Entry]) -> Store:
    """Put entries into it."""
    for first in range(0, len(entries), 250):
        with store.database.writing.begin() as connection:
            append(connection, entries[first : first + 250])
    return store
