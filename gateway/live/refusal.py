"""What Close says against an email write, read out of its answer.

Source  close-openapi.yml, and answers of the API: `errors` and `field-errors`, or `error`, a text or an object.
"""

import json
from collections.abc import Iterator
from typing import Final

from gateway.exchange import printable
from gateway.live.answers import read_answer, text_of
from gateway.live.redaction import Redaction
from gateway.live.story import Story

REFUSES: Final = range(400, 500)
MOST_ERRORS: Final = 8
"""Sentences of Close's that are shown of one answer."""
UNFOLDED: Final = 262_144
"""Bytes that an answer of Close's may unfold to for being shown."""


def refusal(story: Story) -> list[tuple[str, str]]:
    """List what Close says against an email write, each with the field that it is about."""
    exchange = story.exchange
    forwarded = (exchange.mark or "").startswith(("forwarded", "filled"))
    answer = read_answer(story.went.heard) if forwarded and exchange.status in REFUSES else None
    if answer is None:
        return []
    encodings = [value for name, value in answer.fields if name.lower() == b"content-encoding"]
    redaction = Redaction(exchange.fields)
    text = redaction.body(text_of(answer.body, encodings, UNFOLDED, cut=story.went.cut) or "", "application/json")
    return [(field, printable(said)) for field, said in _sentences(text)][:MOST_ERRORS]


def _sentences(text: str) -> Iterator[tuple[str, str]]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        yield "", text or "(It does not say why.)"
        return
    fields, errors = said.get("field-errors"), said.get("errors")
    told = [("", _words(error)) for error in (errors if isinstance(errors, list) else [said.get("error")]) if error]
    if isinstance(fields, dict):
        told += [(printable(str(field)), _words(error)) for field, error in fields.items()]
    yield from told or [("", text)]


def _words(error: object) -> str:
    """Give an error of Close's in words: it may be an object with a message, as where there were too many requests."""
    if isinstance(error, dict) and isinstance(message := error.get("message"), str):
        return message
    return error if isinstance(error, str) else json.dumps(error, ensure_ascii=False)
