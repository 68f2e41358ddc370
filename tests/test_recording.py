"""What the tests of forwarding build on: the raw client, and the upstream that records."""

import asyncio

import pytest

from tests.raw import Answer, Broken, Ended, chunked, connected, fields, values, with_length
from tests.recording import OK, Call, Recording, answers, by_path, closes, hangs, in_turn, recording, resets

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\n"


async def test_a_request_is_recorded_byte_for_byte() -> None:
    """Head with its empty line, body, and the connection it came by; two on one connection are two."""
    head = b"POST /q?#% HTTP/1.1\r\nhOST:  a \r\nX: \xff\r\nX:\r\nContent-Length: 4\r\n\r\n"
    async with recording() as upstream, connected(upstream.port) as client:
        assert (await client.ask(head + b"\r\n\0\xff")).body == b"recorded"
        await client.ask(GET)
        one, two = upstream.requests
        assert (one.head, one.body, one.length, one.complete) == (head, b"\r\n\0\xff", 4, True)
        assert (one.method, one.target, one.connection) == (b"POST", b"/q?#%", 0)
        assert (two.head, two.body, two.complete, two.connection) == (GET, b"", True, 0)
        assert two.sha256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


async def test_chunks_are_taken_off() -> None:
    """The body of a chunked request is what the chunks hold; the next request follows right behind."""
    request = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"one", b"\r\n", b"x" * 70_000)
    async with recording() as upstream, connected(upstream.port) as client:
        await client.ask(request)
        await client.ask(GET)
        assert [request.body for request in upstream.requests] == [b"one\r\n" + b"x" * 70_000, b""]


async def test_a_large_body_need_not_be_kept() -> None:
    """Its length and its hash are, so that it can be compared."""
    async with recording(keep=False) as upstream, connected(upstream.port) as client:
        await client.ask(with_length(b"PUT / HTTP/1.1\r\n", b"a" * 1_000_000))
        request = upstream.requests[0]
        assert (request.body, request.length) == (b"", 1_000_000)
        assert request.sha256 == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"


NO_REQUESTS = [
    b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: one\r\n\r\nx",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n",
]


@pytest.mark.parametrize("request_", NO_REQUESTS)
async def test_what_is_no_request_fails_the_test(request_: bytes) -> None:
    """Whatever else a test looks at, the gateway must not send what leaves room for doubt."""
    upstream = Recording(answers(OK))
    await upstream.start()
    async with connected(upstream.port) as client:
        await client.send(request_)
        assert await client.rest() == b""
    with pytest.raises(ExceptionGroup, match="no request"):
        await upstream.stop()


async def test_a_script_that_fails_fails_the_test() -> None:
    """An assertion in a script counts."""

    async def script(call: Call) -> None:
        await call.read_all()
        raise AssertionError(call.request.target)

    upstream = Recording(script)
    await upstream.start()
    async with connected(upstream.port) as client:
        await client.send(GET)
        assert await client.rest() == b""
    with pytest.raises(ExceptionGroup) as failure:
        await upstream.stop()
    assert str(failure.value.exceptions[0]) == "b'/'"


