"""The object that tests of integrations are given, with clients of several kinds."""

import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import aiohttp
import httpx
import pytest
from closeio_api import API, APIError, ValidationError

from gateway.sandbox.seed import JANE, LEAD_ID
from gateway.testing import CloseGateway, Rejection
from gateway.testing.background import Background
from gateway.testing.events import MOST_TOLD
from gateway.testing.running import running
from gateway.testing.settings import Sections, settings_of
from tests.raw import LIMIT

EMAIL = {"lead_id": LEAD_ID, "status": "outbox"}
EMAILS: Final = "/api/v1/activity/email/"
CANARY = "canary"
NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Reading all the certificates of the system would be most of what these tests cost."""


def of_jane(close: CloseGateway) -> httpx.Client:
    """Make her integration, which is not async."""
    return httpx.Client(base_url=close.url, auth=(close.api_key, ""), verify=NO_TLS)


@pytest.fixture
def sections(request: pytest.FixtureRequest) -> Sections:
    """Settings of the gateway, where a test has some."""
    given: Sections = getattr(request, "param", {})
    return given


@pytest.fixture
def close(background: Background, sections: Sections) -> Iterator[CloseGateway]:
    """What the fixture gives to the tests of an integration."""
    with running(background, settings_of(sections)) as started:
        yield started


@pytest.fixture
def client(close: CloseGateway) -> Iterator[httpx.Client]:
    """An integration."""
    with of_jane(close) as made:
        yield made


@pytest.fixture
def api(close: CloseGateway) -> Iterator[API]:
    """The same, with Close's own client."""
    made = API(close.url, close.api_key)
    yield made
    made.session.close()


def test_a_refusal_is_known_with_its_answer(close: CloseGateway, api: API) -> None:
    """Nobody has to wait for what was refused, and all of it can be compared."""
    for number in range(1, 30):
        with pytest.raises(ValidationError):
            api.post("activity/email", EMAIL)
        assert len(close.rejections) == number
    with pytest.raises(ValidationError) as refused:
        api.post("activity/email", EMAIL)
    assert close.rejections[-1] == Rejection(
        code="sender_required",
        method="POST",
        path=EMAILS,
        email_status="outbox",
        lead_id=LEAD_ID,
        email_id=None,
        owner=None,
        user_agent=api.session.headers["User-Agent"],
        request_id=refused.value.response.headers["X-Request-Id"],
    )
    assert (close.reports, close.emails) == ([], [])


async def test_a_client_may_be_async(close: CloseGateway) -> None:
    """One that shares its thread with the test finds both the gateway and what it refused."""
    headers = {"Authorization": aiohttp.encode_basic_auth(close.api_key, "")}
    async with (
        aiohttp.ClientSession(close.url, headers=headers) as session,
        session.post("activity/email/", json=EMAIL) as answer,
    ):
        assert answer.status == 400
    async with httpx.AsyncClient(base_url=close.url, headers=headers, verify=NO_TLS) as client:
        made = await client.post("activity/email/", json=EMAIL | {"status": "sent"})
    assert [rejection.field for rejection in close.rejections] == ["sender"]
    assert [(email["id"], email["sender"]) for email in close.emails] == [(made.json()["id"], close.owner.email)]


@pytest.mark.parametrize("sections", [{"rules": {"lead_id_required": "enforce"}}], indirect=True)
def test_rules_are_watched_or_enforced(close: CloseGateway, client: httpx.Client) -> None:
    """What is only watched stands apart, so that a test may ask for no rejections."""
    assert client.post("activity/email/", json={"status": "draft"}).status_code == 400
    assert client.post("activity/email/", json={**EMAIL, "status": "draft", "send_in": 5}).status_code == 200
    assert [rejection.code for rejection in close.rejections] == ["lead_id_required"]
    assert [report.code for report in close.reports] == ["send_in_misplaced"]


def test_what_is_seeded_is_there(close: CloseGateway, api: API) -> None:
    """A draft and a lead are Close's as if a client had made them."""
    lead = close.seed_lead(name="Another lead")
    draft = close.seed_draft(lead_id=lead["id"], subject="Hello")
    assert api.get(f"lead/{lead['id']}")["name"] == "Another lead"
    assert api.get(f"activity/email/{draft['id']}")["subject"] == "Hello"
    assert (draft["status"], draft["sender"], draft["user_id"]) == ("draft", None, JANE.id)
    with pytest.raises(ValidationError):
        api.put(f"activity/email/{draft['id']}", {"status": "outbox"})
    assert [(rejection.email_id, rejection.method) for rejection in close.rejections] == [(draft["id"], "PUT")]


def test_what_cannot_be_seeded_is_told(close: CloseGateway) -> None:
    """A slip in a test is told as one, in the sandbox's words, and names the field."""
    with pytest.raises(ValueError, match=r"does not take this: .*'lead_id': 'Object does not exist\.'"):
        close.seed_draft(lead_id="lead_nowhere")


@pytest.mark.parametrize(
    ("seed", "said"),
    [
        (lambda close: close.seed_lead(nam="Mine"), "nam is not known: did you mean name?"),
        (lambda close: close.seed_draft(subjekt="x", id="a"), "subjekt is not known: did you mean subject?; id is not"),
    ],
)
def test_a_member_that_is_not_known_is_told(
    close: CloseGateway, seed: Callable[[CloseGateway], object], said: str
) -> None:
    """Close would drop it; a test that means something by it would never find out."""
    with pytest.raises(ValueError, match=re.escape(said)):
        seed(close)
    assert close.emails == []


