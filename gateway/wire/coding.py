"""A body without the codings that its Content-Encoding names, for reading.

Rule    Codings were applied in the order listed, so they come off from the last one on.
Source  RFC 9110, 8.4; gzip RFC 1952, deflate RFC 1950 (and the raw RFC 1951 that many send), br RFC 7932,
        zstd RFC 8878.
Limit   The caller's, on what each step yields: a small body may unfold to any size.
"""

import zlib
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import brotli
import zstandard

# RFC 8878, 3.1.1.1.2: what a decoder should support, and the most it should grant a stranger.
ZSTD_WINDOW: Final = 8 * 1024 * 1024
# No honest body has more, and each costs a decoding of up to the limit (urllib3 draws the line at five too).
MOST_CODINGS: Final = 5
BROTLI_STEP: Final = 256 * 1024
"""Bytes of brotli's output at a time."""
PIECE: Final = 256
"""Bytes of input at a time: of zstd, whose decoder takes no limit, they unfold to 8 MiB at most."""


MOST_STREAMS: Final = 64
"""Gzip members or zstd frames in a body. One is usual."""


class Undecodable(Exception):
    """The body is not what its Content-Encoding says, or says something we cannot read."""


class TooLarge(Exception):
    """The body unfolds to more than the limit."""


def codings(values: Sequence[bytes]) -> list[bytes]:
    """List the codings of all Content-Encoding fields, in the order they were applied; identity is none."""
    names = (name.strip().lower() for value in values for name in value.split(b","))
    return [name for name in names if name not in {b"", b"identity"}]


def decode(body: bytes, applied: Sequence[bytes], limit: int) -> bytes:
    """Take the codings off the body.

    Raises Undecodable, and TooLarge past `limit` bytes.
    """
    if len(applied) > MOST_CODINGS:
        raise Undecodable
    for coding in reversed(applied):
        decoder = DECODERS.get(coding)
        if decoder is None:
            raise Undecodable
        body = decoder(body, limit)
        if len(body) > limit:
            raise TooLarge
    return body


class _Decoder(Protocol):
    """Decodes one stream, and keeps what follows it."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: memoryview, /) -> bytes: ...


def _gunzip(body: bytes, limit: int) -> bytes:
    """Decode every member: RFC 1952, 2.2 lets a file hold several."""
    return _streams(body, limit, lambda: zlib.decompressobj(wbits=31))


def _undeflate(body: bytes, limit: int) -> bytes:
    try:
        plain, _ = _stream(memoryview(body), limit, zlib.decompressobj())
    except Undecodable:
        plain, _ = _stream(memoryview(body), limit, zlib.decompressobj(wbits=-15))
    return bytes(plain)


def _unbrotli(body: bytes, limit: int) -> bytes:
    decoder = brotli.Decompressor()
    plain = bytearray()
    try:
        while len(plain) <= limit:
            piece = decoder.process(body, output_buffer_limit=BROTLI_STEP)
            body = b""
            if not piece:
                break
            plain += piece
    except brotli.error as error:
        raise Undecodable from error
    if len(plain) <= limit and not decoder.is_finished():
        raise Undecodable  # it ends early
    return bytes(plain)


def _unzstd(body: bytes, limit: int) -> bytes:
    """Decode every frame: RFC 8878, 3.1 lets several follow one another."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
    return _streams(body, limit, decompressor.decompressobj)


def _streams(body: bytes, limit: int, decoder: Callable[[], _Decoder]) -> bytes:
    """Decode streams that follow one another, until they hold more than `limit` bytes."""
    plain = bytearray()
    rest = memoryview(body)
    for _ in range(MOST_STREAMS):
        if not rest or len(plain) > limit:
            return bytes(plain)
        piece, rest = _stream(rest, limit - len(plain), decoder())
        plain += piece
    raise Undecodable  # a limit on what they hold says nothing of a million that hold nothing


def _stream(body: memoryview, limit: int, decoder: _Decoder) -> tuple[bytearray, memoryview]:
    """Decode one stream, until it holds more than `limit` bytes; give that and what follows it.

    It is fed in pieces: a decoder copies what follows its stream, and of many small streams that would be most of the
    body each time.
    """
    plain = bytearray()
    while not decoder.eof and len(plain) <= limit:
        if not body:
            raise Undecodable  # it ends early
        piece = body[:PIECE]
        try:
            plain += decoder.decompress(piece)
        except (zlib.error, zstandard.ZstdError) as error:
            raise Undecodable from error
        body = body[len(piece) - len(decoder.unused_data) :]
    return plain, body


DECODERS: dict[bytes, Callable[[bytes, int], bytes]] = {
    b"gzip": _gunzip,
    b"x-gzip": _gunzip,  # RFC 9110, 8.4.1.3: the same
    b"deflate": _undeflate,
    b"br": _unbrotli,
    b"zstd": _unzstd,
}
