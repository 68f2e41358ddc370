"""The tables.

`rejections` holds the entries. `rejection_counts` holds how many there are by the hour, the day and the week, of all
and of each value that is asked for most; it is kept in step by whatever transaction adds or removes entries, so that a
count need not look at them.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
)

metadata: Final = MetaData()

SEQUENCE: Final = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers by itself only what it calls INTEGER

rejections: Final = Table(
    "rejections",
    metadata,
    # The order in which entries got here. With one writer at a time it is the order in which they can be seen, too: who
    # asks for what came after a number misses nothing.
    Column("seq", SEQUENCE, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("instance", Text, nullable=False),
    Column("enforced", Boolean, nullable=False),
    Column("status", SmallInteger),
    Column("request_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("email_status", Text),
    Column("lead_id", Text),
    Column("email_id", Text),
    Column("credential", Text),
    Column("owner", Text),
    Column("client", Text, nullable=False),
    Column("user_agent", Text),
    Column("elapsed_ms", Float, nullable=False),
    Column("shape", Text),
    Column("captured", Text),
    sqlite_autoincrement=True,  # a number is given once, even after the entry that had it is gone
)
entries: Final = rejections.c

# The list is ordered by (at, seq). Each of these finds the newest entries with a value in that order.
FOUND_BY: Final = ("request_id", "lead_id", "credential", "owner", "client", "path", "email_status", "code")
"""Columns with an index, the one that is likely to leave the fewest entries first."""

Index("rejections_id", entries.id, unique=True)
Index("rejections_at", entries.at, entries.seq)
for name in FOUND_BY:
    Index(f"rejections_{name}", entries[name], entries.at, entries.seq)

ALL: Final = "all"
COUNTED_BY: Final = ("credential", "owner", "user_agent", "email_status")
"""Columns whose values are counted one by one."""

HOUR: Final = 3_600_000_000
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY
"""Microseconds. Weeks begin on a Thursday, as the epoch did: these only shorten sums."""
SIZES: Final = (WEEK, DAY, HOUR)
"""The buckets that are counted by, largest first."""

rejection_counts: Final = Table(
    "rejection_counts",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("column", Text, primary_key=True),  # one of COUNTED_BY, or ALL
    Column("value", Text, primary_key=True),  # empty for ALL
    Column("bucket", BigInteger, primary_key=True, autoincrement=False),  # when it begins
    Column("code", Text, primary_key=True),
    Column("enforced", Boolean, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
counts: Final = rejection_counts.c
Index("rejection_counts_bucket", counts.size, counts.column, counts.bucket)

schema_version: Final = Table("rejections_schema", metadata, Column("version", Integer, nullable=False))
