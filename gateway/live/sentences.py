"""Pure: what the log tells, in sentences for a developer, where an operator has an event's name and its facts.

Rule    Whatever a developer meets has a sentence; an event without one is told as the log has it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from gateway.exchange import printable

Told: TypeAlias = Mapping[str, Any]

UNTRUSTED: Final = ("unknown ca", "certificate unknown", "bad certificate")
"""How OpenSSL has it that a client does not trust a certificate: its reason ends so."""
COUNTED: Final = {
    "rejected": "rejected",
    "filled": "filled",
    "forwarded": "forwarded",
    "reported": "with a rule that is reported only",
    "oversize": "too large to be judged",
    "lookup_failed": "without an answer from Close to what was to be known",
}


def in_words(told: Told) -> tuple[str, str] | None:
    """Give what it is in a word, or nothing, and the sentence; with nothing in them that a terminal would act on."""
    event = str(told["event"])
    if (sentence := SENTENCES.get(event)) is not None:
        return "", sentence(told)
    if event == "body_oversized":
        return event, _oversized(told)
    if "code" in told and "reason" in told:  # an error: its text is a sentence
        return printable(told["code"]), printable(told["reason"])
    return None


def _stopping(told: Told) -> str:
    waiting = told["in_flight"]
    if not waiting:
        return "Stopping."
    grace = f"{told['grace']:g} s"
    return f"Stopping: it waits up to {grace} for {_requests(waiting)}. Ctrl-C again ends it at once."


def _stopped(told: Told) -> str:
    cut_off, counts = told["cut_off"], told["counts"]
    ends = f"The gateway has stopped{f' and cut off {_requests(cut_off)}' if cut_off else ''}."
    done = ", ".join(f"{counts[name]:,} {what}" for name, what in COUNTED.items() if counts.get(name))
    return f"{ends} Email writes: {done}." if done else ends


def _reloaded(told: Told) -> str:
    now = ", ".join(f"{name} = {printable(str(value))}" for name, value in told["changed"].items())
    later = ", ".join(told["needs_restart"])
    sentence = f"The configuration was read anew: {now or 'nothing changes'}."
    return f"{sentence} Until a restart stays as it was: {later}." if later else sentence


def _not_taken(told: Told) -> str:
    problems = " ".join(map(printable, told["problems"]))
    return f"The configuration is not taken, and what was in force stays. {problems}"


def _not_shaken(told: Told) -> str:
    client, reason = printable(told["client"]), printable(told["reason"])
    if reason == "http request":
        return f"Plain HTTP came from {client} to a port that speaks TLS: use https:// there."
    if reason.endswith(UNTRUSTED):
        return f"A client at {client} does not trust the gateway's certificate ({reason})."
    return f"A client at {client} and the gateway did not agree on TLS: {reason}."


def _oversized(told: Told) -> str:
    return (
        f"Its body is larger than the {told['limit']:,} bytes that are looked into (setting inspect.max_body): no rule "
        "was applied."
    )


def _recorded(told: Told) -> str:
    lost = told.get("lost")
    sentence = f"Recorded {_requests(told['requests'])} to {printable(told['file'])}."
    return f"{sentence} {lost:,} could not be kept." if lost else sentence


def _not_recorded(told: Told) -> str:
    return f"{printable(told['file'])} may lack what comes from here on: {printable(told['reason'])}."


def _requests(count: int) -> str:
    return f"{count:,} request{'s' * (count != 1)}"


SENTENCES: Final[Mapping[str, Callable[[Told], str]]] = {
    "gateway_stopping": _stopping,
    "gateway_stopped": _stopped,
    "config_reloaded": _reloaded,
    "config_rejected": _not_taken,
    "tls_handshake_failed": _not_shaken,
    "recorded": _recorded,
    "recording_failed": _not_recorded,
}
