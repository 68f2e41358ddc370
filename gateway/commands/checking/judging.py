"""The verdict on a payload: by the gateway's own reading, its rules and the modes in force."""

from collections.abc import Mapping
from typing import NamedTuple

from gateway.commands.checking.found import Payload, Unreadable, misread
from gateway.commands.checking.stored import Stored
from gateway.policy import (
    EmailWrite,
    Modes,
    Verdict,
    ViolationCode,
    decide,
    email_write,
    judge_create,
    judge_update,
    needs_stored_email,
)
from gateway.wire.submission import read


class Outcome(NamedTuple):
    """A payload that was judged."""

    payload: Payload
    email: EmailWrite
    verdict: Verdict
    unsettled: bool = False
    """Whether only the stored email could tell, and nobody gave it: then it is forwarded."""


class Judge:
    """Judges new emails, or where there are stored ones (which may be none that is known), changes."""

    def __init__(self, modes: Modes, limit: int, stored: Stored | None) -> None:
        self._modes = modes
        self._limit = limit
        self._stored = stored
        self._asks = modes.watches(ViolationCode.SENDER_REQUIRED)

    def __call__(self, payload: Payload) -> Outcome | Unreadable:
        """Judge a payload."""
        reading = read(payload.body, (), self._limit)
        if reading is None:
            return misread(payload)
        email = email_write(reading.members)
        if self._stored is None:
            return Outcome(payload, email, decide(judge_create(email), self._modes))
        return self._change(payload, email, reading.members, self._stored)

    def _change(self, payload: Payload, email: EmailWrite, members: Mapping[str, object], known: Stored) -> Outcome:
        needed = self._asks and needs_stored_email(email)
        stored = known.find(members) if needed else None
        verdict = decide(judge_update(email, stored), self._modes)
        return Outcome(payload, email, verdict, unsettled=needed and stored is None)
