import dataclasses
import sys
from pathlib import Path

import pytest

from tests.bench import wrk
from tests.bench.measuring import QUICK
from tests.bench.peers import nginx
from tests.bench.process import Process, free_port
from tests.bench.rows import WORKERS_ROWS, WorkersRow
from tests.bench.workers import Workers, most_rps, note, started

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

ONE = {"cpu_us": 40.0, "others_us": 10.0, "own_cores": 0.98}


@pytest.mark.parametrize(
    ("count", "cores", "carried"),
    [
        (1, 2, 25_000),  # its own core is full
        (2, 2, 40_000),  # both cores are: the load and the upstream took their part
        (2, 8, 50_000),  # two cores of the workers are
        (1, 1, 20_000),
        (2, 1, 20_000),
    ],
)
def test_the_cores_bound_what_workers_carry(count: int, cores: int, carried: int) -> None:
    """A ratio below two may be the machine's fault; the report says how high it could be."""
    assert most_rps(count, cores, ONE) == pytest.approx(carried)


def test_a_process_that_used_more_than_a_core_is_not_bound_by_one() -> None:
    """Its thread that writes rejections takes some of another core."""
    assert most_rps(1, 4, {**ONE, "own_cores": 1.2}) == pytest.approx(30_000)


@linux
@pytest.mark.parametrize(
    ("row", "installed"), [(WORKERS_ROWS[0], True), (WORKERS_ROWS[1], False)], ids=["installed", "own"]
)
def test_workers_are_measured_with_what_is_there(
    row: WorkersRow,
    installed: bool,  # noqa: FBT001 # pytest passes it by name
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both columns have every figure, by wrk and nginx, or by the bench's own load and upstream."""
    if installed and not (wrk.found() and nginx.found()):
        pytest.skip("wrk or nginx is not installed")
    if not installed:
        monkeypatch.setattr(wrk, "found", lambda: False)
        monkeypatch.setattr(nginx, "found", lambda: False)
    with started(tmp_path) as running:
        processes = [len(process.tree().pids) for process in running.gateways.values()]
        cells = running.measure(row, dataclasses.replace(QUICK, rounds=1), cores=2)
    assert processes == [1, 3]
    assert ("which costs more" in note(2)) is not installed
    assert list(cells) == ["1 process", "2 workers"]
    for cell in cells.values():
        assert not isinstance(cell, str), cell
        assert cell.keys() == {measure.key for measure in row.measures}
        assert min(cell.values()) > 0


@linux
def test_a_gateway_that_answers_otherwise_is_not_timed(tmp_path: Path) -> None:
    """The row says so, and the run goes on. The bench's upstream stands in for the gateway: it refuses nothing."""
    port = free_port()
    process = Process((sys.executable, "-m", "tests.bench.upstream", str(port)), port=port, core=None, folder=tmp_path)
    try:
        process.wait_ready()
        cells = Workers(tmp_path, process, {"1 process": process}).measure(WORKERS_ROWS[1], QUICK, cores=2)
    finally:
        process.stop()
    assert cells == {"1 process": "failed: Unproven status: 200, not 400"}
