"""What is this request to us?

Rule    Email activities are created by POST {base}/activity/email/ and changed by PUT (or PATCH) on
        {base}/activity/email/{id}/. Everything else passes through.
Source  The published API description; bulk emails, sequences and email threads have endpoints of their own.
        A POST may say with X-HTTP-Method-Override which method it stands for ("Filter Parameters").
Needs   Method and target. The target is compared as a server would resolve it, so that no spelling slips past:
        percent-decoded once, empty and dot segments collapsed, with or without the last slash. A spelling that Close
        would not resolve so is a 404 there: refusing it early refuses nothing that Close would take.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import unquote

BASE: Final = ("api", "v1", "activity", "email")


@dataclass(frozen=True, slots=True)
class PassThrough:
    """Not ours to look into."""


@dataclass(frozen=True, slots=True)
class CreateEmail:
    """A new email activity."""


@dataclass(frozen=True, slots=True)
class UpdateEmail:
    """A change to the email activity of this id."""

    email_id: str


Route: TypeAlias = PassThrough | CreateEmail | UpdateEmail

PASS_THROUGH: Final = PassThrough()
CREATE_EMAIL: Final = CreateEmail()


def route(method: str, target: str, override: str | None = None) -> Route:
    """Tell what a request is.

    `target` is the request target (path and query) as received, `override` the value of X-HTTP-Method-Override.
    """
    if override is not None and method == "POST":
        method = override.strip().upper()
    if method not in {"POST", "PUT", "PATCH"}:
        return PASS_THROUGH
    if "email" not in target and "%" not in target:
        return PASS_THROUGH  # neither decoding nor collapsing could make it ours
    segments = _segments(target.partition("?")[0].partition("#")[0])
    if segments[:4] != BASE:
        return PASS_THROUGH
    if method == "POST":
        return CREATE_EMAIL if len(segments) == len(BASE) else PASS_THROUGH
    return UpdateEmail(segments[4]) if len(segments) == len(BASE) + 1 else PASS_THROUGH


def _segments(path: str) -> tuple[str, ...]:
    """Resolve a path to its segments (RFC 3986, 5.2.4, after decoding)."""
    segments: list[str] = []
    for segment in unquote(path).split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in {"", "."}:
            segments.append(segment)
    return tuple(segments)
