import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.wire.coding import DECODERS, MOST_CODINGS, TooLarge, Undecodable, codings, decode

BOUNDED = settings(derandomize=True, max_examples=200)
LIMIT = 1024 * 1024
EMAIL = b'{"status": "outbox", "subject": "Hello!", "to": ["lead@example.net"]}' * 3
SKIPPABLE = b"\x50\x2a\x4d\x18\x04\0\0\0skip"  # RFC 8878, 3.1.2


def raw_deflate(plain: bytes) -> bytes:
    """Compress without zlib's head and sum, as many do who say deflate."""
    encoder = zlib.compressobj(wbits=-15)
    return encoder.compress(plain) + encoder.flush()


def streamed_zstd(plain: bytes) -> bytes:
    """Compress without saying in advance how much it is."""
    encoder = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    return encoder.compress(plain) + encoder.flush()


Encoder = Callable[[bytes], bytes]
ENCODERS: list[tuple[bytes, Encoder]] = [
    (b"gzip", gzip.compress),
    (b"x-gzip", gzip.compress),
    (b"deflate", zlib.compress),
    (b"deflate", raw_deflate),
    (b"br", brotli.compress),
    (b"zstd", zstandard.compress),
    (b"zstd", streamed_zstd),
]
EACH = pytest.mark.parametrize(("coding", "encode"), ENCODERS)


def test_the_table_is_complete() -> None:
    """A coding that is added has to be given an encoder."""
    assert {coding for coding, _ in ENCODERS} == set(DECODERS)


@EACH
def test_each_coding_comes_off(coding: bytes, encode: Encoder) -> None:
    """Nothing, little, much, and what does not compress."""
    for plain in (b"", b"x", EMAIL, bytes(300_000), random.Random(7).randbytes(300_000)):
        assert decode(encode(plain), [coding], LIMIT) == plain


@EACH
def test_the_limit_is_what_the_body_may_unfold_to(coding: bytes, encode: Encoder) -> None:
    """Exactly so many bytes pass, one more does not."""
    for size in (1, 1000, 100_000):
        body = encode(b"x" * size)
        assert decode(body, [coding], size) == b"x" * size
        with pytest.raises(TooLarge):
            decode(body, [coding], size - 1)


@EACH
def test_a_body_that_ends_early_is_undecodable(coding: bytes, encode: Encoder) -> None:
    """Wherever it is cut off, even where all of the text has come."""
    body = encode(EMAIL)
    for size in range(1, len(body)):
        with pytest.raises(Undecodable):
            decode(body[:size], [coding], LIMIT)


@EACH
@pytest.mark.parametrize(
    "body", [EMAIL, b"\xff" * 50, b"\0\xff" * 50, b"\x1f\x8bnonsense", b"\x28\xb5\x2f\xfdnonsense"]
)
def test_what_is_not_in_the_coding_is_undecodable(coding: bytes, encode: Encoder, body: bytes) -> None:
    """Plain text, noise, and the first bytes of a coding with noise behind them."""
    with pytest.raises(Undecodable):
        decode(body, [coding], LIMIT)


@pytest.mark.parametrize(("coding", "encode"), [row for row in ENCODERS if row[0] != b"deflate"])
def test_noise_behind_a_body_is_undecodable(coding: bytes, encode: Encoder) -> None:
    """It belongs to no stream, and nobody could say what it means."""
    for noise in (b"x", b"\0", b"nonsense" * 100):
        with pytest.raises(Undecodable):
            decode(encode(EMAIL) + noise, [coding], LIMIT)


@pytest.mark.parametrize(
    ("coding", "encode"), [row for row in ENCODERS if row[0] in {b"gzip", b"zstd"}], ids=["gzip", "zstd", "zstd2"]
)
def test_streams_that_follow_one_another_are_one_body(coding: bytes, encode: Encoder) -> None:
    """RFC 1952, 2.2 and RFC 8878, 3.1: members and frames. Their number has a limit too: empty ones cost time alone."""
    empty = encode(b"")
    body = empty + encode(b"one ") + encode(b"") + encode(EMAIL)
    assert decode(body, [coding], LIMIT) == b"one " + EMAIL
    assert decode(encode(b"x") * 60, [coding], 60) == b"x" * 60
    with pytest.raises(TooLarge):
        decode(encode(b"x") * 60, [coding], 59)
    with pytest.raises(Undecodable):
        decode(empty * 100, [coding], LIMIT)
    with pytest.raises(Undecodable):
        decode(body + empty[:-1], [coding], LIMIT)


