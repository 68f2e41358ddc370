"""The store of rejections: SQLite, or PostgreSQL for gateways that share one.

Rule    One way to write SQL for both: SQLAlchemy's Core. What only one of them needs is in `engine` alone.
Rule    It is called from threads, never from the event loop, and so it is synchronous. A thread writes, others read
        (see gateway.rejections.writer and .reader). With an asynchronous engine SQLAlchemy would do its own work, some
        10 us a row, on the event loop that answers requests, for nothing: SQLite's driver has a thread beneath it all
        the same, and one connection to PostgreSQL writes more than a gateway can refuse.
Rule    SQLAlchemy takes 150 ms to import, half of what the gateway needs to start. So the modules of this package are
        imported by the thread that first needs them, after the port is open, and nothing outside names them at its top.
"""

import threading
from typing import TYPE_CHECKING

from gateway.config.store import StoreLocation

if TYPE_CHECKING:
    from gateway.rejections.store.engine import Database


class Store:
    """A store that is opened when it is first used, by whichever thread that is."""

    def __init__(self, location: StoreLocation) -> None:
        self.location = location
        self._lock = threading.Lock()
        self._database: Database | None = None

    @property
    def database(self) -> "Database":
        with self._lock:
            if self._database is None:
                from gateway.rejections.store.engine import Database

                self._database = Database(self.location)
            return self._database

    def close(self) -> None:
        """Close all connections that nobody uses."""
        with self._lock:
            if self._database is not None:
                self._database.close()
