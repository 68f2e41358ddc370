import codecs
import io

import pytest

from gateway.commands.checking.found import NO_OBJECT
from gateway.commands.checking.payloads import payloads

LIMIT = 40
NEITHER = "It is neither a JSON object, nor an array of them, nor JSON Lines."
NO_UTF_8 = "It is not written in UTF-8: save it so."
LARGE = "It is larger than the 40 bytes that are inspected."

ROWS: list[tuple[str, bytes, list[tuple[int, int, bytes | str]]]] = [  # the file's name, what it holds, what is found
    ("a.json", b'{"a": 1}', [(1, 1, b'{"a": 1}')]),
    ("a.json", b'\n{\n"a": 1}', [(2, 1, b'{\n"a": 1}')]),
    ("a.json", b'[\n{"a": 1}\n]', [(2, 1, b'{"a": 1}')]),
    ("a.json", codecs.BOM_UTF8 + b"[{}]", [(1, 2, b"{}")]),
    ("a", b'{"a": 1}\r\n\n \n  {"b": 2}\n', [(1, 1, b'{"a": 1}'), (4, 3, b'{"b": 2}')]),
    ("a", b'{"a": 1}\n{"b": \n{"c": 3}', [(1, 1, b'{"a": 1}'), (2, 1, b'{"b":'), (3, 1, b'{"c": 3}')]),
    ("a", b'{"a": 1} {"b": 2}\n{"c":\n3}', [(1, 1, b'{"a": 1}'), (1, 10, b'{"b": 2}'), (2, 1, b'{"c":\n3}')]),
    ("a.JSONL", b'{"a":\n{}\n[1]\n', [(1, 1, b'{"a":'), (2, 1, b"{}"), (3, 1, NO_OBJECT)]),
    ("a.ndjson", codecs.BOM_UTF8 + b"x\n{}", [(1, 1, NO_OBJECT), (2, 1, b"{}")]),
    ("a.jsonl", b'{"a": "%b"}\n{}' % (b"x" * 99), [(1, 1, LARGE), (2, 1, b"{}")]),
    ("a", b'{}\n{"a": "%b"}\r\n{}' % (b"x" * 99), [(1, 1, b"{}"), (2, 1, LARGE), (3, 1, b"{}")]),
    ("a", b'{"%b":1}\r\n{}' % (b"x" * 34), [(1, 1, b'{"%b":1}' % (b"x" * 34)), (2, 1, b"{}")]),
    ("a", b'{}\n%b{"a": 1}\n{}' % (b" " * 99), [(1, 1, b"{}"), (2, 1, LARGE), (3, 1, b"{}")]),
    ("a.jsonl", b"{}%bx\n{}" % (b" " * 99), [(1, 1, LARGE), (2, 1, b"{}")]),
    ("a.csv", b"lead_id,status\n{}\n", [(1, 1, NEITHER)]),
    ("a", "[{}]".encode("utf-16"), [(1, 1, NO_UTF_8)]),
    ("a", '{"a": 1}'.encode("utf-16-le"), [(1, 1, NO_UTF_8)]),
    ("a", b" \n", [(2, 1, "Nothing stands here: give a JSON object, or several.")]),
]


@pytest.mark.parametrize(("name", "body", "expected"), ROWS)
def test_what_stands_in_a_file(name: str, body: bytes, expected: list[tuple[int, int, bytes | str]]) -> None:
    """One object, an array or JSON Lines: told apart by what stands there, and by the name where that says it."""
    assert [(*one[:2], one[2]) for one in payloads(io.BytesIO(body), name, LIMIT)] == expected
