import io
import json

import pytest
from rich.cells import cell_len
from rich.console import Console

from gateway.live.judged import Judged, draw, word
from gateway.policy import FillSender, Forward, Reject, Verdict, decide, email_write, judge_create
from gateway.wire.email import read_object


def drawn(body: bytes, width: int) -> str:
    """Draw a new email as a screen of so many columns without colours shows it."""
    email = email_write(read_object(body) or {})
    judged = Judged(body, email, decide(judge_create(email)), update=False)
    file = io.StringIO()
    Console(file=file, width=width, highlight=False, color_system=None).print(draw(judged, width))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def test_what_is_refused_and_what_is_reported() -> None:
    """Each rule in a sentence; what to add stands first, and below what to change are carets."""
    assert drawn(b'{"status":"outbox","lead_id":"lead_1","send_in":90}', 60) == (
        '  sender_required  An email with status "outbox" needs a\n'
        '  sender: add "sender", such as "Jane Roe\n'
        '  <jane@example.com>", or save it as "draft" for now.\n'
        '  send_in_invalid (reported)  The delay "send_in" has to be\n'
        "  a whole number of seconds below 60: give it as a number\n"
        "  such as 30, or leave it out; to send the email later, give\n"
        '  status "scheduled" with "date_scheduled".\n'
        "    {\n"
        '  +   "sender": "Jane Roe <jane@example.com>",\n'
        '      "status": "outbox",\n'
        '      "lead_id": "lead_1",\n'
        '  ~   "send_in": 90\n'
        "                 ^^\n"
        "    }"
    )


def test_a_wide_text_is_cut_short_as_any() -> None:
    """It keeps its closing quote; the drawing stays in its lines."""
    body = json.dumps({"status": "draft", "subject": "見積もり" * 60})
    assert drawn(body.encode(), 40).splitlines()[-2:] == ['      "subject": "見積もり見積もり見積…"', "    }"]


def test_wide_letters_have_carets_below_all_of_them() -> None:
    """A letter that takes two columns has two carets."""
    assert drawn('{"status":"sent","lead_id":"l","send_in":"三十"}'.encode(), 60).splitlines()[-2:] == [
        "                 ^^^^^^",
        "    }",
    ]


@pytest.mark.parametrize("width", [20, 60, 100])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    """However long what was sent is."""
    body = b'{"status":"outbox","%b":"%b","to":["%b"]}' % (b"k" * 200, b"v" * 9000, b"a@example.com " * 99)
    wide = json.dumps({"status": "x", "件名" * 40: "a", "subject": "見積もり" * 60, "e\u0301" * 90: "e\u0301" * 90})
    assert max(cell_len(line) for text in (body, wide.encode()) for line in drawn(text, width).splitlines()) <= width


VERDICTS: list[tuple[Verdict, str]] = [
    (Reject(()), "rejected"),
    (FillSender(None), "filled"),
    (Forward(), "forwarded"),
    (Forward(judge_create(email_write({"status": "draft"})).violations), "reported"),
]


@pytest.mark.parametrize(("verdict", "expected"), VERDICTS)
def test_a_verdict_has_a_word(verdict: Verdict, expected: str) -> None:
    """As the gateway's answers have it, but that what is forwarded and reported is called reported."""
    assert word(verdict).plain == expected