async def test_an_early_end_is_recorded_as_one() -> None:
    """A request whose client left is there, incomplete; that is no fault of the gateway's."""
    async with recording() as upstream:
        async with connected(upstream.port) as client:
            await client.send(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf")
            await upstream.received(1)
        await upstream.connections[0].left.wait()
        await upstream.connections[0].task
        assert (upstream.requests[0].body, upstream.requests[0].complete) == (b"half", False)


async def test_scripts_in_turn() -> None:
    """One script a request, over all connections, and the last for all the others."""
    script = in_turn(answers(with_length(HEAD, b"one")), answers(with_length(HEAD, b"two")))
    async with recording(script) as upstream:
        async with connected(upstream.port) as first, connected(upstream.port) as second:
            assert [(await client.ask(GET)).body for client in (first, second, first)] == [b"one", b"two", b"two"]
        assert [request.connection for request in upstream.requests] == [0, 1, 0]


async def test_scripts_by_path() -> None:
    """The path decides, with or without a query."""
    script = by_path({b"/me/": answers(with_length(HEAD, b"me"))}, answers(OK))
    async with recording(script) as upstream, connected(upstream.port) as client:
        bodies = [(await client.ask(b"GET %b HTTP/1.1\r\n\r\n" % path)).body for path in (b"/me/", b"/me/?x", b"/")]
        assert bodies == [b"me", b"me", b"recorded"]
        assert upstream.targets == [b"/me/", b"/me/?x", b"/"]


async def test_closing_and_resetting_differ() -> None:
    """A body without a length ends with a close; a reset breaks it off."""
    async with recording(in_turn(closes(HEAD + b"\r\nbody"), resets(HEAD + b"\r\nbody"))) as upstream:
        async with connected(upstream.port) as client:
            assert await client.ask(GET) == Answer(HEAD + b"\r\n", b"body")
        async with connected(upstream.port) as client:
            with pytest.raises(Ended, match="reset"):
                await client.ask(GET)


async def test_hanging_lasts_until_the_client_leaves() -> None:
    """A hanging upstream notices that nobody waits any more."""
    async with recording(hangs(HEAD)) as upstream:
        async with connected(upstream.port) as client:
            await client.send(GET)
            await upstream.received(1)
            assert not upstream.connections[0].left.is_set()
        await asyncio.wait_for(upstream.connections[0].left.wait(), 5)


async def test_an_answer_may_come_before_the_request_ended() -> None:
    """A script decides when it reads; what it leaves is read after it."""

    async def script(call: Call) -> None:
        await call.send(OK)

    async with recording(script) as upstream, connected(upstream.port) as client:
        await client.send(b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n")
        assert (await client.answer()).body == b"recorded"
        assert not upstream.requests[0].complete
        await client.send(b"late" + GET)
        assert (await client.answer()).body == b"recorded"
        assert upstream.requests[0].body == b"late"


async def test_it_can_be_stopped_and_started_again() -> None:
    """On the port it had: an upstream that was away and comes back."""
    async with recording() as upstream:
        url = upstream.url
        await upstream.stop()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", upstream.port)
        await upstream.start()
        assert upstream.url == url
        async with connected(upstream.port) as client:
            assert (await client.ask(GET)).status == 200


BROKEN = [
    (b"", "without an answer"),
    (b"HTTP/1.1 200 OK\r\nCont", "head ends early"),
    (with_length(HEAD, b"body")[:-1], "body ends 1 bytes early"),
    (HEAD + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", "ambiguous"),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(b"x", end=b""), "chunks end early"),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(b"x", end=b"0\r\n"), "chunks end early"),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n", "no chunk size"),
]


@pytest.mark.parametrize(("answer", "reason"), BROKEN)
async def test_a_client_takes_no_broken_answer(answer: bytes, reason: str) -> None:
    """What is cut short never looks complete."""
    async with recording(closes(answer)) as upstream, connected(upstream.port) as client:
        with pytest.raises(Broken, match=reason):
            await client.ask(GET)


async def test_a_client_knows_which_answers_have_no_body() -> None:
    """To HEAD, 1xx, 204 and 304: what follows their heads is the next answer."""
    bodiless = [HEAD + b"Content-Length: 5\r\n\r\n"]
    bodiless += [b"HTTP/1.1 %d x\r\nContent-Length: 5\r\n\r\n" % status for status in (100, 103, 204, 304)]
    async with recording(b"".join(bodiless) + OK) as upstream, connected(upstream.port) as client:
        assert await client.ask(b"HEAD / HTTP/1.1\r\n\r\n") == Answer(bodiless[0], b"")
        assert [await client.answer() for _ in bodiless[1:]] == [Answer(head, b"") for head in bodiless[1:]]
        assert (await client.answer()).body == b"recorded"


async def test_a_client_that_ends_still_listens() -> None:
    """It can say that no more will come and wait for what does."""
    async with recording(closes(OK)) as upstream, connected(upstream.port) as client:
        await client.send(GET)
        client.end()
        assert await client.rest() == OK


async def test_a_client_can_leave_at_once() -> None:
    """The upstream sees the connection gone."""
    async with recording(hangs()) as upstream, connected(upstream.port) as client:
        await client.send(GET)
        await upstream.received(1)
        client.reset()
        await asyncio.wait_for(upstream.connections[0].left.wait(), 5)


def test_fields_are_read_as_they_stand() -> None:
    """Order, case, number and bytes; only the blanks around a value are not part of it."""
    head = b"GET / HTTP/1.1\r\nB:1\r\na: \xff \r\nb: :2:\r\nC:\r\n\r\n"
    assert fields(head) == [(b"B", b"1"), (b"a", b"\xff"), (b"b", b":2:"), (b"C", b"")]
    assert values(head, b"B") == [b"1", b":2:"]


def test_messages_are_built_as_the_grammar_has_them() -> None:
    """RFC 9112, 6.2 and 7.1."""
    assert with_length(HEAD, b"abc") == b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
    assert chunked(b"a" * 16, b"b") == b"10\r\n" + b"a" * 16 + b"\r\n1\r\nb\r\n0\r\n\r\n"


def test_an_answer_tells_its_parts() -> None:
    """Status, first line, fields."""
    answer = Answer(b"HTTP/1.1 299 \r\nX: 1\r\n\r\n", b"")
    assert (answer.status, answer.start_line, answer.fields) == (299, b"HTTP/1.1 299 ", [(b"X", b"1")])
    assert answer.values(b"x") == [b"1"]


async def test_nothing_awaited_lasts_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that waits for what never comes fails, in a bounded time."""
    monkeypatch.setattr("tests.raw.LIMIT", 0.01)
    monkeypatch.setattr("tests.recording.LIMIT", 0.01)
    async with recording(hangs()) as upstream, connected(upstream.port) as client:
        for waiting in (client.ask(GET), client.rest(), upstream.received(2)):
            with pytest.raises(TimeoutError):
                await waiting


async def test_a_slow_reader_slows_the_sender() -> None:
    """Neither side holds what the other does not take: what is sent is bounded by the buffers of the system."""
    sent = asyncio.Event()

    async def script(call: Call) -> None:
        await call.send(HEAD + b"Content-Length: 100000000\r\n\r\n")
        for _ in range(100):
            await call.send(bytes(1_000_000))
        sent.set()

    async with recording(script) as upstream, connected(upstream.port) as client:
        await client.send(GET)
        await client.head()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sent.wait(), 0.2)
