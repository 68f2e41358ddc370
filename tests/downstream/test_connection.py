"""One client's connection, step by step. Over real sockets it is walked in tests/forwarding."""

import io
import json
from collections.abc import Callable

import pytest

from gateway.body import HIGH_WATER
from gateway.config.settings import ListenerSettings
from gateway.downstream.connection import IN_A_ROW, LINGER, MOST_WAITING, ClientConnection
from gateway.downstream.server import ClientServer
from gateway.exchange import Downstream, Exchange
from gateway.log import make_log
from tests.downstream.transports import FakeLoop, FakeRounds, FakeTransport
from tests.exchanges import KEY

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
POST = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n"
SHORT = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
LIMITS = ListenerSettings(head_timeout=10.0, body_timeout=30.0, idle_timeout=75.0)


class Carrying:
    """A gateway.exchange.Carrier that keeps what it is told."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.told: list[str] = []
        self._fault = fault

    def body_came(self) -> None:
        self.told.append("body_came")
        if self._fault is not None:
            raise self._fault

    def writable(self) -> None:
        self.told.append("writable")

    def left(self) -> None:
        self.told.append("left")


def wait(exchange: Exchange) -> None:
    """Take an exchange, and answer it some other time."""
    exchange.carrier = Carrying()


def answer(exchange: Exchange) -> None:
    """Answer on the spot."""
    exchange.write(OK)
    exchange.done(keep_alive=exchange.keep_alive)


class Road:
    """A client's connection. `handled` are the exchanges that came of it, each dealt with as `handle` says."""

    def __init__(self, handle: Callable[[Exchange], None] = wait, limits: ListenerSettings = LIMITS) -> None:
        self.handled: list[Exchange] = []
        self.faults: list[Exception] = []
        self.loop = FakeLoop()
        self.rounds = FakeRounds()
        self.transport = FakeTransport()
        self._handle = handle
        self._lines = io.BytesIO()
        downstream = Downstream(KEY, on_fault=lambda _, fault: self.faults.append(fault))
        log = make_log("debug", console=False, stream=self._lines)
        self.server = ClientServer(self._take, downstream, limits, self.rounds, log)
        self.server.loop = self.loop  # type: ignore[assignment]  # what is used of one
        self.connection: ClientConnection = self.server()
        self.connection.connection_made(self.transport)

    def _take(self, exchange: Exchange) -> None:
        self.handled.append(exchange)
        self._handle(exchange)

    @property
    def carrier(self) -> Carrying:
        """Who has the last exchange in hand."""
        carrier = self.handled[-1].carrier
        assert isinstance(carrier, Carrying)
        return carrier

    @property
    def events(self) -> list[tuple[str, str]]:
        """What was logged: event and code."""
        return [(event["event"], event["code"]) for event in map(json.loads, self._lines.getvalue().splitlines())]

    @property
    def written(self) -> bytes:
        """What the client is sent."""
        self.rounds.end()
        return self.transport.written

    @property
    def status(self) -> bytes:
        """Of the answer that was written last."""
        return self.written.rpartition(b"HTTP/1.1 ")[2][:3]

    def comes(self, *pieces: bytes) -> None:
        """Have bytes come, unless the client is made to wait."""
        for piece in pieces:
            assert self.transport.reading
            self.connection.data_received(piece)

    def later(self, seconds: float) -> None:
        """Look round after so many seconds."""
        self.loop.now += seconds
        self.server.watch(self.loop.now)


# -- one after the other --


async def test_many_that_are_answered_on_the_spot_leave_others_their_turn() -> None:
    """So many in a row, then whoever else there is: however often bytes come or the client takes some meanwhile."""
    road = Road(answer)
    road.comes(GET * 40)
    assert len(road.handled) == IN_A_ROW
    for _ in range(5):
        road.comes(GET * 4)
        road.connection.resume_writing()
        assert (len(road.handled), len(road.loop.soon)) == (IN_A_ROW, 1)
    turns = [len(road.handled)]
    while road.loop.soon:
        road.loop.round()
        turns.append(len(road.handled))
    assert turns == [16, 32, 48, 60]
    assert road.written == OK * 60


async def test_a_client_that_asks_for_too_much_at_once_is_made_to_wait() -> None:
    """No more is read while many wait, and it is again as soon as few enough do."""
    road = Road()
    road.comes(GET * (MOST_WAITING + 3))
    reading = [road.transport.reading]
    for _ in range(3):
        answer(road.handled[-1])
        reading.append(road.transport.reading)
    assert reading == [False, False, True, True]
    assert len(road.handled) == 4


