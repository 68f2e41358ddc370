"""An exchange on its way, step by step: a real connection to the upstream, on a transport of the test's own."""

import asyncio
import io
import json

import pytest

from gateway.answer import Stamp
from gateway.errors import GatewayError
from gateway.exchange import Exchange
from gateway.forwarder import Forwarder
from gateway.log import make_log
from gateway.relay import IDEMPOTENT, Relay
from gateway.upstream.connection import UpstreamConnection
from gateway.upstream.errors import UpstreamTimedOut, UpstreamUnreachable
from gateway.upstream.pool import Origin, Pool
from tests.downstream.transports import FakeRounds, FakeTransport
from tests.exchanges import RecordingClient, exchange_of
from tests.raw import chunked, with_length

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n"
PUT = POST.replace(b"POST", b"PUT")
CHUNKS = b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = with_length(b"HTTP/1.1 200 OK\r\n", b"recorded")
BEGUN = OK[:-4]
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nrec"


class FakePool(Pool):
    """Lends connections that lead nowhere, and counts what becomes of them."""

    def __init__(self) -> None:
        super().__init__(
            Origin("http", "up", 80),
            None,
            FakeRounds(),
            timeout=60.0,
            connect_timeout=5.0,
            max_connections=9,
            idle_timeout=30.0,
        )
        self.dialled: list[bool] = []
        """For each connection that was asked for: whether it had to be a fresh one."""
        self.back: list[UpstreamConnection] = []
        self.refuses: GatewayError | None = None

    def lend(self, *, used: bool = False) -> UpstreamConnection:
        connection = UpstreamConnection(asyncio.get_running_loop(), self, self._rounds, 60.0)
        connection.connection_made(FakeTransport())
        connection.uses = int(used)
        return connection

    def end_round(self) -> None:
        """Have written what is to go up."""
        assert isinstance(self._rounds, FakeRounds)
        self._rounds.end()

    async def connect(self, *, fresh: bool = False) -> UpstreamConnection:
        self.dialled.append(fresh)
        if self.refuses is not None:
            raise self.refuses
        return self.lend()

    def give_back(self, connection: UpstreamConnection) -> None:
        self.back.append(connection)


class Walk:
    """A request that is being relayed. `whole`: the gateway holds its body; `sent`: what has come of it has gone up."""

    def __init__(self, request: bytes = GET, *, used: bool = False, whole: bool = False, sent: bool = True) -> None:
        self.client = RecordingClient()
        self.exchange: Exchange = exchange_of(request, client=self.client)
        self.pool = FakePool()
        self._lines = io.BytesIO()
        self.unauthorized: list[Exchange] = []
        log = make_log("debug", console=False, stream=self._lines)
        owner = Forwarder(self.pool, log, forwarded=False, on_unauthorized=self.unauthorized.append)
        head = owner._head(self.exchange, b"the whole" if whole else None, ())
        self.relay = self.exchange.carrier = Relay(owner, self.exchange, head, Stamp("r-1"), whole=whole)
        self.connection = self.pool.lend(used=used)
        self.relay.start(self.connection)
        if sent:
            self.pool.end_round()

    @property
    def up(self) -> FakeTransport:
        """The way up."""
        self.pool.end_round()
        transport = self.connection._transport
        assert isinstance(transport, FakeTransport)
        return transport

    @property
    def codes(self) -> list[str]:
        """The codes of what was logged."""
        return [json.loads(line)["code"] for line in self._lines.getvalue().splitlines()]

    def comes(self, *pieces: bytes) -> None:
        """Have pieces of the answer come."""
        for piece in pieces:
            self.connection.data_received(piece)

    def body(self, piece: bytes, *, end: bool = False) -> None:
        """Have more of the request's body come."""
        self.exchange.body.feed(piece)
        if end:
            self.exchange.body.end()
        self.relay.body_came()


STAMPED = OK.replace(b"\r\n\r\n", b"\r\nX-Request-Id: r-1\r\n\r\n")


@pytest.mark.parametrize("pieces", [[OK], [BEGUN, OK[-4:]], [OK[n : n + 1] for n in range(len(OK))]])
async def test_an_answer_comes_down(pieces: list[bytes]) -> None:
    """However it comes: the client has it, and the connection is given back once, fit for another exchange."""
    walk = Walk()
    walk.comes(*pieces)
    assert (walk.client.written, walk.client.kept) == (STAMPED, True)
    assert (walk.pool.back, walk.connection.reusable, walk.codes) == ([walk.connection], True, [])


BODIES = [  # the request as far as it has come, and what goes up of its body, piece by piece
    (POST, [b"", b"half", b"half"]),
    (CHUNKS, [b"", b"4\r\nhalf\r\n", b"4\r\nhalf\r\n0\r\n\r\n"]),
]


