from pathlib import Path

import pytest

from gateway.config.store import StoreLocation
from gateway.rejections.query import Bucket, Filters
from gateway.rejections.reader import Reader
from gateway.rejections.store import Store
from tests.bench.store import World, fill, run
from tests.rejections.stores import NOON, filled, migrated


def test_a_store_that_is_loaded_is_as_one_that_was_written(tmp_path: Path) -> None:
    """What is measured is what a gateway would have made: the entries, and the counts of them."""
    loaded, written = (StoreLocation.parse(str(tmp_path / name)) for name in ("loaded", "written"))
    store = Store(loaded)
    fill(store, World(3000, NOON))
    entries = list(Reader(store).export(Filters()))[::-1]
    other = filled(migrated(written), entries)
    for filters in (Filters(), Filters(credential=entries[0].credential), Filters(since=NOON - 10**12)):
        assert Reader(store).stats(filters, Bucket.DAY) == Reader(other).stats(filters, Bucket.DAY)
    assert list(Reader(other).export(Filters()))[::-1] == entries
    store.close()
    other.close()


def test_it_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every question is asked, and has its line."""
    run(StoreLocation.parse(str(tmp_path / "store")), 1000)
    lines = capsys.readouterr().out.splitlines()
    assert sum("." in line for line in lines) == 30
