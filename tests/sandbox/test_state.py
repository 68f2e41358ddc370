from datetime import timedelta

from gateway.sandbox import Rate, seeded_world
from gateway.sandbox.clock import Clock
from gateway.sandbox.seed import DRAFT_ID, JANE, LEAD_ID
from gateway.sandbox.state import State
from tests.sandbox.clocks import NOW, standing_clock


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


def test_a_reset_puts_the_clock_back() -> None:
    """To where it was set for the start; a clock that nobody had set tells this machine's time again."""
    for start in (NOW + timedelta(days=1), NOW):
        clock = standing_clock()
        clock.set(start)
        state = State(seeded_world(clock))
        scheduled = {"lead_id": LEAD_ID, "status": "scheduled", "sender": JANE.email}
        due = (start + timedelta(hours=2)).isoformat()
        email = state.world.create_email(JANE, {**scheduled, "date_scheduled": due})
        state.begin()
        for _ in range(2):
            state.world.clock.advance(timedelta(hours=3))
            assert state.world.emails[email["id"]]["status"] == "sent"
            state.reset()
            assert (state.world.clock.now(), state.world.emails[email["id"]]["status"]) == (start, "scheduled")


def test_time_that_passes_is_taken_back() -> None:
    """The clock of a start that was set begins there anew, however long it went on."""
    passing = [NOW]
    clock = Clock(lambda: passing[0])
    state = State(seeded_world(clock))
    clock.set(NOW - timedelta(days=1))
    state.begin()
    passing[0] += timedelta(hours=5)
    assert state.world.clock.now() == NOW - timedelta(hours=19)
    state.reset()
    assert state.world.clock.now() == NOW - timedelta(days=1)


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