def test_a_zstd_frame_that_is_to_be_skipped_is_skipped() -> None:
    """RFC 8878, 3.1.2: it may stand before, between and behind the others."""
    frame = zstandard.compress(EMAIL)
    assert decode(SKIPPABLE + frame + SKIPPABLE + frame + SKIPPABLE, [b"zstd"], LIMIT) == EMAIL * 2


def test_a_zstd_body_may_not_ask_for_a_huge_window() -> None:
    """RFC 8878, 3.1.1.1.2: a decoder need not support more than 8 MiB; a stranger gets no more."""
    wide = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True)
    encoder = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    body = encoder.compress(EMAIL) + encoder.flush()
    with pytest.raises(Undecodable):
        decode(body, [b"zstd"], LIMIT)


@pytest.mark.parametrize("applied", [[b"compress"], [b"gzip", b"aes128gcm"], [b"exi", b"gzip"], [b"*"], [b"GZIP"]])
def test_an_unknown_coding_is_undecodable(applied: list[bytes]) -> None:
    """Wherever it stands in the list."""
    with pytest.raises(Undecodable):
        decode(gzip.compress(EMAIL), applied, LIMIT)


def test_codings_come_off_from_the_last_one_on() -> None:
    """RFC 9110, 8.4: they were applied in the order that they are listed in."""
    body = zstandard.compress(zlib.compress(brotli.compress(gzip.compress(EMAIL))))
    assert decode(body, [b"gzip", b"br", b"deflate", b"zstd"], LIMIT) == EMAIL
    with pytest.raises(Undecodable):
        decode(body, [b"zstd", b"deflate", b"br", b"gzip"], LIMIT)


def test_no_body_has_so_many_codings() -> None:
    """Each one costs a decoding, so a stranger may not ask for hundreds."""
    bodies = [EMAIL]
    for _ in range(MOST_CODINGS + 1):
        bodies.append(gzip.compress(bodies[-1]))
    assert decode(bodies[-2], [b"gzip"] * MOST_CODINGS, LIMIT) == EMAIL
    with pytest.raises(Undecodable):
        decode(bodies[-1], [b"gzip"] * (MOST_CODINGS + 1), LIMIT)


@EACH
def test_a_bomb_stops_at_the_limit(coding: bytes, encode: Encoder) -> None:
    """Of 64 MiB that come in a few kilobytes, no more is unfolded than the limit and a few steps."""
    bomb = encode(bytes(64 * 1024 * 1024))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            decode(bomb, [coding], LIMIT)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 24 * 1024 * 1024


def test_the_limit_holds_for_what_each_coding_yields() -> None:
    """Not for the last alone: 2000 bytes that were stored in more are more than 2010 on their way out."""
    body = gzip.compress(gzip.compress(bytes(2000), 0))
    assert decode(body, [b"gzip", b"gzip"], 2100) == bytes(2000)
    with pytest.raises(TooLarge):
        decode(body, [b"gzip", b"gzip"], 2010)


@BOUNDED
@given(st.binary(max_size=2000), st.lists(st.sampled_from(ENCODERS), max_size=MOST_CODINGS))
def test_decoding_undoes_encoding(plain: bytes, applied: list[tuple[bytes, Encoder]]) -> None:
    """Whatever the body and however it was coded, taking the codings off leaves the body."""
    body = plain
    for _, encode in applied:
        body = encode(body)
    assert decode(body, [coding for coding, _ in applied], LIMIT) == plain


@BOUNDED
@given(st.binary(max_size=300), st.sampled_from(sorted(DECODERS)), st.integers(0, 300))
def test_decoding_is_total(body: bytes, coding: bytes, limit: int) -> None:
    """Whatever bytes come, they are decoded within the limit, too large or undecodable: nothing else happens."""
    try:
        plain = decode(body, [coding], limit)
    except (Undecodable, TooLarge):
        return
    assert len(plain) <= limit


LISTS = [
    ([], []),
    ([b""], []),
    ([b"identity"], []),
    ([b"gzip"], [b"gzip"]),
    ([b"GZip"], [b"gzip"]),
    ([b" gzip ,\tbr"], [b"gzip", b"br"]),
    ([b"gzip", b"br, zstd"], [b"gzip", b"br", b"zstd"]),
    ([b"gzip,, identity,"], [b"gzip"]),
    ([b"x-gzip, Identity, gzip"], [b"x-gzip", b"gzip"]),
    ([b"gzip;q=1"], [b"gzip;q=1"]),
    ([b"caf\xe9"], [b"caf\xe9"]),
]


@pytest.mark.parametrize(("values", "expected"), LISTS)
def test_the_codings_of_all_fields_are_listed(values: list[bytes], expected: list[bytes]) -> None:
    """In their order, whatever their case; identity is none."""
    assert codings(values) == expected