@pytest.mark.parametrize(("request_", "sent"), BODIES)
async def test_a_body_goes_up_as_it_comes(request_: bytes, sent: list[bytes]) -> None:
    """Framed as it was, and no faster than the upstream takes it."""
    walk = Walk(request_)
    seen = [walk.up.written]
    walk.connection.pause_writing()
    walk.body(b"half")
    assert walk.up.written == seen[0]
    walk.connection.resume_writing()
    seen.append(walk.up.written)
    walk.body(b"half", end=True)
    seen.append(walk.up.written)
    head = seen[0]
    assert [now.removeprefix(head) for now in seen] == [sent[0], sent[1], sent[1] + sent[2]]
    walk.comes(OK)
    assert (walk.client.kept, walk.connection.reusable) == (True, True)


async def test_an_answer_is_not_sent_faster_than_it_is_taken() -> None:
    """Its end comes through all the same: what is held then is little, and its connection is free for others."""
    walk = Walk()
    walk.comes(OK[:-6])
    walk.client.paused = True
    seen = walk.client.written
    walk.comes(OK[-6:-3])
    assert walk.client.written == seen
    walk.client.paused = False
    walk.relay.writable()
    assert walk.client.written == STAMPED[:-3]
    walk.client.paused = True
    walk.comes(OK[-3:])
    assert (walk.client.written, walk.pool.back) == (STAMPED, [walk.connection])


RETRIES = [  # the request, whether the gateway holds its body, whether the connection was used before, what came
    *((GET.replace(b"GET", method.encode()), False, True, b"", True) for method in sorted(IDEMPOTENT)),
    (b"POST /x HTTP/1.1\r\nHost: a\r\n\r\n", False, True, b"", False),
    (b"PATCH /x HTTP/1.1\r\nHost: a\r\n\r\n", False, True, b"", False),
    (PUT + b"complete", False, True, b"", True),
    (PUT + b"half", False, True, b"", False),
    (PUT + b"half", True, True, b"", True),
    (POST, True, True, b"", False),
    (GET, False, False, b"", False),
    (GET, False, True, b"H", False),
    (GET, False, True, b"HTTP/1.1 100 Continue\r\n\r\n", False),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "whole", "used", "came", "again"), RETRIES)
async def test_what_is_tried_again(request_: bytes, came: bytes, *, whole: bool, used: bool, again: bool) -> None:
    """RFC 9110, 9.2.2: what is idempotent and still held whole, where an old connection broke before any answer."""
    walk = Walk(request_, used=used, whole=whole)
    first = walk.up.written
    if came:
        walk.comes(came)
    walk.connection.connection_lost(None)
    await asyncio.sleep(0)
    assert walk.pool.dialled == ([True] if again else [])
    assert walk.pool.back == [walk.connection]
    if not again:
        assert walk.codes == ["upstream_broken"]
        assert b"HTTP/1.1 502 " in walk.client.written
        return
    second = walk.relay._connection
    assert second is not None
    assert isinstance(second._transport, FakeTransport)
    walk.pool.end_round()
    assert (second._transport.written, walk.client.written, walk.codes) == (first, b"", [])
    second.uses = 2  # old as it may be, it is the second
    second.connection_lost(None)
    await asyncio.sleep(0)
    assert (walk.pool.dialled, walk.pool.back, walk.codes) == ([True], [walk.connection, second], ["upstream_broken"])


UNSENT = [  # the request as far as it has come, its rest
    (GET, b""),
    (POST + b"complete", b""),
    (POST + b"half", b"half"),
    (CHUNKS + b"4\r\nhalf\r\n", b"half"),
]


@pytest.mark.parametrize(("request_", "rest"), UNSENT)
@pytest.mark.parametrize("used", [True, False])
async def test_what_was_not_written_is_sent_elsewhere(request_: bytes, rest: bytes, *, used: bool) -> None:
    """Whatever it asks for: the connection was gone before the round's end, so nobody can have acted on it."""
    walk = Walk(request_, used=used, sent=False)
    walk.connection.connection_lost(None)
    await asyncio.sleep(0)
    second = walk.relay._connection
    assert second is not None
    assert isinstance(second._transport, FakeTransport)
    walk.pool.end_round()
    if rest:
        walk.body(rest, end=True)
        walk.pool.end_round()
    straight = Walk(request_)
    if rest:
        straight.body(rest, end=True)
    assert second._transport.written == straight.up.written
    second.data_received(OK)
    assert (walk.pool.dialled, walk.pool.back, walk.codes) == ([True], [walk.connection, second], [])
    assert (walk.client.written, walk.client.kept) == (STAMPED, True)


