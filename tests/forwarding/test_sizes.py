"""Bodies beyond inspect.max_body: forwarded unread, or refused."""

import gzip
import json
import threading

import pytest

from gateway.config.settings import InspectSettings, Oversize
from gateway.interceptor import LARGE
from tests.forwarding.emails import SENDERLESS, write
from tests.gateways import Running, running, until
from tests.raw import LIMIT as LONGEST
from tests.raw import Answer, ask, chunked, connected, values, with_length
from tests.recording import OK, Call, answers, by_path, recording

LIMIT = 1000
FORWARD = InspectSettings(max_body=LIMIT, oversize=Oversize.FORWARD)
REJECT = InspectSettings(max_body=LIMIT, oversize=Oversize.REJECT)
GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"


def padded(size: int) -> bytes:
    """Make an email without a sender of so many bytes."""
    return SENDERLESS.ljust(size)


def as_chunks(request: bytes) -> bytes:
    """Make the same request with its body chunked."""
    head, _, body = request.partition(b"\r\n\r\n")
    head = head.rpartition(b"\r\nContent-Length: ")[0]
    return head + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body[:300], body[300:])


def coded(body: bytes) -> bytes:
    """Make a request with a coded body."""
    return write(gzip.compress(body), b"Content-Encoding: gzip\r\n")


AT_LIMIT = [write(padded(LIMIT)), as_chunks(write(padded(LIMIT))), coded(padded(LIMIT))]
BEYOND = [
    write(padded(LIMIT + 1)),
    as_chunks(write(padded(LIMIT + 1))),
    coded(padded(LIMIT + 1)),
    write(padded(2_000_000)),
    as_chunks(write(padded(2_000_000))),
    coded(padded(100_000_000)),
]
OWNER = with_length(b"HTTP/1.1 200 OK\r\n", b'{"id": "user_1", "email": "jane@example.com"}')
IDS = ["length", "chunked", "coded"]


@pytest.mark.parametrize("request_", AT_LIMIT, ids=IDS)
async def test_at_the_limit_a_body_is_read(request_: bytes) -> None:
    """The limit is the largest size that is inspected, raw and decoded."""
    async with recording() as upstream, running(upstream.url, inspect=REJECT) as gateway:
        answer = await ask(gateway.port, request_)
        assert answer.values(b"x-close-gateway") == [b"rejected; sender_required"]


def assert_told(gateway: Running, action: str) -> None:
    """An operator finds the request, and can count."""
    (event,) = gateway.events("body_oversized")
    assert (event["level"], event["request_id"], event["limit"]) == ("warning", "r-1", LIMIT)
    assert (event["action"], event["path"]) == (action, "/api/v1/activity/email/")
    assert gateway.counts["oversize"] == 1


@pytest.mark.parametrize("request_", BEYOND, ids=[*IDS, *(f"large {name}" for name in IDS)])
async def test_beyond_the_limit_a_body_goes_up_as_it_came(request_: bytes) -> None:
    """Unread, with a warning; the answer is marked like any other that is forwarded."""
    request_ = request_.replace(b"Host:", b"X-Request-Id: r-1\r\nHost:")
    async with recording() as upstream, running(upstream.url, inspect=FORWARD) as gateway:
        answer = await ask(gateway.port, request_)
        stamp = b"X-Request-Id: r-1\r\nX-Close-Gateway: forwarded\r\n"
        assert answer == Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n" + stamp + b"\r\n", b"recorded")
        assert_told(gateway, "forward")
        plain = await sent_plainly(request_)
        assert (upstream.requests[0].body, upstream.requests[0].complete) == (plain, True)


async def sent_plainly(request: bytes) -> bytes:
    """Tell the body of a request, as an upstream without a gateway sees it."""
    async with recording() as upstream:
        await ask(upstream.port, request)
        return upstream.requests[0].body


@pytest.mark.parametrize("request_", BEYOND, ids=[*IDS, *(f"large {name}" for name in IDS)])
async def test_beyond_the_limit_a_body_can_be_refused(request_: bytes) -> None:
    """With inspect.oversize = "reject" it is a 413 in Close's shape, and nothing goes up."""
    request_ = request_.replace(b"Host:", b"X-Request-Id: r-1\r\nHost:")
    async with recording() as upstream, running(upstream.url, inspect=REJECT) as gateway:
        answer = await ask(gateway.port, request_)
        assert (answer.status, answer.values(b"x-close-gateway")) == (413, [b"rejected; body_too_large"])
        assert json.loads(answer.body) == {
            "errors": ["The body is larger than the 1000 bytes that are inspected."],
            "field-errors": {},
            "gateway": {"code": "body_too_large", "request_id": "r-1"},
        }
        assert_told(gateway, "reject")
        assert upstream.connections == []