def test_a_scheduled_email_goes_out_when_its_time_comes(close: CloseGateway, client: httpx.Client) -> None:
    """No test waits for it: the clock is moved."""
    close.clock.set(datetime(2026, 3, 2, 9, tzinfo=UTC))
    email = {"status": "scheduled", "sender": close.owner.email, "date_scheduled": "2026-03-02T11:00:00Z"}
    assert client.post("activity/email/", json=EMAIL | email).status_code == 200
    assert [email["status"] for email in close.emails] == ["scheduled"]
    close.clock.advance(timedelta(hours=2))
    assert [email["status"] for email in close.emails] == ["sent"]
    assert close.clock.now().isoformat().startswith("2026-03-02T11:0")
    with pytest.raises(ValueError, match="has no time zone"):
        close.clock.set(datetime(2026, 3, 2, 9))  # noqa: DTZ001 - as it is refused
    for by, said in (
        (timedelta.max, "it leads too far"),
        (timedelta(days=-40_000), "it has to be between"),
        (timedelta.min, "it leads too far"),
    ):
        with pytest.raises(ValueError, match=f"The clock cannot be moved there: {said}"):
            close.clock.advance(by)


def test_what_reached_the_sandbox_is_known(close: CloseGateway, client: httpx.Client) -> None:
    """What was refused did not; what the gateway asks itself did."""
    assert client.get("lead/?_limit=1").status_code == 200
    client.post("activity/email/", json=EMAIL)
    assert close.requests == [("GET", "/api/v1/lead/?_limit=1")]
    client.post("activity/email/", json=EMAIL | {"status": "sent"})
    assert [method for method, _ in close.requests] == ["GET", "GET", "POST"]


def test_what_is_read_is_a_copy(close: CloseGateway) -> None:
    """A test that changes what it was given changes nothing else."""
    draft = close.seed_draft()
    draft["to"].append(CANARY)
    close.emails[0]["to"].append(CANARY)
    close.rejections.append(None)  # type: ignore[arg-type]
    assert (close.emails[0]["to"], close.rejections) == ([], [])


def test_each_is_new(background: Background) -> None:
    """Of one test nothing is left for the next: no email, no rejection, no port."""
    with running(background, settings_of({})) as first, of_jane(first) as client:
        first.seed_draft()
        client.post("activity/email/", json=EMAIL)
        assert (len(first.emails), len(first.rejections)) == (1, 1)
    with running(background, settings_of({})) as second, httpx.Client(verify=NO_TLS) as client:
        assert (second.emails, second.rejections, second.reports) == ([], [], [])
        for url in (first.url, first.close_url):
            with pytest.raises(httpx.ConnectError):
                client.get(url)


def test_a_connection_left_open_holds_nothing_up(background: Background) -> None:
    """A client may outlive its test: it finds the connection closed, and the next test is not kept waiting."""
    with running(background, settings_of({})) as close:
        client = of_jane(close)
        assert client.get("me/").status_code == 200
    with pytest.raises(httpx.ConnectError):
        client.get("me/")
    client.close()


def test_the_sandbox_can_be_asked_directly(close: CloseGateway) -> None:
    """Beside the gateway nothing is refused by it, and Close says the same."""
    api = API(close.close_url, close.api_key)
    with pytest.raises(APIError) as refused:
        api.post("activity/email", EMAIL)
    api.session.close()
    assert "X-Close-Gateway" not in refused.value.response.headers
    assert close.rejections == []


def test_a_failing_test_is_told_what_happened(close: CloseGateway, client: httpx.Client) -> None:
    """What was refused, what was reported and what else went amiss, of each the first few."""
    for _ in range(MOST_TOLD + 2):
        client.post("activity/email/", json=EMAIL)
    client.post("activity/email/", json={"status": "sent"}, auth=(CANARY, ""))
    told = close.told().splitlines()
    assert told[0] == f"The gateway refused ({MOST_TOLD + 2}):"
    assert told[1 + 2 * MOST_TOLD :] == [
        "… and 2 more",
        "It reported, and would refuse were these rules enforced (1):",
        f"POST {EMAILS}: lead_id_required, field lead_id",
        '  A new email belongs to a lead: add "lead_id", the id of the lead whose email it is.',
        "It warned of (1):",
        f"lookup_failed: kind owner, reason status_401, outcome forwarded as it came, method POST, path {EMAILS}",
    ]


def test_a_test_without_trouble_tells_nothing(close: CloseGateway, client: httpx.Client) -> None:
    """There is no heading over nothing."""
    assert client.get("me/").status_code == 200
    assert close.told() == ""


@pytest.mark.parametrize("told", [lambda close: close.told(), repr, lambda close: repr(close.rejections)])
def test_no_credential_and_no_email_is_told(
    close: CloseGateway, client: httpx.Client, told: Callable[[CloseGateway], str]
) -> None:
    """What a report of tests shows may lie anywhere."""
    email = {"subject": CANARY, "body_text": CANARY, "to": [f"{CANARY}@example.net"], "send_in": CANARY}
    client.post(f"activity/email/?{CANARY}", json=EMAIL | email)
    client.post("activity/email/", json=EMAIL | email | {"status": "sent"}, auth=(CANARY, ""))
    assert len(close.rejections) == 1
    assert close.reports
    assert CANARY not in told(close)
    assert close.api_key not in told(close)


def test_stopped_it_leaves_no_thread(background: Background) -> None:
    """The thread in which large bodies are read ends with the gateway."""

    def reading() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name.startswith("large-bodies")]

    with running(background, settings_of({})) as close, of_jane(close) as client:
        client.post("activity/email/", json=EMAIL | {"body_text": "x" * 300_000})
        assert reading()
    end = time.monotonic() + LIMIT
    while reading() and time.monotonic() < end:
        time.sleep(0.01)
    assert not reading()
