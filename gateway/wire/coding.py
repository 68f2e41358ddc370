"""A body without the codings that its Content-Encoding names, for reading.

Rule    Codings were applied in the order listed, so they come off from the last one on.
Source  RFC 9110, 8.4; gzip RFC 1952, deflate RFC 1950 (and the raw RFC 1951 that many send), br RFC 7932,
        zstd RFC 8878.
Limit   The caller's, on what each step yields: a small body may unfold to any size.
"""

import io
import zlib
from collections.abc import Callable, Sequence

import brotli
import zstandard

# RFC 8878, 3.1.1.1.2: what a decoder should support, and the most it should grant a stranger.
ZSTD_WINDOW = 8 * 1024 * 1024
STEP = 256 * 1024


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
    for coding in reversed(applied):
        decoder = DECODERS.get(coding)
        if decoder is None:
            raise Undecodable
        body = decoder(body, limit)
        if len(body) > limit:
            raise TooLarge
    return body


def _gunzip(body: bytes, limit: int) -> bytes:
    """Decode every member: RFC 1952, 2.2 lets a file hold several."""
    plain = b""
    while body and len(plain) <= limit:
        piece, body = _inflate(zlib.decompressobj(wbits=31), body, limit + 1 - len(plain))
        plain += piece
    return plain


def _undeflate(body: bytes, limit: int) -> bytes:
    try:
        plain, _ = _inflate(zlib.decompressobj(), body, limit + 1)
    except Undecodable:
        plain, _ = _inflate(zlib.decompressobj(wbits=-15), body, limit + 1)
    return plain


def _inflate(decoder: "zlib._Decompress", body: bytes, most: int) -> tuple[bytes, bytes]:
    """Decode one stream; give what it holds, up to `most` bytes, and what follows it."""
    try:
        plain = decoder.decompress(body, most)
    except zlib.error as error:
        raise Undecodable from error
    if not decoder.eof and len(plain) < most:
        raise Undecodable  # it ends early
    return plain, decoder.unused_data


def _unbrotli(body: bytes, limit: int) -> bytes:
    decoder = brotli.Decompressor()
    plain = b""
    try:
        while len(plain) <= limit:
            piece = decoder.process(body, output_buffer_limit=STEP)
            body = b""
            if not piece:
                break
            plain += piece
    except brotli.error as error:
        raise Undecodable from error
    return plain


def _unzstd(body: bytes, limit: int) -> bytes:
    decoder = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
    try:
        with decoder.stream_reader(io.BytesIO(body), read_across_frames=True) as plain:
            return plain.read(limit + 1)
    except zstandard.ZstdError as error:
        raise Undecodable from error


DECODERS: dict[bytes, Callable[[bytes, int], bytes]] = {
    b"gzip": _gunzip,
    b"x-gzip": _gunzip,  # RFC 9110, 8.4.1.3: the same
    b"deflate": _undeflate,
    b"br": _unbrotli,
    b"zstd": _unzstd,
}
