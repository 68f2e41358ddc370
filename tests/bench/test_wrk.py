import asyncio
import re
from pathlib import Path

import pytest

from tests.bench import traffic, upstream, wrk
from tests.bench.load import CONNECTIONS, WrongAnswer
from tests.bench.upstream import Seen

installed = pytest.mark.skipif(not wrk.found(), reason="wrk is not installed")


def test_the_script_holds_every_byte_of_the_sample() -> None:
    """Quotes, line ends and what is not ASCII too."""
    sample = traffic.Sample(b'POST / HTTP/1.1\r\n\r\n"\\\x00\xff]]')
    found = re.search(r'return "(.*)" end', wrk.script(sample))
    assert found is not None
    assert bytes(int(code) for code in found[1].split("\\")[1:]) == sample.data


@pytest.mark.parametrize(
    ("refused", "told", "complaint"),
    [
        (False, '{"requests": 9, "us": 1000000, "refused": 1, "failed": 0}', "of 9 requests 1 failed"),
        (False, '{"requests": 9, "us": 1000000, "refused": 0, "failed": 2}', "of 9 requests 2 failed"),
        (True, '{"requests": 9, "us": 1000000, "refused": 6, "failed": 0}', "of 9 requests 3 failed"),
        (False, '{"requests": 0, "us": 1000000, "refused": 0, "failed": 0}', "of 0 requests"),
    ],
)
def test_a_wrong_answer_spoils_the_run(refused: bool, told: str, complaint: str) -> None:  # noqa: FBT001 # pytest passes it by name
    """What fails under load is not to be praised for its speed."""
    with pytest.raises(WrongAnswer, match=complaint):
        wrk.read(f"Running 1s test\n{told}\n", refused=refused)


def test_refusals_are_right_where_they_are_asked_for() -> None:
    """Then every answer is to be one."""
    told = '{"requests": 9, "us": 1500000, "refused": 9, "failed": 0}'
    assert wrk.read(told, refused=True) == (9, 1.5)


@installed
async def test_it_counts_what_the_upstream_counts(tmp_path: Path) -> None:
    """Each request counted was one, sent as the sample is; those under way at the end are the only ones left out."""
    seen = Seen()
    async with await upstream.listen(0, seen) as server:
        port = server.sockets[0].getsockname()[1]
        requests, seconds, cpu_ns = await asyncio.to_thread(wrk.load, port, traffic.ACCEPTED, 1, tmp_path)
    assert 0 < requests <= seen.counts["create"] <= requests + CONNECTIONS
    assert seen.last_body == traffic.ACCEPTED.body
    assert 0 < cpu_ns < seconds * 2e9


@installed
async def test_it_does_not_count_what_was_not_refused(tmp_path: Path) -> None:
    """The upstream refuses nothing."""
    async with await upstream.listen(0, Seen()) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(WrongAnswer, match="answered otherwise"):
            await asyncio.to_thread(wrk.load, port, traffic.REJECTED, 1, tmp_path)
