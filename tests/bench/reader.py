"""Cuts a stream of HTTP/1.1 messages apart, for the load generator and for the upstream.

Rule    A message with Content-Length is cut by hand: the head ends at the first empty line, the body is counted.
        A request with no framing field has no body; neither has an answer 1xx, 204 or 304. Where a message is framed
        otherwise, the connection goes over to httptools and stays with it.
Source  RFC 9112, 6.3.
Needs   Well-formed messages, as the bench and the proxies under test make them. It is no validator, and an answer
        that only the end of the connection delimits never counts as complete.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import httptools

SMALL: Final = 65536
"""Bytes of body up to which it is kept; a larger one is only counted."""

OnMessage: TypeAlias = Callable[[bytes, int, bytes], object]
"""Takes the head without its empty line, the length of the body, and the body (empty where it is not small)."""


class MessageReader:
    """Takes what arrives on one connection and calls `on_message` for each complete message."""

    __slots__ = ("_answers", "_head", "_held", "_left", "_length", "_on_message", "_parser")

    def __init__(self, on_message: OnMessage, *, answers: bool) -> None:
        self._on_message = on_message
        self._answers = answers
        self._held = b""
        self._parser: Any = None
        # Of the large body that is coming in: its head, its length, how much is still to come.
        self._head = b""
        self._length = 0
        self._left = 0

    def feed(self, data: bytes) -> None:
        if self._parser is not None:
            self._parser.feed_data(data)
            return
        if self._left:
            data = self._count(data)
        elif self._held:
            data = self._held + data
            self._held = b""
        while data:
            data = self._cut(data)

    def _cut(self, data: bytes) -> bytes:
        """Take one message off the front; what follows it is returned, what is incomplete is held."""
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._held = data
            return b""
        head = data[: end + 2]
        length = self._body_length(head)
        if length is None:
            self._hand_over(data)
            return b""
        start, stop = end + 4, end + 4 + length
        if stop > len(data):
            if length > SMALL:
                self._head, self._length, self._left = head, length, stop - len(data)
            else:
                self._held = data
            return b""
        if not (self._answers and head[9:10] == b"1"):  # 100 and its like only announce the answer
            self._on_message(head, length, data[start:stop] if length <= SMALL else b"")
        return data[stop:]

    def _count(self, data: bytes) -> bytes:
        """Count the part of a large body in `data`; what follows the body is returned."""
        left = self._left
        if len(data) < left:
            self._left = left - len(data)
            return b""
        self._left = 0
        self._on_message(self._head, self._length, b"")
        return data[left:]

    def _body_length(self, head: bytes) -> int | None:
        """Tell the length of the body that follows this head; None: not known beforehand."""
        lower = head.lower()
        if b"\r\ntransfer-encoding:" in lower:
            return None
        at = lower.find(b"\r\ncontent-length:")
        if at >= 0:
            at += len(b"\r\ncontent-length:")
            return int(lower[at : lower.index(b"\r\n", at)])
        if not self._answers or head[9:10] == b"1" or head[9:12] in {b"204", b"304"}:
            return 0
        return None

    def _hand_over(self, data: bytes) -> None:
        events = _Events(self._on_message)
        if self._answers:
            self._parser = httptools.HttpResponseParser(events)
            events.start_line = lambda: b"HTTP/1.1 %d \r\n" % self._parser.get_status_code()
        else:
            self._parser = httptools.HttpRequestParser(events)
            events.start_line = lambda: b"%s %s HTTP/1.1\r\n" % (self._parser.get_method(), events.url)
        self._parser.feed_data(data)


class _Events:
    """Receives httptools' events. A head is told by its first line alone: nothing in the bench looks further."""

    __slots__ = ("_kept", "_length", "_on_message", "start_line", "url")

    def __init__(self, on_message: OnMessage) -> None:
        self._on_message = on_message
        self.start_line: Callable[[], bytes] = bytes
        self.on_message_begin()

    def on_message_begin(self) -> None:
        self.url = b""
        self._length = 0
        self._kept: list[bytes] = []

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_body(self, body: bytes) -> None:
        self._length += len(body)
        if self._length <= SMALL:
            self._kept.append(body)

    def on_message_complete(self) -> None:
        head = self.start_line()
        if not head.startswith(b"HTTP/1.1 1"):
            self._on_message(head, self._length, b"".join(self._kept) if self._length <= SMALL else b"")
