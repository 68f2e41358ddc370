import gzip

import pytest

from gateway.live.answers import Answer, phrase, read_answer, text_of
from tests.raw import chunked

HEAD = b"HTTP/1.1 200 OK\r\nA: b\r\n"
FIELDS = [(b"A", b"b")]
CHUNKED = [*FIELDS, (b"Transfer-Encoding", b"chunked")]

ANSWERS = [
    (HEAD + b"Content-Length: 3\r\n\r\nabc", Answer(200, "OK", [*FIELDS, (b"Content-Length", b"3")], b"abc")),
    (HEAD + b"Content-Length: 9\r\n\r\nabc", Answer(200, "OK", [*FIELDS, (b"Content-Length", b"9")], b"abc")),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(b"ab", b"c"), Answer(200, "OK", CHUNKED, b"abc")),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", Answer(200, "OK", CHUNKED, b"ab")),
    (HEAD + b"\r\nuntil its end", Answer(200, "OK", FIELDS, b"until its end")),
    (b"HTTP/1.1 204 \r\n\r\n", Answer(204, "", [], b"")),
    (HEAD, None),
    (b"", None),
    (b"no answer at all\r\n\r\n", None),
]


@pytest.mark.parametrize(("raw", "expected"), ANSWERS)
def test_an_answer_is_read_back(raw: bytes, expected: Answer | None) -> None:
    """Without its chunks, as far as it was kept; nothing where its head is not whole."""
    assert read_answer(raw) == expected


TEXTS = [  # body, codings, cut, text
    ("é".encode(), [], False, "é"),
    ("éé".encode()[:-1], [], True, "é"),
    ("éé".encode()[:-1], [], False, None),
    (b"\x89PNG\xff", [], False, None),
    (gzip.compress(b"abc", mtime=0), [b"gzip"], False, "abc"),
    (gzip.compress(b"abc", mtime=0), [b"gzip"], True, None),
    (gzip.compress(bytes(2000), mtime=0), [b"gzip"], False, None),
    (b"abc", [b"rot13"], False, None),
    (b"abc", [b"identity"], True, "abc"),
]


@pytest.mark.parametrize(("body", "encodings", "cut", "expected"), TEXTS)
def test_a_body_as_text(body: bytes, encodings: list[bytes], cut: bool, expected: str | None) -> None:  # noqa: FBT001 - a column
    """Without its codings; what is no text, unfolds to too much or was cut within a coding is none."""
    assert text_of(body, encodings, 1000, cut=cut) == expected


def test_the_words_of_a_status() -> None:
    """An unknown one has none."""
    assert [phrase(404), phrase(799)] == ["Not Found", ""]
