import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from gateway.config.store import StoreLocation
from gateway.rejections.store import Store
from tests.rejections.postgres import Postgres, postgres_server
from tests.rejections.stores import migrated

KINDS: Final = ("file", "memory", "server")
NUMBERS: Final = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server that all tests share."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def schema(postgres: Postgres) -> StoreLocation:
    """An empty schema in PostgreSQL."""
    name = f"test_{next(NUMBERS)}"
    postgres.execute(f"CREATE SCHEMA {name}")
    return StoreLocation.parse(postgres.url(name))


@pytest.fixture(params=KINDS)
def location(request: pytest.FixtureRequest, tmp_path: Path) -> StoreLocation:
    """Where a store may be: each of the kinds in turn."""
    match request.param:
        case "file":
            return StoreLocation.parse(str(tmp_path / "rejections.sqlite3"))
        case "memory":
            return StoreLocation.parse(":memory:")
        case _:
            found: StoreLocation = request.getfixturevalue("schema")
            return found


@pytest.fixture
def store(location: StoreLocation) -> Iterator[Store]:
    """An empty store of each kind in turn."""
    made = migrated(location)
    yield made
    made.close()
