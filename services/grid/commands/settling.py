"""What stands at a point goes to its grid in a new boundary version, set-based, whatever it is."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Table, TextClause, text

from backbone.database import Session


def settle(session: Session, table: Table, version: int, county_path: str, now: datetime) -> list[UUID]:
    """Give every row of `table` (`geom`, `area_path`, `version`, `updated_at`) to its grid in a boundary version;
    outside the county it bears the county's path. Gives the ids of those that moved."""
    values: dict[str, Any] = {"version": version, "county": county_path, "now": now}
    return list(session.execute(_statement(table), values).scalars())


@cache
def _statement(table: Table) -> TextClause:
    key = next(iter(table.primary_key.columns)).name
    return text(f"""
UPDATE grid.{table.name} AS thing SET area_path = found.path, version = thing.version + 1, updated_at = :now
FROM (
    SELECT t.{key}, coalesce((
        SELECT a.path FROM grid.areas AS a
        WHERE a.boundary_version = :version AND a.level = 'grid' AND ST_Intersects(a.geom, t.geom)
        ORDER BY a.path LIMIT 1
    ), :county) AS path
    FROM grid.{table.name} AS t
) AS found
WHERE found.{key} = thing.{key} AND found.path <> thing.area_path
RETURNING thing.{key}
""")  # noqa: S608 - names of ours
