import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.commands.checking.found import NO_OBJECT, Payload, Unreadable
from gateway.commands.checking.splitting import split
from tests.wire.documents import BLANKS, TEXTS, VALUES

BOUNDED = settings(derandomize=True, max_examples=80)
LIMIT = 10_000
COMMA_HERE = "A comma stands where an object should: take it out."
LAST_COMMA = "A comma has nothing behind it: take it out."
NO_COMMA = "A comma is missing before it."
NO_END = "The array does not end: a bracket is missing."
BEHIND = " Nothing behind it was read."

ROWS: list[tuple[bytes, list[tuple[int, int, bytes | str]]]] = [  # what comes, and what is found: line, column, what
    (b'{"a": 1}', [(1, 1, b'{"a": 1}')]),
    (b'{"a": 1}{}\n{"b": "}"}', [(1, 1, b'{"a": 1}'), (1, 9, b"{}"), (2, 1, b'{"b": "}"}')]),
    (b'{\n "a": {"b": [{}]}\n}\n', [(1, 1, b'{\n "a": {"b": [{}]}\n}')]),
    (b'[{"a": "\\"}"}, {"b": "]"}]', [(1, 2, b'{"a": "\\"}"}'), (1, 16, b'{"b": "]"}')]),
    ('[{"é": "😀"}, {}]'.encode(), [(1, 2, '{"é": "😀"}'.encode()), (1, 14, b"{}")]),
    (b" [ ] \n", []),
    (b"", [(1, 1, "Nothing stands here: give a JSON object, or several.")]),
    (b"[{},\n 5, null, [{}], {}]", [(1, 2, b"{}"), *((2, at, NO_OBJECT) for at in (2, 5, 11)), (2, 17, b"{}")]),
    (b'["a, }", {}]', [(1, 2, NO_OBJECT), (1, 10, b"{}")]),
    (b"[{},]", [(1, 2, b"{}"), (1, 5, LAST_COMMA)]),
    (b"[{},,{}]", [(1, 2, b"{}"), (1, 5, COMMA_HERE), (1, 6, b"{}")]),
    (b"[{} {}]", [(1, 2, b"{}"), (1, 5, NO_COMMA), (1, 5, b"{}")]),
    (b"{},{}", [(1, 1, b"{}"), (1, 3, COMMA_HERE), (1, 4, b"{}")]),
    (b"[{}", [(1, 2, b"{}"), (1, 4, NO_END)]),
    (b"[{}] {}", [(1, 2, b"{}"), (1, 6, "Something stands behind the array; it was not read.")]),
    (b'[{"a": tru}, {}]', [(1, 2, b'{"a": tru}'), (1, 14, b"{}")]),
    (b'{\n "a": "x\n}', [(2, 9, f"It cannot be read as JSON: invalid control character.{BEHIND}")]),
    (b'{"a": 1', [(1, 8, f"It cannot be read as JSON: expecting ',' delimiter.{BEHIND}")]),
]


def found(chunks: Iterator[bytes], limit: int = LIMIT) -> list[tuple[int | None, int | None, bytes | str]]:
    """Split."""
    return [(*one[:2], one[2]) for one in split(chunks, limit)]


def cut(body: bytes, size: int) -> Iterator[bytes]:
    """Give a body in pieces."""
    return (body[at : at + size] for at in range(0, len(body), size))


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize(("body", "expected"), ROWS)
def test_what_is_found(body: bytes, expected: list[tuple[int, int, bytes | str]], size: int) -> None:
    """Each object with its place, and each thing that is wrong, however it comes in pieces."""
    assert found(cut(body, size)) == expected


OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=3)


@BOUNDED
@given(st.lists(OBJECTS, min_size=1, max_size=4), st.booleans(), BLANKS, st.integers(1, 60), st.sampled_from([None, 1]))
def test_whatever_json_writes_is_found_again(
    objects: list[dict[str, object]],
    array: bool,  # noqa: FBT001 - hypothesis gives it by place
    blank: str,
    size: int,
    indent: int | None,
) -> None:
    """Objects of any texts and values, in an array or one after another, in pieces of any size."""
    texts = [json.dumps(one, indent=indent) for one in objects]
    text = f"{blank}[{f'{blank},'.join(texts)}{blank}]" if array else f"{blank}\n".join(texts)
    ones = list(split(cut(text.encode(), size), LIMIT))
    assert [json.loads(one.body) for one in ones if isinstance(one, Payload)] == objects
    places = [(one.line, one.column) for one in ones if isinstance(one, Payload)]
    assert all(text.split("\n")[line - 1][column - 1] == "{" for line, column in places)


@BOUNDED
@given(st.binary(max_size=80) | st.text('[]{}",:\\ \n1a', max_size=80).map(str.encode), st.integers(1, 30))
def test_splitting_is_total(body: bytes, size: int) -> None:
    """Whatever comes, in whatever pieces, is parted the same, and to an end."""
    assert found(cut(body, size)) == found(iter([body]))


@pytest.mark.parametrize("large", [b'{"a": "%b"}' % (b"x" * 100), b"[%b]" % (b"1," * 60), b'"%b"' % (b"x" * 101)])
def test_no_more_is_held_than_the_limit(large: bytes) -> None:
    """What is larger ends the reading; nothing of what follows is asked for."""
    taken = 0

    def chunks() -> Iterator[bytes]:
        nonlocal taken
        for piece in cut(b"[{}, " + large + b"x" * 1000, 10):
            taken += len(piece)
            yield piece

    first, last = split(chunks(), 100)
    assert first == Payload(1, 2, b"{}")
    assert last == Unreadable(1, 6, f"It is larger than the 100 bytes that are inspected.{BEHIND}")
    assert taken <= 130
