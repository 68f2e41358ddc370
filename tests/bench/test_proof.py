"""Each proof is tried on the upstream itself, as if it were a proxy: one that forwards everything, judging nothing."""

import asyncio
import json

import pytest

from tests.bench import proof, traffic, upstream
from tests.bench.ask import Asker, ask
from tests.bench.proof import Proof, Unproven, Witness
from tests.bench.upstream import LEAD_BODY, Seen


async def prove_on_upstream(proven: Proof) -> None:
    """Let the upstream stand in for a proxy."""
    async with await upstream.listen(0, Seen()) as server:
        port = server.sockets[0].getsockname()[1]
        await asyncio.to_thread(proven, Witness(port, port))


@pytest.mark.parametrize(
    "proven",
    [proof.forwards_get, proof.forwards_post, proof.forwards_accepted, proof.downloads, proof.uploads],
)
async def test_what_forwards_everything_proves_to_forward(proven: Proof) -> None:
    """The proofs let pass who does the work."""
    await prove_on_upstream(proven)


@pytest.mark.parametrize(
    ("proven", "complaint"),
    [
        (proof.rejects, "status 200, not 400"),
        (proof.fills, "email: "),
        (proof.looks_up, "upstream was asked: {'update': 1}, not {'stored': 1, 'update': 1}"),
    ],
)
async def test_what_judges_nothing_is_not_timed_for_judging(proven: Proof, complaint: str) -> None:
    """The proofs stop who does not."""
    with pytest.raises(Unproven) as caught:
        await prove_on_upstream(proven)
    assert str(caught.value).startswith(complaint)


async def test_the_upstream_tells_kinds_apart_and_keeps_the_last_body() -> None:
    """The proofs build on these counts."""
    seen = Seen()

    def walk(port: int) -> list[int]:
        asker = Asker(port)
        requests = [
            *(traffic.GET, traffic.POST, traffic.ACCEPTED, traffic.UPDATE, traffic.get("/api/v1/me/?_fields=id")),
            *(traffic.get("/api/v1/user/user_1/"), traffic.get("/api/v1/activity/email/acti_1/?_fields=sender")),
            traffic.get("/big/300000"),
        ]
        lengths = [asker.ask(request.data).length for request in requests]
        received = asker.ask(traffic.head("PUT", "/sink", 600_000), upload=600_000)
        assert json.loads(received.body) == {"received": 600_000}
        asker.ask(traffic.FILLED.data)
        asker.close()
        return lengths

    async with await upstream.listen(0, seen) as server:
        port = server.sockets[0].getsockname()[1]
        lengths = await asyncio.to_thread(walk, port)
        told = json.loads((await asyncio.to_thread(ask, port, traffic.SEEN.data)).body)
    assert lengths[:4] == [len(LEAD_BODY)] * 4
    assert lengths[-1] == 300_000
    counts = {"get": 1, "write": 1, "create": 2, "update": 1, "stored": 1, "owner": 2, "big": 1, "sink": 1}
    assert told == {"counts": counts, "last_body": traffic.FILLED.body.decode()}


@pytest.mark.parametrize(("sample", "size"), [(traffic.POST, 1024), (traffic.ACCEPTED, 2048), (traffic.REJECTED, 2048)])
def test_bodies_are_about_as_long_as_the_rows_say(sample: traffic.Sample, size: int) -> None:
    """An email of half the length would be half as dear to read."""
    assert size * 0.9 < len(sample.body) < size * 1.1
