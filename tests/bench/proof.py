"""Does a peer really do what it is to be timed for? Each proof compares what a client got and what the upstream saw."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from tests.bench import traffic, upstream
from tests.bench.ask import Answer, ask
from tests.bench.traffic import Sample

BODY_SIZE = 1024 * 1024
"""Bytes of the body that stands for a large one."""


class Unproven(Exception):
    """What the peer did otherwise."""


class Witness:
    """Asks a peer, and asks the upstream what came of it."""

    def __init__(self, port: int, upstream_port: int) -> None:
        self._port = port
        self._upstream_port = upstream_port

    def try_out(self, sample: Sample, upload: int = 0) -> tuple[Answer, dict[str, int], bytes]:
        """Send a sample; give the answer, what the upstream was asked meanwhile, and the last body it got."""
        before = self._seen()["counts"]
        answer = ask(self._port, sample.data, upload)
        seen = self._seen()
        asked = {kind: count - before[kind] for kind, count in seen["counts"].items() if count != before[kind]}
        if answer.status != sample.status:
            raise Unproven(f"status {answer.status}, not {sample.status}")
        return answer, asked, seen["last_body"].encode()

    def _seen(self) -> dict[str, Any]:
        seen: dict[str, Any] = json.loads(ask(self._upstream_port, traffic.SEEN.data).body)
        return seen


Proof: TypeAlias = Callable[[Witness], None]


def prove(proofs: Sequence[Proof], witness: Witness) -> None:
    """Raise Unproven at the first proof that fails."""
    for proof in proofs:
        try:
            proof(witness)
        except ValueError as error:
            raise Unproven(f"not JSON where JSON belongs: {error}") from error


def expect(what: str, found: object, wanted: object) -> None:
    """Compare whole values."""
    if found != wanted:
        raise Unproven(f"{what}: {found!r}, not {wanted!r}"[:300])


def forwards_get(witness: Witness) -> None:
    """One request up for one that came, and the answer whole."""
    answer, asked, _ = witness.try_out(traffic.GET)
    expect("upstream was asked", asked, {"get": 1})
    expect("answer", answer.body, upstream.LEAD_BODY)


def forwards_post(witness: Witness) -> None:
    """The body goes up as it came."""
    answer, asked, body = witness.try_out(traffic.POST)
    expect("upstream was asked", asked, {"write": 1})
    expect("body", body, traffic.POST.body)
    expect("answer", answer.body, upstream.LEAD_BODY)


def forwards_accepted(witness: Witness) -> None:
    """An email with a sender goes up as it came, without any question to the upstream."""
    _, asked, body = witness.try_out(traffic.ACCEPTED)
    expect("upstream was asked", asked, {"create": 1})
    expect("body", body, traffic.ACCEPTED.body)


def rejects(witness: Witness) -> None:
    """Refused in Close's words, with nothing asked of the upstream. Asked of who is timed with accepted emails too."""
    answer, asked, _ = witness.try_out(traffic.REJECTED)
    expect("upstream was asked", asked, {})
    is_rejection(answer)


def fills(witness: Witness) -> None:
    """The sender is the owner's, all else is as it was, and the owner is asked for once."""
    witness.try_out(traffic.FILLED)
    _, asked, body = witness.try_out(traffic.FILLED)
    expect("upstream was asked the second time", asked, {"create": 1})
    expect("email", json.loads(body), {**json.loads(traffic.FILLED.body), "sender": upstream.OWNER["email"]})


def looks_up(witness: Witness) -> None:
    """One update passes since the stored email has a sender, the other is refused since it has none."""
    _, asked, body = witness.try_out(traffic.UPDATE)
    expect("upstream was asked", asked, {"stored": 1, "update": 1})
    expect("body", body, traffic.UPDATE.body)
    answer, asked, _ = witness.try_out(traffic.REFUSED_UPDATE)
    expect("upstream was asked", asked, {"stored": 1})
    is_rejection(answer)


def downloads(witness: Witness) -> None:
    """As many bytes come down as were asked for."""
    answer, asked, _ = witness.try_out(traffic.get(f"/big/{BODY_SIZE}"))
    expect("upstream was asked", asked, {"big": 1})
    expect("bytes", answer.length, BODY_SIZE)


def uploads(witness: Witness) -> None:
    """As many bytes arrive at the upstream as were sent."""
    answer, asked, _ = witness.try_out(Sample(traffic.head("PUT", "/sink", BODY_SIZE)), upload=BODY_SIZE)
    expect("upstream was asked", asked, {"sink": 1})
    expect("answer", json.loads(answer.body), {"received": BODY_SIZE})


def is_lead(answer: Answer) -> None:
    """The answer is the upstream's to a GET, whole."""
    expect("answer", (answer.status, answer.body), (200, upstream.LEAD_BODY))


def is_rejection(answer: Answer) -> None:
    """The answer is Close's, where the sender is missing."""
    expect("status", answer.status, 400)
    content = json.loads(answer.body)
    found = content.get("field-errors") if isinstance(content, dict) else None
    expect("field-errors", found, {"sender": "This field is required."})