async def test_what_timed_out_is_not_tried_again() -> None:
    """Close may have acted on it, and may be at it still."""
    walk = Walk(used=True)
    walk.connection.fail(UpstreamTimedOut("Too late."))
    await asyncio.sleep(0)
    assert (walk.pool.dialled, walk.codes, walk.client.written[:12]) == ([], ["upstream_timed_out"], b"HTTP/1.1 504")


async def test_where_the_second_connection_does_not_come_about_the_client_is_told() -> None:
    """It has its one answer, and its connection goes on."""
    walk = Walk(used=True)
    walk.pool.refuses = UpstreamUnreachable("No way.")
    walk.connection.connection_lost(None)
    await asyncio.sleep(0)
    assert (walk.codes, walk.client.kept, walk.pool.back) == (["upstream_unreachable"], True, [walk.connection])


BREAKS = [  # what came of the answer, how the client learns that it is not complete
    (BEGUN, b"HTTP/1.1", "closed"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nrec\r\n", b"HTTP/1.1", "closed"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nrec\r\n", b"HTTP/1.0", "reset"),
    (BEGUN, b"HTTP/1.0", "closed"),
]


@pytest.mark.parametrize(("came", "version", "how"), BREAKS)
async def test_an_answer_that_breaks_is_broken_off(came: bytes, version: bytes, how: str) -> None:
    """Never is it ended as if it were whole: where the end of the connection is its end, by a reset."""
    walk = Walk(GET.replace(b"HTTP/1.1", version), used=True)
    walk.comes(came)
    walk.connection.connection_lost(None)
    assert (walk.client.broken_off, walk.client.kept, walk.codes) == (how, None, ["upstream_broken"])
    assert not walk.client.written.endswith(b"0\r\n\r\n")
    assert walk.pool.back == [walk.connection]


async def test_an_answer_that_ends_with_its_connection() -> None:
    """RFC 9112, 6.3: that end is a good one."""
    walk = Walk()
    walk.comes(UNTIL_CLOSE)
    walk.connection.eof_received()
    walk.connection.connection_lost(None)
    assert walk.client.written.endswith(b"\r\n\r\n" + chunked(b"rec"))
    assert (walk.client.kept, walk.pool.back, walk.codes) == (True, [walk.connection], [])


async def test_an_answer_before_the_request_is_whole_ends_both_connections() -> None:
    """RFC 9112, 9.3: a request is still open on them, and its rest would be taken for the next one."""
    walk = Walk(POST + b"half")
    walk.comes(OK)
    assert (walk.client.kept, b"Connection: close" in walk.client.written) == (False, True)
    assert (walk.up.ended, walk.pool.back) == (["abort"], [walk.connection])
    walk.body(b"half", end=True)
    assert not walk.up.written.endswith(b"halfhalf")


@pytest.mark.parametrize("came", [b"", BEGUN])
async def test_a_client_that_leaves_takes_the_connection_along(came: bytes) -> None:
    """Nothing that still comes is for anybody."""
    walk = Walk()
    if came:
        walk.comes(came)
    written = walk.client.written
    walk.exchange.left()
    walk.comes(OK if not came else OK[-4:])
    walk.connection.connection_lost(None)
    assert (walk.client.written, walk.pool.back, walk.codes) == (written, [walk.connection], [])
    assert (walk.client.kept, walk.client.broken_off) == (None, None)


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
async def test_interim_answers_go_to_who_knows_them(version: bytes) -> None:
    """RFC 9110, 15.2: not to HTTP/1.0. They are no beginning of the answer."""
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    walk = Walk(GET.replace(b"HTTP/1.1", version))
    walk.comes(interim, interim)
    assert walk.client.written == (interim * 2 if version == b"HTTP/1.1" else b"")
    assert not walk.exchange.answered
    walk.exchange.left()
    walk.comes(interim)
    assert walk.client.written == (interim * 2 if version == b"HTTP/1.1" else b"")


async def test_a_body_that_breaks_is_answered_once() -> None:
    """Whoever comes to know of it first: what the upstream has said by then is not sent behind that."""
    walk = Walk(POST + b"half")
    walk.exchange.body.fail(UpstreamUnreachable("It broke."))
    walk.comes(OK)
    assert walk.client.written.count(b"HTTP/1.1 ") == 1
    assert (walk.client.kept, walk.pool.back, walk.up.ended) == (False, [walk.connection], ["abort"])


async def test_401_is_told_of() -> None:
    """What is known of that credential may hold no longer."""
    walk = Walk()
    walk.comes(OK.replace(b"200 OK", b"401 Unauthorized"))
    assert walk.unauthorized == [walk.exchange]