async def test_after_a_refusal_the_connection_goes_on_where_the_body_is_read() -> None:
    """What unfolds beyond the limit has come whole; what is still coming is not waited for."""
    async with recording() as upstream, running(upstream.url, inspect=REJECT) as gateway:
        async with connected(gateway.port) as client:
            assert (await client.ask(coded(padded(LIMIT + 1)))).status == 413
            assert (await client.ask(GET)).status == 200
        async with connected(gateway.port) as client:
            await client.send(write(padded(2_000_000))[:5000])
            answer = await client.answer()
            assert (answer.status, answer.values(b"connection")) == (413, [b"close"])
        assert upstream.targets == [b"/x"]


@pytest.mark.parametrize("chunks", [False, True], ids=["length", "chunked"])
async def test_beyond_the_limit_a_body_streams(*, chunks: bool) -> None:
    """The upstream has its beginning before the client has sent its end."""
    request = write(padded(200_000))
    request = as_chunks(request) if chunks else request
    async with (
        recording() as upstream,
        running(upstream.url, inspect=FORWARD) as gateway,
        connected(gateway.port) as client,
    ):
        await client.send(request[:100_000])
        await upstream.received(1)
        assert not upstream.requests[0].complete
        assert (await client.ask(request[100_000:])).status == 200
        assert upstream.requests[0].body == padded(200_000)


async def test_a_length_beyond_the_limit_is_the_upstreams_to_allow() -> None:
    """The gateway does not read the body, so the question whether it may come goes up (RFC 9110, 10.1.1)."""
    request = write(padded(2000), b"Expect: 100-continue\r\n")

    async def script(call: Call) -> None:
        await call.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        await answers(OK)(call)

    async with (
        recording(script) as upstream,
        running(upstream.url, inspect=FORWARD) as gateway,
        connected(gateway.port) as client,
    ):
        assert (await client.ask(request[:-2000])).status == 100
        assert values(upstream.requests[0].head, b"expect") == [b"100-continue"]
        assert (await client.ask(request[-2000:])).status == 200


async def test_a_length_beyond_the_limit_is_refused_before_the_body_comes() -> None:
    """The client need not send what nobody will read."""
    request = write(padded(2000), b"Expect: 100-continue\r\n")
    async with recording() as upstream, running(upstream.url, inspect=REJECT) as gateway:
        assert (await ask(gateway.port, request[:-2000])).status == 413


async def test_continue_is_granted_once() -> None:
    """Where the gateway has granted it already, the upstream is not asked again."""
    request = as_chunks(write(padded(2000), b"Expect: 100-continue\r\n"))
    head, _, body = request.partition(b"\r\n\r\n")
    async with (
        recording() as upstream,
        running(upstream.url, inspect=FORWARD) as gateway,
        connected(gateway.port) as client,
    ):
        assert (await client.ask(head + b"\r\n\r\n")).status == 100
        assert (await client.ask(body)).status == 200
        assert values(upstream.requests[0].head, b"expect") == []
        assert upstream.requests[0].body == padded(2000)


class Hold:
    """Keeps a thread busy until it is let go."""

    def __init__(self) -> None:
        self.begun, self.over = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.begun.set()
        self.over.wait(LONGEST)


async def test_a_body_that_is_long_to_read_keeps_nobody_waiting() -> None:
    """A thread reads it, and puts the sender in: while it waits for that, others have their answers."""
    long = b'{"status": "sent", "sender": null, "body_text": "%b"}' % (b"x" * LARGE)
    reading, filling = Hold(), Hold()

    async def owner(call: Call) -> None:
        thread.submit(filling)
        await answers(OWNER)(call)

    async with (
        recording(by_path({b"/api/v1/me/": owner}, answers(OK))) as upstream,
        running(upstream.url) as gateway,
        connected(gateway.port) as slow,
        connected(gateway.port) as other,
    ):
        thread = gateway.gateway.serving._thread
        thread.submit(reading)
        await slow.send(write(long))
        for hold in (reading, filling):
            await until(lambda hold=hold: hold.begun.is_set() and thread._work_queue.qsize() == 1)  # type: ignore[misc]
            assert (await other.ask(write(SENDERLESS))).status == 400
            hold.over.set()
        answer = await slow.answer()
        assert answer.values(b"x-close-gateway") == [b"filled; sender; reported=lead_id_required"]
        assert upstream.requests[-1].body == long.replace(b"null", b'"jane@example.com"')