@pytest.mark.parametrize("waits", [0, 1, MOST_WAITING])
async def test_a_body_that_is_not_taken_makes_its_client_wait(waits: int) -> None:
    """So it is where others are before it. Each of those that is answered lets no more of it in."""
    road = Road()
    road.comes(GET * waits + POST, bytes(HIGH_WATER), bytes(1))
    for _ in range(waits):
        assert not road.transport.reading
        answer(road.handled[-1])
    assert not road.transport.reading
    assert road.handled[-1].body.take() == bytes(HIGH_WATER + 1)
    assert road.transport.reading


async def test_who_takes_more_of_a_body_than_was_let_in_gets_it() -> None:
    """What waited for its turn with a full body is let in further once whoever deals with it says how much it takes."""

    def gather(exchange: Exchange) -> None:
        exchange.body.high_water = 2 * HIGH_WATER
        wait(exchange)

    road = Road(gather)
    road.connection.pause_writing()
    road.comes(POST, bytes(HIGH_WATER), bytes(1))
    assert not road.transport.reading
    road.connection.resume_writing()
    assert road.transport.reading


async def test_nothing_is_begun_for_a_client_that_does_not_read() -> None:
    """Its requests wait until it takes its answers."""
    road = Road(answer)
    road.connection.pause_writing()
    road.comes(GET, GET)
    assert road.handled == []
    road.connection.resume_writing()
    assert road.written == OK * 2


async def test_a_refusal_waits_for_its_turn() -> None:
    """Behind the answer to what came before it, and after that nothing is read."""
    road = Road()
    road.comes(GET + b"no request\r\n\r\n" + GET)
    assert road.written == b""
    answer(road.handled[0])
    assert road.written.startswith(OK + b"HTTP/1.1 400 Bad Request\r\n")
    assert (len(road.handled), road.transport.ended, road.events) == (
        1,
        ["eof"],
        [("request_refused", "request_malformed")],
    )


# -- time --

TOO_LATE = [  # what has come, seconds until then, what is written and how it ends
    (b"", 75.0, b"", ["close"]),
    (GET, 75.0, b"", []),  # it is in flight: others watch over it
    (b"GET /", 10.0, b"408", ["eof"]),
    (GET.removesuffix(b"\r\n"), 10.0, b"408", ["eof"]),
    (SHORT, 30.0, b"408", ["eof"]),
    (SHORT + b"hal", 30.0, b"408", ["eof"]),
    (SHORT + b"half", 30.0, b"", []),
]


@pytest.mark.parametrize(("came", "seconds", "status", "ended"), TOO_LATE)
async def test_what_takes_too_long_ends(came: bytes, seconds: float, status: bytes, ended: list[str]) -> None:
    """Each part has its own time, and not a moment less."""

    class Failing(Carrying):
        def body_came(self) -> None:
            error = road.handled[-1].body.error
            assert error is not None
            road.connection._refuse(error)

    def handle(exchange: Exchange) -> None:
        exchange.carrier = Failing()

    road = Road(handle)
    if came:
        road.comes(came)
    road.later(seconds)
    assert (road.status, road.transport.ended) == (b"", [])
    road.later(0.5)
    assert (road.status, road.transport.ended) == (status, ended)


async def test_a_head_that_came_in_time_may_wait_as_long_as_its_client() -> None:
    """It came while its client was slow to read: that is no reason to call it late once it is there."""
    road = Road(answer)
    road.connection.pause_writing()
    road.comes(GET[:10], GET[10:])
    road.later(11.0)
    assert road.written == b""
    road.connection.resume_writing()
    assert road.written == OK


async def test_a_connection_is_not_unused_while_its_answer_is_not_taken() -> None:
    """What takes long to read is no idle time, which begins after it."""
    road = Road()
    road.comes(GET)
    road.loop.now += 80.0
    road.connection.pause_writing()
    answer(road.handled[0])
    road.later(1.0)
    assert road.transport.ended == []
    road.connection.resume_writing()
    road.later(75.0)
    assert road.transport.ended == []
    road.later(0.5)
    assert road.transport.ended == ["close"]


async def test_a_body_has_its_time_from_its_turn_on() -> None:
    """A client that waits to be told to go on (RFC 9110, 10.1.1) cannot be told while another request is dealt with."""
    road = Road()
    road.comes(GET + SHORT)
    road.later(40.0)
    answer(road.handled[0])
    road.later(30.0)
    assert (len(road.handled), road.carrier.told) == (2, [])
    road.later(0.5)
    assert (road.handled[1].body.over, road.carrier.told) == (True, ["body_came"])


