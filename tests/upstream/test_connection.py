import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import pytest

from gateway.errors import GatewayError
from gateway.outgoing import Rounds
from gateway.upstream.connection import HIGH_WATER, MAX_HEAD, AnswerHead, UpstreamConnection
from gateway.upstream.errors import UpstreamBroken, UpstreamTimedOut
from tests.pools import Borrowed, NoTransport, exchanged, pooled, until
from tests.raw import chunked, with_length
from tests.recording import OK, Call, Script, answers, closes, hangs, in_turn, recording, resets

OK_HEAD = AnswerHead(200, b"OK", [(b"Content-Length", b"8")])
CHUNKED = (b"Transfer-Encoding", b"chunked")


@dataclass(frozen=True)
class Row:
    """An answer and what comes out of it. `ends`: the upstream closes after it. `again`: it may be asked again."""

    answer: bytes
    head: AnswerHead
    body: bytes = b""
    bodiless: bool = False
    ends: bool = False
    again: bool = True


ROWS = [
    Row(OK, OK_HEAD, b"recorded"),
    Row(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", AnswerHead(200, b"OK", [(b"Content-Length", b"0")])),
    Row(b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", AnswerHead(200, b"", [(b"Content-Length", b"0")])),
    Row(
        b"HTTP/1.1 299 Caf\xe9\r\nX-b:  \xff \r\nx-A: 1\r\nX-B:\r\nCONTENT-length: 1\r\n\r\n\0",
        AnswerHead(299, b"Caf\xe9", [(b"X-b", b"\xff "), (b"x-A", b"1"), (b"X-B", b""), (b"CONTENT-length", b"1")]),
        b"\0",
    ),
    Row(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"one", b"two" * 10),
        AnswerHead(200, b"OK", [CHUNKED]),
        b"one" + b"two" * 10,
    ),
    Row(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\none\r\n0\r\nTrailer: 1\r\n\r\n",
        AnswerHead(200, b"OK", [CHUNKED]),
        b"one",
    ),
    Row(b"HTTP/1.1 204 No Content\r\nA: 1\r\n\r\n", AnswerHead(204, b"No Content", [(b"A", b"1")])),
    Row(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", AnswerHead(304, b"Not Modified", [(b"ETag", b"x")])),
    Row(
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
        AnswerHead(304, b"Not Modified", [(b"Content-Length", b"99")]),
    ),
    Row(
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
        AnswerHead(200, b"OK", [(b"Content-Length", b"99")]),
        bodiless=True,
    ),
    Row(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", AnswerHead(200, b"OK", [CHUNKED]), bodiless=True),
    Row(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
        AnswerHead(200, b"OK", [(b"Connection", b"close"), (b"Content-Length", b"1")]),
        b"x",
        again=False,
    ),
    Row(
        b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
        AnswerHead(200, b"OK", [(b"Content-Length", b"1")]),
        b"x",
        again=False,
    ),
    Row(
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
        AnswerHead(200, b"OK", [(b"Connection", b"keep-alive"), (b"Content-Length", b"1")]),
        b"x",
    ),
    Row(b"HTTP/1.1 200 OK\r\n\r\nuntil the end", AnswerHead(200, b"OK", []), b"until the end", ends=True, again=False),
    Row(b"HTTP/1.1 200 OK\r\nA: 1\r\n\r\n", AnswerHead(200, b"OK", [(b"A", b"1")]), b"", ends=True, again=False),
    Row(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, OK_HEAD, b"recorded"
    ),
    Row(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 None\r\n\r\n", AnswerHead(204, b"None", [])),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
async def test_an_answer_comes_out_as_it_came(row: Row) -> None:
    """Head to the byte, body without its framing; and whether the connection may be used again."""
    script = closes(row.answer) if row.ends else answers(row.answer)
    async with recording(script) as upstream, pooled(upstream.url) as pool:
        connection = await pool.connect()
        assert await exchanged(connection, bodiless=row.bodiless) == (row.head, row.body)
        assert (connection.complete, connection.reusable) == (True, row.again)
        if row.again:
            assert await exchanged(connection, bodiless=row.bodiless) == (row.head, row.body)


class NoKeeper:
    """Keeps nothing: the connection belongs to the test."""

    def lost(self, connection: UpstreamConnection) -> None:
        """Need not know."""


@pytest.mark.parametrize("row", [row for row in ROWS if not row.ends])
async def test_it_does_not_matter_how_the_bytes_are_cut(row: Row) -> None:
    """Wherever the network cuts an answer in two, and byte by byte, the same comes out."""
    answer = row.answer
    cuts = [[answer[:at], answer[at:]] for at in range(1, len(answer))]
    for pieces in [*cuts, [answer[at : at + 1] for at in range(len(answer))]]:
        loop = asyncio.get_running_loop()
        connection = UpstreamConnection(loop, NoKeeper(), Rounds(loop), 5.0)
        connection.connection_made(NoTransport())
        exchange = Borrowed(connection, bodiless=row.bodiless)
        await asyncio.sleep(0)  # the round is over: the request is sent
        for piece in pieces:
            connection.data_received(piece)
        assert (await exchange.head(), await exchange.read()) == (row.head, row.body)
        assert (await exchange.read(), connection.reusable) == (b"", row.again)
        connection.connection_lost(None)


BROKEN: list[tuple[bytes, bytes | None]] = [  # an answer after which the upstream closes, and what comes of its body
    (b"", None),
    (b"H", None),
    (b"HTTP/1.1 200 OK\r\nContent-Le", None),
    (b"HTTP/1.1 100 Continue\r\n\r\n", None),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b""),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour", b"four"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfour", b"four"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n", b"four"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n", b"four"),
]


@pytest.mark.parametrize(("answer", "body"), BROKEN)
@pytest.mark.parametrize("how", [closes, resets])
async def test_an_answer_that_ends_early_is_broken(
    answer: bytes, body: bytes | None, how: Callable[..., Script]
) -> None:
    """What came before can be read; that it is all is never pretended."""
    async with recording(how(answer)) as upstream, pooled(upstream.url) as pool:
        connection = await pool.connect()
        exchange = Borrowed(connection)
        came = b""
        with pytest.raises(UpstreamBroken):  # noqa: PT012 - which of the steps raises is what differs
            assert (await exchange.head()).status == 200
            while piece := await exchange.read():
                came += piece
        assert came == (body or b"") or how is resets  # a reset may overtake what was sent before it
        assert not connection.reusable
        pool.give_back(connection)
        await until(lambda: pool.open == 0)


GARBAGE = [
    b"garbage\r\n\r\n",
    b"\0" * 100,
    b"ICY 200 OK\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00",
    b"HTTP/1.1 2000 OK\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1 OK\r\n\r\n",
    b"HTTP/4.2 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nName : value\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + OK,
    b"HTTP/1.1 200 OK\r\nA: " + b"x" * (MAX_HEAD + 1),
    b"HTTP/1.1 100 Continue\r\n\r\n" * (MAX_HEAD // 20),
]


@pytest.mark.parametrize("answer", GARBAGE, ids=range(len(GARBAGE)))
async def test_what_is_no_answer_is_broken(answer: bytes) -> None:
    """No HTTP, not framed in one way, never asked for, or without an end: the connection goes with it."""
    async with recording(hangs(answer)) as upstream, pooled(upstream.url) as pool:
        connection = await pool.connect()
        with pytest.raises(UpstreamBroken):
            await exchanged(connection)
        await until(lambda: pool.open == 0)


async def test_garbage_in_a_body_is_broken_after_what_came() -> None:
    """The head is out already; the body raises."""
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\nxyz\r\n"
    async with recording(hangs(answer)) as upstream, pooled(upstream.url) as pool:
        connection = await pool.connect()
        exchange = Borrowed(connection)
        assert (await exchange.head()).status == 200
        assert await exchange.read() == b"one"
        with pytest.raises(UpstreamBroken):
            await exchange.read()


TWO = b"HTTP/1.1 500 Two\r\nX: y\r\nContent-Length: 3\r\n\r\ntwo"
TOO_MUCH = [
    (OK + OK, False, OK_HEAD, b"recorded"),
    (OK + TWO, False, OK_HEAD, b"recorded"),
    (OK + b"HTTP/1.1 100 Continue\r\n\r\n", False, OK_HEAD, b"recorded"),
    (OK + b"x", False, OK_HEAD, b"recorded"),
    (OK, True, OK_HEAD, b""),
    (b"HTTP/1.1 204 None\r\n\r\nx", False, AnswerHead(204, b"None", []), b""),
    (b"HTTP/1.1 304 None\r\n\r\n" + TWO, False, AnswerHead(304, b"None", []), b""),
]


@pytest.mark.parametrize(("answer", "bodiless", "head", "body"), TOO_MUCH)
async def test_more_than_one_answer_retires_the_connection(
    answer: bytes, head: AnswerHead, body: bytes, *, bodiless: bool
) -> None:
    """The one that is due comes out untouched; what follows it is nobody's, and would be taken for the next one."""
    async with recording(answer) as upstream, pooled(upstream.url) as pool:
        connection = await pool.connect()
        assert await exchanged(connection, bodiless=bodiless) == (head, body)
        assert not connection.reusable
        pool.give_back(connection)
        assert pool.take() is None


async def test_interim_answers_are_told_of_as_they_come() -> None:
    """To who asked to be told, for this exchange alone; the final one is no interim one."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    async with recording(b"HTTP/1.1 100 Continue\r\n\r\n" + hints + OK) as upstream, pooled(upstream.url) as pool:
        connection = await pool.connect()
        exchange = Borrowed(connection)
        assert (await exchange.head(), await exchange.read()) == (OK_HEAD, b"recorded")
        assert exchange.interims == [
            AnswerHead(100, b"Continue", []),
            AnswerHead(103, b"Early Hints", [(b"Link", b"</x>")]),
        ]


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour"])
async def test_silence_is_not_waited_for_without_end(begun: bytes) -> None:
    """Before the answer or in the middle of it: after `timeout` seconds it is given up, with the connection."""
    async with recording(hangs(begun)) as upstream, pooled(upstream.url, timeout=0.05) as pool:
        connection = await pool.connect()
        with pytest.raises(UpstreamTimedOut):
            await exchanged(connection)
        assert not connection.stale or not begun
        await until(lambda: pool.open == 0)


async def test_a_slow_reader_does_not_make_the_upstream_late() -> None:
    """It is the client who keeps the upstream waiting, so the upstream's time does not run."""
    body = bytes(4 * 1024 * 1024)
    async with (
        recording(with_length(b"HTTP/1.1 200 OK\r\n", body)) as upstream,
        pooled(upstream.url, timeout=0.3) as pool,
    ):
        connection = await pool.connect()
        exchange = Borrowed(connection)
        await exchange.head()
        await asyncio.sleep(0.5)
        size = 0
        while piece := await exchange.read():
            size += len(piece)
        assert size == len(body)


async def test_an_answer_is_not_taken_faster_than_it_is_read() -> None:
    """Of 32 MiB that nobody reads a few hundred KiB are held; reading on brings the rest."""
    total = 32 * 1024 * 1024
    sent = asyncio.Event()

    async def script(call: Call) -> None:
        await call.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        for _ in range(32):
            await call.send(bytes(total // 32))
        sent.set()

    async with recording(script) as upstream, pooled(upstream.url) as pool:
        connection = await pool.connect()
        exchange = Borrowed(connection)
        await exchange.head()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sent.wait(), 0.1)
        assert HIGH_WATER < connection._held < HIGH_WATER + 512 * 1024
        size = 0
        while piece := await exchange.read():
            assert len(piece) < HIGH_WATER + 512 * 1024
            size += len(piece)
        assert (size, connection.reusable) == (total, True)


async def test_a_request_is_not_sent_faster_than_it_is_taken() -> None:
    """It is `paused` while the upstream does not read, and goes on when it does."""
    piece, go_on = bytes(1024 * 1024), asyncio.Event()

    async def script(call: Call) -> None:
        await go_on.wait()
        await call.read_all()
        await call.send(OK)

    async with recording(script, keep=False) as upstream, pooled(upstream.url) as pool:
        connection = await pool.connect()
        exchange = Borrowed(connection, b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (32 * len(piece)))
        sent = 0
        with pytest.raises(TimeoutError):  # noqa: PT012 - which of the pieces has to wait, the system decides
            for _ in range(32):
                connection.send(piece)
                sent += 1
                await asyncio.wait_for(exchange.drained(), 0.1)
        assert sent < 32
        go_on.set()
        for _ in range(32 - sent):
            connection.send(piece)
            await exchange.drained()
        assert (await exchange.head(), await exchange.read()) == (OK_HEAD, b"recorded")
        assert upstream.requests[0].length == 32 * len(piece)


async def test_who_waits_to_send_learns_that_the_connection_is_gone() -> None:
    """It is told, and sees the error."""

    async def script(call: Call) -> None:
        await asyncio.sleep(0.05)
        await call.connection.reset()

    async with recording(script) as upstream, pooled(upstream.url) as pool:
        connection = await pool.connect()
        exchange = Borrowed(connection, b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n" + bytes(50_000_000))
        with pytest.raises(UpstreamBroken):
            await exchange.head()
        assert connection.error is not None


class Left(GatewayError):
    """What a borrower may end an exchange with."""

    code: ClassVar[str] = "left"


async def test_an_exchange_can_be_ended_on_purpose() -> None:
    """Who waits for the answer is told why, and the connection goes."""
    async with recording(hangs()) as upstream, pooled(upstream.url) as pool:
        connection = await pool.connect()
        waiting = asyncio.create_task(exchanged(connection))
        await upstream.received(1)
        connection.fail(Left("The client has left."))
        with pytest.raises(Left):
            await waiting
        await until(lambda: pool.open == 0)
        await upstream.connections[0].left.wait()


async def test_an_answer_that_is_complete_stays_whole() -> None:
    """Ending the exchange after its answer has come takes nothing away."""
    async with recording() as upstream, pooled(upstream.url) as pool:
        connection = await pool.connect()
        exchange = Borrowed(connection)
        await until(lambda: connection.complete)
        connection.fail(Left("The client has left."))
        assert (await exchange.head(), await exchange.read()) == (OK_HEAD, b"recorded")
        assert await exchange.read() == b""
        assert not connection.reusable


STALE: list[tuple[Script, bool]] = [
    (closes(), True),
    (resets(), True),
    (closes(b"HTTP"), False),
    (closes(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), False),
]


@pytest.mark.parametrize(("script", "stale"), STALE)
async def test_a_connection_that_had_grown_old_can_be_told(script: Script, *, stale: bool) -> None:
    """It was used before, and broke before any byte of the answer: only then is a failure no news of the request."""
    async with recording(in_turn(answers(OK), script)) as upstream, pooled(upstream.url) as pool:
        connection = await pool.connect()
        await exchanged(connection)
        with pytest.raises(UpstreamBroken):
            await exchanged(connection)
        assert connection.stale is stale


async def test_a_new_connection_is_never_old() -> None:
    """Where the first exchange breaks, the upstream may have acted on it."""
    async with recording(closes()) as upstream, pooled(upstream.url) as pool:
        connection = await pool.connect()
        with pytest.raises(UpstreamBroken):
            await exchanged(connection)
        assert not connection.stale
