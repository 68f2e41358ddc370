"""The version of the tables, and how older ones become it.

Rule    A gateway brings the store to its own version when it starts, in one transaction; of several that start at once
        one does, and the others find it done. A store that a newer gateway has changed is left alone.
How     Who changes `tables` appends a step to STEPS. A store of version n has had the first n - 1 of them.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from sqlalchemy import Connection, insert, inspect, select, update

from gateway.rejections.store.tables import metadata, schema_version

Step: TypeAlias = Callable[[Connection], None]
STEPS: Final[Sequence[Step]] = ()


class SchemaNewer(Exception):
    """The store was changed by a newer gateway than this one."""


def migrate(connection: Connection, steps: Sequence[Step] = STEPS) -> None:
    """Make the tables, or bring them to this version. Raises SchemaNewer."""
    version = 1 + len(steps)
    if not inspect(connection).has_table(schema_version.name):
        metadata.create_all(connection)
        connection.execute(insert(schema_version).values(version=version))
        return
    found = connection.execute(select(schema_version.c.version)).scalar_one()
    if found > version:
        raise SchemaNewer
    for step in steps[found - 1 :]:
        step(connection)
    if found < version:
        connection.execute(update(schema_version).values(version=version))
