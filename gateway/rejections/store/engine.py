"""Connections to the store, and all that SQLite and PostgreSQL do not have in common.

Rule    One transaction writes at a time, over all gateways, and waits for its turn when it begins. So what is numbered
        first is seen first, and two that add to the same counts cannot lock each other out.
Rule    No error of SQLAlchemy or of a driver is shown: its text may hold the password, or what was to be written.
        `reason` gives what may be told. What they would log goes nowhere.
"""

import logging
import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from gateway.config.store import StoreKind, StoreLocation

if TYPE_CHECKING:
    import psycopg

BUSY: Final = 2.0
"""Seconds to wait for another process to be done with an SQLite file."""
CONNECT: Final = 5
"""Seconds until PostgreSQL counts as not there."""
TURN: Final = 0x636C6F73_65677721
"""PostgreSQL, 9.28.10, "Advisory Lock Functions": any number that is ours alone. Whoever writes holds it."""
READERS: Final = 4
SILENCE: Final = logging.NullHandler()
ANSWERS_SLOWLY: Final = "SET statement_timeout = 10000; SET idle_in_transaction_session_timeout = 10000"
"""Milliseconds. A gateway that is stopped in the middle of a transaction must not hold up the others for long."""
# sqlite.org, "Write-Ahead Logging": readers do not wait for the writer, nor the writer for them; with it NORMAL keeps
# the file whole whatever happens, and may lose the last entries when the machine itself goes down.
WRITER_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "wal_autocheckpoint=4000",
    "cache_size=-32768",
    "journal_size_limit=67108864",
)
READER_PRAGMAS: Final = ("query_only=1",)


class Database:
    """A store by its location: opened when it is first used, by whichever thread that is."""

    def __init__(self, location: StoreLocation) -> None:
        self._location = location
        self._lock = threading.Lock()
        self._writing: Engine | None = None
        self._reading: Engine | None = None

    @property
    def writing(self) -> Engine:
        """For transactions that write."""
        with self._lock:
            if self._writing is None:
                self._writing = _engine(self._location, writing=True)
            return self._writing

    @property
    def reading(self) -> Engine:
        """For transactions that only read. They do not wait for those that write."""
        if self._location.kind is StoreKind.MEMORY:
            return self.writing  # there is no second way to it
        with self._lock:
            if self._reading is None:
                self._reading = _engine(self._location, writing=False)
            return self._reading

    def reopen(self) -> None:
        """Have what comes next use new connections: the old ones may have gone bad."""
        if self._location.kind is not StoreKind.MEMORY:
            self.close()

    def close(self) -> None:
        with self._lock:
            for engine in (self._writing, self._reading):
                if engine is not None:
                    engine.dispose()
            self._writing = self._reading = None


def reason(error: Exception) -> str:
    """Name what went wrong, by the code that SQLite or PostgreSQL has for it."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(origin, "sqlite_errorname", None) or getattr(origin, "sqlstate", None)
    if code is None and isinstance(error, OperationalError):
        return "NO_CONNECTION"
    return str(code or type(origin).__name__)


def _engine(location: StoreLocation, *, writing: bool) -> Engine:
    for name in ("psycopg", "sqlalchemy"):
        # Python, "Logging HOWTO": what finds no handler goes to standard error.
        logging.getLogger(name).addHandler(SILENCE)
    match location.kind:
        case StoreKind.SERVER:
            return _postgresql(location.reveal(), writing=writing)
        case StoreKind.FILE:
            return _sqlite_file(location.path, writing=writing)
        case StoreKind.MEMORY:
            return _sqlite("file::memory:", 1, WRITER_PRAGMAS, "BEGIN IMMEDIATE")


def _sqlite_file(path: Path, *, writing: bool) -> Engine:
    """Open a file. Who writes makes it, for nobody else's eyes; SQLite gives the files beside it the same rights."""
    if not writing:
        return _sqlite(f"file:{quote(str(path))}?mode=rw", READERS, READER_PRAGMAS, "BEGIN")
    with suppress(OSError):  # what cannot be made, SQLite tells of better
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    return _sqlite(f"file:{quote(str(path))}?mode=rw", 1, WRITER_PRAGMAS, "BEGIN IMMEDIATE")


def _sqlite(uri: str, connections: int, pragmas: tuple[str, ...], begin: str) -> Engine:
    def connect() -> sqlite3.Connection:
        # isolation_level: transactions begin where SQLAlchemy says, not where the driver guesses.
        return sqlite3.connect(uri, BUSY, isolation_level=None, check_same_thread=False, uri=True)

    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    _begins(engine, begin)
    return engine


def _postgresql(url: str, *, writing: bool) -> Engine:
    def connect() -> "psycopg.Connection[Any]":
        import psycopg

        return psycopg.connect(url, connect_timeout=CONNECT, application_name="close-gateway")

    engine = create_engine(
        "postgresql+psycopg://",
        creator=connect,
        pool_size=1 if writing else READERS,
        max_overflow=0,
        pool_pre_ping=True,  # a server that was started anew has forgotten what was open
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.execute(ANSWERS_SLOWLY)
        connection.commit()

    if writing:
        _begins(engine, f"SELECT pg_advisory_xact_lock({TURN})")
    return engine


def _begins(engine: Engine, statement: str) -> None:
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)
