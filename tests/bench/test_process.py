import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.machine import cores
from tests.bench.process import NotReady, Process, Tree, free_port

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

SLEEPER_WITH_BUSY_CHILD = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
child = subprocess.Popen([sys.executable, "-c", "kept = bytearray(40_000_000)\\nwhile True: pass"])
try:
    time.sleep(30)
finally:
    child.kill()
"""


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    """A process that sleeps and has a busy child with 40 MB."""
    process = Process((sys.executable, "-c", SLEEPER_WITH_BUSY_CHILD), port=1, core=cores().proxy, folder=tmp_path)
    yield process
    process.stop()


def wait_for_tree(process: Process) -> Tree:
    """Wait until the child is there with all its memory."""
    deadline = time.monotonic() + 10
    while len((tree := process.tree()).pids) < 2 or tree.rss_kib() < 40_000:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return tree


def test_a_child_counts_with_its_parent(process: Process) -> None:
    """CPU time and memory of a proxy with worker processes are theirs."""
    tree = wait_for_tree(process)
    deadline, cpu = time.monotonic() + 10, tree.cpu_ns()
    while tree.cpu_ns() - cpu < 50_000_000:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert tree.peak_kib() >= tree.rss_kib() > 40_000
    assert all(os.sched_getaffinity(pid) == {cores().proxy} for pid in tree.pids)


def test_a_forgotten_peak_starts_anew() -> None:
    """The growth of a row is not that of the row before."""
    tree = Tree(os.getpid())
    before = tree.rss_kib()
    bytearray(200_000_000)  # comes and goes
    assert tree.peak_kib() > before + 190_000
    tree.forget_peak()
    assert tree.peak_kib() < before + 100_000


def test_a_process_that_ends_says_why(tmp_path: Path) -> None:
    """Nobody has to wait for its time-out, or to look for its output."""
    process = Process(
        (sys.executable, "-c", "exit('no such port')"), port=free_port(), core=cores().proxy, folder=tmp_path
    )
    with pytest.raises(NotReady, match="ended with 1: no such port"):
        process.wait_ready()
    process.stop()


def test_a_process_that_is_not_pinned_runs_where_the_bench_may(tmp_path: Path) -> None:
    """Two workers on one core would be one."""
    process = Process((sys.executable, "-c", SLEEPER_WITH_BUSY_CHILD), port=1, core=None, folder=tmp_path)
    try:
        assert os.sched_getaffinity(process.tree().pids[0]) == os.sched_getaffinity(0)
    finally:
        process.stop()


def test_a_process_that_ends_without_a_word_is_not_waited_for(tmp_path: Path) -> None:
    """A gateway whose workers never serve is told of at once."""
    process = Process((sys.executable, "-c", "print('one')"), port=1, core=None, folder=tmp_path)
    process.wait_printed("one")
    with pytest.raises(NotReady, match="never said two: one"):
        process.wait_printed("two")
    process.stop()
