import gzip

import pytest

from gateway.wire import coding
from gateway.wire.submission import Reading, read

PLAIN = b'{"status": "sent", "sender": null}'
MEMBERS: dict[str, object] = {"status": "sent", "sender": None}
GZIPPED = gzip.compress(PLAIN, mtime=0)

ROWS = [  # body, values of Content-Encoding, what is read
    (PLAIN, (), Reading(PLAIN, MEMBERS)),
    (GZIPPED, (b"gzip",), Reading(PLAIN, MEMBERS)),
    (gzip.compress(GZIPPED, mtime=0), (b"gzip", b"x-gzip"), Reading(PLAIN, MEMBERS)),
    (PLAIN, (b"identity",), Reading(PLAIN, MEMBERS)),
    (PLAIN, (b"gzip",), None),
    (PLAIN, (b"rot13",), None),
    (GZIPPED, (), None),
    (b"[1]", (), None),
    (b"", (), None),
]


@pytest.mark.parametrize(("body", "encodings", "expected"), ROWS)
def test_what_a_body_says(body: bytes, encodings: tuple[bytes, ...], expected: Reading | None) -> None:
    """The object it holds, whatever coding it came in; nothing where it holds none, or its coding is not its own."""
    assert read(body, encodings, 1000) == expected


def test_a_body_unfolds_to_the_limit_and_not_beyond() -> None:
    """What a coded body may take is bounded; what came plain has been bounded on its way in."""
    assert read(GZIPPED, (b"gzip",), len(PLAIN)) == Reading(PLAIN, MEMBERS)
    with pytest.raises(coding.TooLarge):
        read(GZIPPED, (b"gzip",), len(PLAIN) - 1)
