import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy import FillSender, Forward, Reject, Verdict, Violation, ViolationCode
from gateway.wire.advice import EXAMPLES
from gateway.wire.spot import KEPT, Line, Spot, Tone, marked, spots
from tests.wire.documents import VALUES

SENDER = Spot("sender", Tone.WRONG, "a@b.co")
ADDED = Line('  "sender": "a@b.co",', Tone.WRONG, added=True, span=(12, 20))

ROWS: list[tuple[bytes, tuple[Spot, ...], tuple[Line, ...]]] = [
    (b'{"status": 1}', (), (Line("{"), Line('  "status": 1'), Line("}"))),
    (b'{"status": 1}', (SENDER,), (Line("{"), ADDED, Line('  "status": 1'), Line("}"))),
    (b"{}", (SENDER,), (Line("{"), ADDED._replace(text='  "sender": "a@b.co"'), Line("}"))),
    (
        b'{"sender": "x", "sender": null}',  # the last one counts
        (SENDER,),
        (Line("{"), Line('  "sender": "x",'), Line('  "sender": null', Tone.WRONG, span=(12, 16)), Line("}")),
    ),
    (
        b'{"sender": "", "a": 1}',
        (SENDER._replace(tone=Tone.FILLED),),
        (Line("{"), ADDED._replace(tone=Tone.FILLED), Line('  "a": 1'), Line("}")),
    ),
    (
        b'{"send_in": 1e2}',  # of two that concern a field, the first
        (Spot("send_in", Tone.NOTED), Spot("send_in", Tone.WRONG)),
        (Line("{"), Line('  "send_in": 1e2', Tone.NOTED, span=(13, 16)), Line("}")),
    ),
    (b"{}", (Spot("send_in", Tone.NOTED),), (Line("{"), Line("}"))),
    (
        b'{"attachments": [{"url": "https://app.close.com/go/file/1"}, 5, {"url": 7, "a": 1}, {"a": 2}]}',
        (Spot("attachments", Tone.WRONG),),
        (
            Line("{"),
            Line('  "attachments": ['),
            Line('    {"url": "https://app.close.com/go/file/1"},'),
            Line("    5,"),
            Line("    {"),
            Line('      "url": 7,', Tone.WRONG, span=(13, 14)),
            Line('      "a": 1'),
            Line("    },"),
            Line("    {"),
            Line(
                '      "url": "https://app.close.com/go/file/...",',
                Tone.WRONG,
                added=True,
                span=(13, 15 + len(EXAMPLES["url"])),
            ),
            Line('      "a": 2'),
            Line("    }"),
            Line("  ]"),
            Line("}"),
        ),
    ),
    (
        b'{"a": [{"b": null}, true, -0.50, NaN]}',
        (),
        (Line("{"), Line('  "a": [{"b": null}, true, -0.50, NaN]'), Line("}")),
    ),
    (
        '{"a": "é\\u202e\\u001b\u2066\\ud83d😀"}'.encode(),
        (),
        (Line("{"), Line('  "a": "é\\u202e\\u001b\\u2066\\ud83d😀"'), Line("}")),
    ),
    ('{"a": 1}'.encode("utf-16"), (), (Line("{"), Line('  "a": 1'), Line("}"))),
    (b"[1, 2]", (SENDER,), (Line("[1, 2]"),)),
    (b'{"a": ', (SENDER,), ()),
    (b"[" * 100_000, (SENDER,), ()),
]


@pytest.mark.parametrize(("body", "found", "expected"), ROWS)
def test_a_body_is_written_out(body: bytes, found: tuple[Spot, ...], expected: tuple[Line, ...]) -> None:
    """A line for each member, as the client wrote it, with what is to be told at its place."""
    assert marked(body, found) == expected


def test_what_is_far_from_a_spot_is_left_out() -> None:
    """The beginning, the end and what surrounds the spot stay."""
    body = json.dumps({f"k{place}": place for place in range(1000)} | {"status": "x"}).encode()
    lines = [line.text for line in marked(body, (Spot("status", Tone.WRONG), SENDER))]
    assert lines == [
        "{",
        '  "sender": "a@b.co",',
        *(f'  "k{place}": {place},' for place in range(12)),
        "  … 986 more lines",
        '  "k998": 998,',
        '  "k999": 999,',
        '  "status": "x"',
        "}",
    ]


def test_a_long_value_is_cut_short() -> None:
    """A text keeps its quotes, so that it is seen to be one."""
    body = json.dumps({"a": "x" * 99, "b": ["y" * 99], "c": "z" * 10}).encode()
    assert [line.text for line in marked(body, (), width=24)] == [
        "{",
        '  "a": "' + "x" * 13 + '…",',
        '  "b": ["' + "y" * 13 + "…,",
        '  "c": "zzzzzzzzzz"',
        "}",
    ]


FIELDS = st.sampled_from(["sender", "status", "attachments", "send_in", "a"])
SPOTS = st.lists(st.builds(Spot, FIELDS, st.sampled_from(Tone), st.none() | st.just("a@b.co")), max_size=6)
BODIES = st.dictionaries(
    FIELDS | st.text(st.characters(), max_size=50),
    VALUES | st.text(st.characters(), max_size=200) | st.lists(st.dictionaries(st.just("url"), VALUES), max_size=60),
    max_size=60,
)


@given(VALUES | BODIES, SPOTS, st.integers(40, 120))
def test_whatever_was_sent_it_is_small_and_printable(value: object, found: list[Spot], width: int) -> None:
    """No line acts on a terminal, is broken or much too wide, and there are few; each span lies within its line."""
    lines = marked(json.dumps(value).encode(), found, width=width)
    assert 0 < len(lines) <= 2 * KEPT
    for line in lines:
        assert line.text.isprintable()
        assert len(line.text) <= width + 12
        assert 0 <= line.span[0] <= line.span[1] <= len(line.text)


@given(st.binary(max_size=60), SPOTS)
def test_whatever_is_no_json_has_no_lines(body: bytes, found: list[Spot]) -> None:
    """No bytes are too odd to be looked at."""
    assert all(line.text.isprintable() for line in marked(body, found))


def test_every_field_that_a_rule_may_miss_has_an_example() -> None:
    """Whatever is required can be shown as the line to add."""
    assert {"sender", "status", "lead_id", "date_scheduled"} <= EXAMPLES.keys()


MISSING = Violation(ViolationCode.SENDER_REQUIRED, "sender", "")
LATE = Violation(ViolationCode.SEND_IN_INVALID, "send_in", "")
VERDICTS: list[tuple[Verdict, str | None, tuple[Spot, ...]]] = [
    (Forward(), None, ()),
    (Forward((LATE,)), None, (Spot("send_in", Tone.NOTED),)),
    (Reject((MISSING,), (LATE,)), None, (Spot("sender", Tone.WRONG, EXAMPLES["sender"]), Spot("send_in", Tone.NOTED))),
    (FillSender(None, (LATE,)), "a@b.co", (Spot("sender", Tone.FILLED, "a@b.co"), Spot("send_in", Tone.NOTED))),
]


@pytest.mark.parametrize(("verdict", "filled", "expected"), VERDICTS)
def test_what_a_verdict_has_to_say(verdict: Verdict, filled: str | None, expected: tuple[Spot, ...]) -> None:
    """What refuses comes first, then what is reported; what was filled in is told where something was."""
    assert spots(verdict, filled) == expected
