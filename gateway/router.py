"""What is this request to us?

Rule    Email activities are created by POST {base}/activity/email/ and changed by PUT (or PATCH) on
        {base}/activity/email/{id}/. Everything else passes through.
Source  The published API description; bulk emails, sequences and email threads have endpoints of their own.
        A POST with X-HTTP-Method-Override: GET is a search ("Filter Parameters").
Needs   Method and target. The target is compared as a server would resolve it, so that no spelling slips past:
        percent-decoded once, empty and dot segments collapsed, with or without the last slash. A spelling that Close
        would not resolve so is a 404 there: refusing it early refuses nothing that Close would take.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias
from urllib.parse import quote, unquote

WRITES: Final = frozenset({"POST", "PUT", "PATCH"})
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


def may_be_ours(method: str, target: str) -> bool:
    """Tell at little cost whether a request needs a second look: most do not."""
    # Without either, neither decoding nor collapsing could make it ours.
    return method in WRITES and ("email" in target or "%" in target)


def route(method: str, target: str, override: str | None = None) -> Route:
    """Tell what a request is.

    `target` is the request target (path and query) as received, `override` the value of X-HTTP-Method-Override.
    """
    meant = (override or "").strip().upper()
    if not may_be_ours(method, target) or (method == "POST" and meant == "GET"):
        return PASS_THROUGH
    for segments in _readings(target.partition("?")[0].partition("#")[0]):
        if segments[: len(BASE)] == BASE:
            if method == "POST" and len(segments) == len(BASE):
                return CREATE_EMAIL  # whatever else the override says, a server may take no notice of it
            updates = method != "POST" or meant in {"PUT", "PATCH"}
            if updates and len(segments) == len(BASE) + 1:
                return UpdateEmail(segments[-1])
    return PASS_THROUGH


def usual(path: str) -> str:
    """Spell the path of an email write as Close documents it, whatever it is spelled like; any other stays."""
    emails = f"/{'/'.join(BASE)}/"
    if route("POST", path) is CREATE_EMAIL:
        return emails
    what = route("PUT", path)
    return f"{emails}{quote(what.email_id, safe='')}/" if isinstance(what, UpdateEmail) else path


@lru_cache(maxsize=64)  # nearly every email is created under one and the same path
def _readings(path: str) -> tuple[tuple[str, ...], ...]:
    """Resolve a path to its segments, in each way that servers do.

    Of `/a//../b` some make `/b`, since the empty segment is gone before the dots are looked at; others make `/a/b`,
    since it is what the dots take away (RFC 3986, 5.2.4).
    """
    segments = unquote(path).split("/")[1:]
    collapsed = _resolved([segment for segment in segments if segment])
    if ".." not in segments:
        return (collapsed,)
    return collapsed, tuple(filter(None, _resolved(segments)))


def _resolved(segments: list[str]) -> tuple[str, ...]:
    resolved: list[str] = []
    for segment in segments:
        if segment == "..":
            del resolved[-1:]
        elif segment != ".":
            resolved.append(segment)
    return tuple(resolved)
