from datetime import datetime, timedelta

import pytest

from gateway.sandbox import Rate, World, seeded_world
from gateway.sandbox.clock import LATEST, Clock
from gateway.sandbox.seed import DRAFT_ID, JANE, LEAD_ID
from gateway.sandbox.state import State
from tests.sandbox.clocks import NOW


def test_a_reset_goes_back_to_how_it_began() -> None:
    """What was written, asked and set since is gone; what the world held at the start is there, as often as wanted."""
    state = State(seeded_world(), Rate(7))
    added = state.world.create_lead(JANE, {"name": "Before the start"})
    state.begin()
    for _ in range(2):
        assert state.world.email(JANE, DRAFT_ID)["subject"] == "A draft without a sender"
        state.world.update_email(JANE, DRAFT_ID, {"subject": "Changed"})
        state.world.create_email(JANE, {"lead_id": LEAD_ID, "status": "draft"})
        state.requests.append(("GET", "/api/v1/me/"))
        state.to_limit = 3
        state.limits.rate = Rate(1, 5)
        state.reset()
        assert len(state.world.emails) == 3
        assert list(state.world.leads)[-1] == added["id"]
        assert (list(state.requests), state.to_limit, state.limits.rate) == ([], 0, Rate(7))


@pytest.mark.parametrize("start", [LATEST, NOW - timedelta(days=400)])
def test_a_clock_that_was_set_goes_back_too(start: datetime) -> None:
    """What was to be sent a minute after the start is so again, however much time went by before the reset."""
    passed = [timedelta()]
    clock = Clock(lambda: NOW + passed[0])
    clock.set(start)
    passed[0] += timedelta(seconds=1)
    state = State(World([JANE], clock=clock))
    state.world.clock.set(NOW)
    passed[0] += timedelta(days=1)
    state.reset()
    assert state.world.clock.now() == start + timedelta(seconds=1)


def test_a_clock_that_was_not_set_goes_on() -> None:
    """Without a wish of anybody's it tells this machine's time, before a reset and after."""
    passed = [timedelta()]
    state = State(World([JANE], clock=Clock(lambda: NOW + passed[0])))
    state.world.clock.advance(timedelta(hours=2))
    passed[0] += timedelta(days=1)
    state.reset()
    assert state.world.clock.now() == NOW + timedelta(days=1)


def test_beginning_forgets_requests_alone() -> None:
    """A sandbox that starts again has the world that it had."""
    state = State(seeded_world())
    lead = state.world.create_lead(JANE, {"name": "Kept"})
    state.requests.append(("GET", "/api/v1/me/"))
    state.begin()
    assert (list(state.requests), list(state.world.leads)[-1]) == ([], lead["id"])


def test_a_dump_has_the_world_and_what_was_asked_of_it() -> None:
    """Requests as they came, the limit as it can be set, and beside them what the world tells."""
    state = State(seeded_world(), Rate(20))
    state.requests.append(("GET", "/api/v1/me/?_fields=id"))
    dump = state.dump()
    assert dump["requests"] == [{"method": "GET", "target": "/api/v1/me/?_fields=id"}]
    assert dump["rate_limit"] == "20/s"
    assert dump["emails"] == state.world.dump()["emails"]
