"""Judges the email writes of a HAR archive by the rules, offline, and prints what the live view would.

Rule    Nobody is asked. What only the stored email, or Close, can tell is forwarded, and it is said so.
Exit    0: nothing would be rejected. 1: something would. 2: an email write, or all of the file, cannot be read; the
        others are judged all the same.
"""

import base64
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from rich.text import Text

from gateway.commands.checking.tally import REJECTED, UNREADABLE
from gateway.commands.failures import Unconfigured
from gateway.commands.out import out
from gateway.config.settings import Settings
from gateway.exchange import printable
from gateway.live import view
from gateway.live.judged import Judged, word
from gateway.live.recording import TAIL, whole
from gateway.live.redaction import Redaction
from gateway.live.screen import console_of, styled
from gateway.modes import modes
from gateway.policy import (
    FillSender,
    Modes,
    Reject,
    decide,
    email_write,
    judge_create,
    judge_update,
    needs_stored_email,
)
from gateway.router import CreateEmail, PassThrough, UpdateEmail, route
from gateway.wire.email import read_object
from gateway.wire.spot import spots

LARGEST: Final = 1_073_741_824
"""Bytes of an archive, as they are recorded at most."""
NOT_WHOLE: Final = ("cut short", "left out")
"""How the comment begins by which a recording says that it has not all of a body."""
CUT: Final = (
    "The recording is cut off in its last line: what stands there was not judged. The next dev --record to it mends it."
)
STORED_UNKNOWN: Final = "Close is not asked here: whether the stored email has a sender, only Close knows."
OF_ITS_USER: Final = "The address of user {} would be put in."
OF_THE_OWNER: Final = "The address of the key's owner would be put in."

WOULD_BE: Final = {
    "rejected": "would be rejected",
    "filled": "filled in",
    "reported": "reported",
    "forwarded": "forwarded",
    "unreadable": "cannot be read",
}


class Unreadable(Exception):
    """An entry, or the file, is not what it should be. Its text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Write:
    """An email write of an archive. `place` counts the archive's entries from 1."""

    place: int
    method: str
    target: str
    route: CreateEmail | UpdateEmail
    entry: Mapping[str, Any]


def replayed(file: Path, settings: Settings) -> int:
    """Judge and print; give the exit code. Raises Unconfigured where the file cannot be read at all."""
    try:
        entries, cut = _entries(file)
    except Unreadable as problem:
        raise Unconfigured(f"{file} {problem}") from None
    in_force = modes(settings.inspect.mode, settings.rules)
    console = console_of(out(), styled=styled(sys.stdout))
    counts: Counter[str] = Counter()
    for write in _writes(entries):
        try:
            shown = _judged(write, in_force)
        except Unreadable as problem:
            shown = _shown(write, Text("unreadable", style="bold red"), said=(Text(f"Its body {problem}"),))
        counts[shown.word.plain] += 1
        console.print(view.draw(shown, console.width))
    console.print(_summary(counts, len(entries)))
    if cut:
        console.print(CUT)
    return UNREADABLE if cut or counts["unreadable"] else REJECTED if counts["rejected"] else 0


def _entries(file: Path) -> tuple[list[Any], bool]:
    """Give what is in it, and whether it is a recording that was cut off. Raises Unreadable."""
    text = _text(file)
    entries, found = _listed(text), None
    if entries is None and (found := whole(text)) is not None:
        entries = _listed(text[: found.end] + TAIL)
    if entries is None:
        raise Unreadable("is no HAR archive: it is to be JSON with log.entries.")
    return entries, found is not None


def _text(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            text = opened.read(LARGEST + 1)
    except OSError as error:
        raise Unreadable(f"cannot be read: {(error.strerror or 'no reason is given').lower()}.") from None
    if len(text) > LARGEST:
        raise Unreadable(f"is larger than {LARGEST} bytes.")
    return text.removeprefix(b"\xef\xbb\xbf")


def _listed(text: bytes) -> list[Any] | None:
    try:
        entries = _read(text)["log"]["entries"]
    except (ValueError, RecursionError, TypeError, KeyError):
        return None
    return entries if isinstance(entries, list) else None


def _read(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except (
        orjson.JSONDecodeError
    ):  # halves of surrogate pairs, which browsers write of bytes: the standard library reads
        return json.loads(text)


def _writes(entries: list[Any]) -> Iterator[Write]:
    for place, entry in enumerate(entries, 1):
        request = entry.get("request") if isinstance(entry, dict) else None
        if not isinstance(request, dict):
            continue
        method, url = str(request.get("method", "")).upper(), str(request.get("url", ""))
        target = _target(url)
        what = route(method, target, _header(request, "x-http-method-override"))
        if not isinstance(what, PassThrough):
            yield Write(place, method, target, what, request)


def _target(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _judged(write: Write, in_force: Modes) -> view.Shown:
    """Judge one. Raises Unreadable."""
    plain = _body(write.entry)
    members = read_object(plain)
    if members is None:
        return _shown(write, Text("forwarded", style="green"), said=(Text(view.UNREAD),))
    email = email_write(members)
    update = isinstance(write.route, UpdateEmail)
    verdict = decide(judge_update(email, None) if update else judge_create(email), in_force)
    said = []
    if isinstance(verdict, FillSender):
        whose = OF_THE_OWNER if verdict.user_id is None else OF_ITS_USER.format(printable(verdict.user_id))
        said.append(Text("sender", style="cyan").append(f"  {whose}", style="default"))
    if update and needs_stored_email(email) and not isinstance(verdict, Reject):
        said.append(Text(STORED_UNKNOWN))
    told = spots(verdict)
    judged = Judged(plain, email, verdict, update)
    return _shown(write, word(verdict), judged=judged if told else None, told=told, said=tuple(said))


def _body(request: Mapping[str, Any]) -> bytes:
    """Give the body that was sent. Raises Unreadable where the archive does not have all of it."""
    given = request.get("postData")
    text = given.get("text") if isinstance(given, dict) else None
    if not isinstance(given, dict) or not isinstance(text, str):
        raise Unreadable("is not in the archive.")
    comment = str(given.get("comment", ""))
    if comment.startswith(NOT_WHOLE):
        raise Unreadable(f"is not whole in the archive: {printable(comment)}.")
    if given.get("encoding") != "base64":
        return text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Unreadable("is said to be base64 and is not.") from None


def _header(request: Mapping[str, Any], name: str) -> str | None:
    headers = request.get("headers")
    for header in headers if isinstance(headers, list) else ():
        if isinstance(header, dict) and str(header.get("name", "")).lower() == name:
            return str(header.get("value", ""))
    return None


def _shown(write: Write, word: Text, **more: Any) -> view.Shown:
    target = printable(Redaction().target(write.target))
    return view.Shown(f"{f'#{write.place}':<8}", word, "", write.method, target, **more)


def _summary(counts: Counter[str], entries: int) -> str:
    total = counts.total()
    told = ", ".join(f"{counts[name]} {what}" for name, what in WOULD_BE.items() if counts[name])
    emails = f"{total} email write{'s' * (total != 1)} among {entries} request{'s' * (entries != 1)}"
    return f"{emails}: {told}." if told else f"{emails}."
