"""What has a place on the ground goes to its area in a new boundary version, set-based, whatever it is."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Table, TextClause, text

from backbone.database import Session

# Which area a thing is given: a point's grid; what covers more than a grid, the narrowest area that covers it all.
GRID_AT = "a.level = 'grid' AND ST_Intersects(a.geom, t.geom) ORDER BY a.path"
NARROWEST_AROUND = "a.geom && t.geom AND ST_Covers(a.geom, t.geom) ORDER BY length(a.path) DESC, a.path"


def settle(
    session: Session, table: Table, version: int, county_path: str, now: datetime, *, holder: str = GRID_AT
) -> list[UUID]:
    """Give every row of `table` (`geom`, `area_path`, `version`, `updated_at`) to its area in a boundary version;
    outside the county it bears the county's path. Gives the ids of those that moved."""
    values: dict[str, Any] = {"version": version, "county": county_path, "now": now}
    return list(session.execute(_statement(table, holder), values).scalars())


@cache
def _statement(table: Table, holder: str) -> TextClause:
    key = next(iter(table.primary_key.columns)).name
    return text(f"""
UPDATE grid.{table.name} AS thing SET area_path = found.path, version = thing.version + 1, updated_at = :now
FROM (
    SELECT t.{key}, coalesce((
        SELECT a.path FROM grid.areas AS a
        WHERE a.boundary_version = :version AND {holder} LIMIT 1
    ), :county) AS path
    FROM grid.{table.name} AS t
) AS found
WHERE found.{key} = thing.{key} AND found.path <> thing.area_path
RETURNING thing.{key}
""")  # noqa: S608 - names of ours
