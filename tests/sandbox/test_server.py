import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from gateway.sandbox import Sandbox, World
from gateway.sandbox.seed import DRAFT_ID, JANE, LEAD_ID
from gateway.sandbox.server import LARGEST_BODY

JSON = {"Content-Type": "application/json"}
EMAILS = "/api/v1/activity/email/"


@pytest.fixture
async def session(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    """Jane's connections to the sandbox."""
    headers = {"Authorization": aiohttp.encode_basic_auth(JANE.api_key, "")}
    async with aiohttp.ClientSession(sandbox.url, headers=headers) as session:
        yield session


async def test_every_answer_tells_the_limit(session: aiohttp.ClientSession) -> None:
    """Success or refusal, the answer is JSON and carries RateLimit."""
    for path, status in (("/api/v1/me/", 200), ("/api/v1/nothing/", 404), ("/nothing", 404)):
        async with session.get(path) as answer:
            assert (answer.status, answer.content_type) == (status, "application/json")
            assert answer.headers["RateLimit"].startswith("limit=1000, remaining=99")


async def test_the_limit_is_reached_on_demand(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    """As many requests as told are answered 429 and do nothing, with a time to try again; the next is served."""
    sandbox.limit_next(2)
    email = {"lead_id": LEAD_ID, "status": "draft"}
    before = len(sandbox.world.emails)
    for _ in range(2):
        async with session.post(EMAILS, json=email) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
            assert answer.headers["RateLimit"] == "limit=1000, remaining=0, reset=1"
    assert len(sandbox.world.emails) == before
    async with session.post(EMAILS, json=email) as answer:
        assert answer.status == 200


async def test_requests_are_remembered_as_they_came(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    """A test can count who asked what, refused requests among them."""
    async with session.get("/api/v1/me/?_fields=email,id"), session.delete("/nothing"):
        pass
    assert list(sandbox.requests) == [("GET", "/api/v1/me/?_fields=email,id"), ("DELETE", "/nothing")]


async def test_a_coded_body_is_not_json(session: aiohttp.ClientSession) -> None:
    """The server does not decode on the way in what Close is not known to decode."""
    body = gzip.compress(json.dumps({"lead_id": LEAD_ID, "status": "draft"}).encode())
    async with session.post(EMAILS, data=body, headers=JSON | {"Content-Encoding": "gzip"}) as answer:
        expected = {"errors": ["The request contains invalid JSON."], "field-errors": {}}
        assert (answer.status, await answer.json()) == (400, expected)


async def test_another_type_is_a_415(session: aiohttp.ClientSession) -> None:
    """A form is not JSON."""
    async with session.post(EMAILS, data={"status": "draft"}) as answer:
        assert (answer.status, await answer.json()) == (415, {"error": "Unsupported Media Type"})


async def test_a_body_has_a_limit(session: aiohttp.ClientSession) -> None:
    """32 MiB are read, one byte more is a 413."""
    for size, status in ((LARGEST_BODY, 400), (LARGEST_BODY + 1, 413)):
        async with session.post(EMAILS, data=io.BytesIO(b" " * size), headers=JSON) as answer:
            assert (answer.status, answer.content_type) == (status, "application/json")


async def test_what_python_can_read_it_writes_back(session: aiohttp.ClientSession) -> None:
    """Half a surrogate pair is kept and answered, by the record and by the list; what nobody knows may be anything."""
    body = rb'{"subject": "\ud800", "unheard_of": NaN, "more": ' + b"[" * 90 + b"]" * 90 + b"}"
    async with session.put(f"{EMAILS}{DRAFT_ID}/", data=body, headers=JSON) as answer:
        assert (answer.status, (await answer.json())["subject"]) == (200, "\ud800")
    async with session.get(EMAILS) as answer:
        assert answer.status == 200


async def test_head_is_get_without_a_body(session: aiohttp.ClientSession) -> None:
    """RFC 9110, 9.3.2."""
    async with session.head("/api/v1/me/") as answer:
        assert (answer.status, await answer.read()) == (200, b"")


async def test_a_taken_port_is_an_oserror(sandbox: Sandbox) -> None:
    """Who starts a second one on the same port is told, and can start it elsewhere."""
    other = Sandbox()
    with pytest.raises(OSError, match="in use"):
        await other.start(port=int(sandbox.url.rpartition(":")[2]))
    await other.start()
    assert other.url != sandbox.url
    await other.stop()


async def test_starting_and_stopping() -> None:
    """It has a URL while it runs, starts once at a time, and after a stop can start again with the world it had."""
    sandbox = Sandbox(World([JANE]))
    with pytest.raises(RuntimeError, match="has not been started"):
        _ = sandbox.url
    await sandbox.start()
    with pytest.raises(RuntimeError, match="started already"):
        await sandbox.start()
    assert sandbox.url.startswith("http://127.0.0.1:")
    await sandbox.stop()
    await sandbox.stop()
    await sandbox.start()
    assert sandbox.world.users == [JANE]
    await sandbox.stop()


async def test_stopping_does_not_wait_for_idle_clients(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    """A kept-alive connection does not hold a test up."""
    async with session.get("/api/v1/me/") as answer:
        await answer.read()
    await asyncio.wait_for(sandbox.stop(), 2)