async def test_the_next_head_has_its_time_from_the_answer_before_it() -> None:
    """A part of it came along with a request that took long."""
    road = Road()
    road.comes(GET + GET[:10])
    road.later(40.0)
    answer(road.handled[0])
    road.later(10.0)
    assert road.transport.ended == []
    road.later(0.5)
    assert (road.status, road.transport.ended) == (b"408", ["eof"])


async def test_who_takes_nothing_is_cut_off() -> None:
    """Whoever takes a little is not."""
    road = Road()
    road.comes(GET)
    for unsent in (1000, 999):
        road.transport.unsent = unsent
        road.later(30.0)
    road.later(30.0)
    assert road.transport.ended == []
    road.later(0.5)
    assert (road.transport.ended, road.events) == (["abort"], [("client_stalled", "answer_not_taken")])


# -- the end --


async def test_after_the_end_what_comes_is_thrown_away_for_a_while() -> None:
    """RFC 9112, 9.6: closing at once could take the answer along. Where it is not out yet, the while begins after."""
    road = Road()
    road.comes(b"no request\r\n\r\n")
    for _ in range(3):
        road.comes(GET * 1000)
        road.transport.unsent += 1
        road.later(LINGER)
    road.transport.unsent = 0
    assert (road.handled, road.transport.ended) == ([], ["eof"])
    road.later(0.5)
    assert road.transport.ended == ["eof", "close"]


async def test_who_is_refused_in_mid_body_may_go_on_sending() -> None:
    """Nobody takes what comes, and it is read all the same."""

    def refuse(exchange: Exchange) -> None:
        exchange.body.high_water = 0
        answer(exchange)

    road = Road(refuse)
    road.comes(POST + bytes(1000), bytes(HIGH_WATER), bytes(HIGH_WATER))
    assert (road.written, road.transport.ended, road.transport.reading) == (OK, ["eof"], True)


async def test_who_asked_for_the_end_has_it_at_once() -> None:
    """It has said that it sends no more."""
    road = Road(answer)
    road.comes(LAST)
    assert (road.written, road.transport.ended) == (OK, ["close"])


@pytest.mark.parametrize("how", ["connection_lost", "eof_received"])
async def test_after_the_client_has_left_nothing_goes_its_way(how: str) -> None:
    """Whoever has its request in hand is told, once; what was behind it is not begun."""
    road = Road()
    road.comes(GET * 3)
    carrier, exchange = road.carrier, road.handled[0]
    if how == "eof_received":
        road.connection.eof_received()
        road.transport.close()  # as the loop does
    road.connection.connection_lost(None)
    answer(exchange)
    road.connection.resume_writing()
    road.loop.round()
    assert (carrier.told, len(road.handled), road.written) == (["left"], 1, b"")
    assert road.server.connections == set()


async def test_what_is_answered_by_then_still_goes_out() -> None:
    """A request and the end of its client's half may come in one piece."""
    road = Road(answer)
    road.connection.data_received(GET)
    road.connection.eof_received()
    assert road.transport.written == OK


SHUT = [  # what has come, what of an answer is written, how it ends
    (b"", b"", ["close"]),
    (GET, b"", ["eof"]),
    (GET, OK, ["abort"]),
    (b"no request\r\n\r\n", b"", ["eof"]),
]


@pytest.mark.parametrize(("came", "written", "ended"), SHUT)
async def test_shutting(came: bytes, written: bytes, ended: list[str]) -> None:
    """An answer under way ends visibly, all else in good order, and what is ending already goes on to."""
    road = Road()
    road.comes(came)
    if written:
        road.handled[0].write(written)
    road.connection.shut()
    assert road.transport.ended == ended
    assert [exchange.carrier for exchange in road.handled] == [None] * len(road.handled)


async def test_a_fault_of_ours_ends_with_its_exchange() -> None:
    """Nothing escapes into the event loop, which would tell nobody whose it was."""
    fault = ValueError("ours")

    def carry(exchange: Exchange) -> None:
        exchange.carrier = Carrying(fault)

    road = Road(carry)
    road.comes(POST, b"x")
    assert road.faults == [fault]


async def test_one_more_than_there_may_be_is_told_so() -> None:
    """It is not read, and the others stay."""
    road = Road(limits=ListenerSettings(max_connections=1))
    second = FakeTransport()
    connection = road.server()
    connection.connection_made(second)
    connection.data_received(GET)
    assert (second.written[:12], second.ended, road.handled) == (b"HTTP/1.1 502", ["eof"], [])
    assert road.transport.ended == []
