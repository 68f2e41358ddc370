"""Exchanges for a test: a request's bytes go in, its exchange comes out."""

from typing import Final

from gateway.config.settings import ListenerSettings
from gateway.downstream.reader import RequestReader
from gateway.exchange import Downstream, Exchange, Fields

KEY: Final = b"a key of the test's own"


class RecordingClient:
    """A gateway.exchange.Client that keeps what is done with it."""

    def __init__(self) -> None:
        self.peer = "127.0.0.1"
        self.scheme = "http"
        self.paused = False
        self.written = b""
        self.kept: bool | None = None
        self.broken_off: str | None = None

    def write(self, data: bytes) -> None:
        self.written += data

    def done(self, *, keep_alive: bool) -> None:
        self.kept = keep_alive

    def break_off(self, *, reset: bool) -> None:
        self.broken_off = "reset" if reset else "closed"


def exchange_of(
    request: bytes, *, key: bytes = KEY, client: RecordingClient | None = None, draining: bool = False
) -> Exchange:
    """Read a request, complete or not, as a client's connection does."""
    downstream = Downstream(key, draining=draining)
    its_client = client or RecordingClient()

    def make(method: str, target: str, fields: Fields, *, http11: bool, wants_keep_alive: bool) -> Exchange:
        return Exchange(
            its_client, downstream, method, target, fields, http11=http11, wants_keep_alive=wants_keep_alive
        )

    reader = RequestReader(make, lambda: None, ListenerSettings())
    reader.feed(request)
    assert reader.refused is None, reader.refused
    return reader.arrived.popleft()
