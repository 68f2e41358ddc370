"""What an exchange leaves behind never reaches the next one."""

import asyncio

import pytest

from gateway.outgoing import Rounds
from gateway.upstream.connection import UpstreamConnection
from gateway.upstream.errors import UpstreamBroken
from gateway.upstream.pool import Origin, Pool
from tests.pools import Borrowed, NoTransport

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"
NEXT = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext"


async def lent() -> tuple[Pool, UpstreamConnection, NoTransport, Borrowed]:
    """Give a pool, a connection of its, that connection's transport, and the exchange that is under way on it."""
    origin = Origin("http", "127.0.0.1", 1)
    loop = asyncio.get_running_loop()
    pool = Pool(origin, None, Rounds(loop), timeout=5, connect_timeout=1, max_connections=2, idle_timeout=5)
    connection = UpstreamConnection(loop, pool, Rounds(loop), 5)
    transport = NoTransport()
    connection.connection_made(transport)
    exchange = Borrowed(connection)
    await asyncio.sleep(0)  # the round is over: the request is sent
    return pool, connection, transport, exchange


async def test_an_answer_that_comes_as_the_client_leaves_is_nobodys() -> None:
    """Its exchange is given up when the answer is complete and not read: the connection is not lent again."""
    pool, connection, transport, _ = await lent()
    connection.data_received(ANSWER)
    connection.forget()
    pool.give_back(connection)
    assert (pool.idle, transport.aborted) == (0, True)


async def test_the_next_answer_is_the_next_ones() -> None:
    """Read to its end, the connection is lent again, and the body that comes then is the new answer's alone."""
    pool, connection, _, exchange = await lent()
    connection.data_received(ANSWER)
    assert await exchange.read() == b"first"
    connection.forget()
    pool.give_back(connection)
    assert pool.take() is connection
    following = Borrowed(connection)
    await asyncio.sleep(0)
    connection.data_received(NEXT)
    assert await following.read() == b"next"
    connection.connection_lost(None)


async def test_who_has_given_a_connection_back_hears_no_more_of_it() -> None:
    """What happens on it then is the next borrower's to know."""
    pool, connection, _, exchange = await lent()
    connection.data_received(ANSWER)
    await exchange.read()
    connection.forget()
    pool.give_back(connection)
    exchange._news.clear()
    connection.connection_lost(None)
    assert not exchange._news.is_set()


async def test_what_comes_before_the_request_is_sent_is_not_its_answer() -> None:
    """It was sent before the upstream can have seen the request: the request goes elsewhere, to the byte."""
    pool, connection, transport, exchange = await lent()
    connection.data_received(ANSWER)
    assert await exchange.read() == b"first"
    connection.forget()
    pool.give_back(connection)
    following = Borrowed(connection, b"POST / HTTP/1.1\r\n\r\n")
    connection.send(b"and more")
    connection.data_received(NEXT)
    assert (connection.head, connection.unsent, transport.aborted) == (None, True, True)
    connection.connection_lost(None)
    with pytest.raises(UpstreamBroken):
        await following.head()
    assert connection.take_back() == b"POST / HTTP/1.1\r\n\r\nand more"
