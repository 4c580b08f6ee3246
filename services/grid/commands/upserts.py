"""One way to write registry rows: put the whole state under the caller's id; equal state changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Table, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert

from backbone.database import Session
from contracts.refusals import StaleVersion


def put(
    session: Session,
    table: Table,
    row_id: UUID | str,
    values: Mapping[str, Any],
    now: datetime,
    *,
    expected_version: int | None = None,
) -> tuple[int, bool]:
    """Create or replace one row; gives (version, changed).

    `values` holds every column but the key, `version` and `updated_at`, whose names the table has. A geometry in
    `values` is written but not compared: its numbers stand in columns of their own. Raises StaleVersion.
    """
    key = next(iter(table.primary_key.columns))
    row_of_values = {key.name: row_id, "version": 1, "updated_at": now, **values}
    if session.execute(_insert(table), row_of_values).scalar_one_or_none() is not None:
        return 1, True
    compared = [table.c[name] for name in values if name != "geom"]
    row = session.execute(select(table.c.version, *compared).where(key == row_id).with_for_update()).one()
    if expected_version is not None and row.version != expected_version:
        raise StaleVersion(current=_plain({**row._asdict(), key.name: row_id}))
    if all(getattr(row, column.name) == values[column.name] for column in compared):
        return int(row.version), False
    version = int(row.version) + 1
    session.execute(update(table).where(key == row_id).values(version=version, updated_at=now, **values))
    return version, True


@cache
def _insert(table: Table) -> ReturningInsert[Any]:
    # Built once a table: a county's registry is thousands of these.
    key = next(iter(table.primary_key.columns))
    return insert(table).on_conflict_do_nothing(index_elements=[key]).returning(key)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    # A column's name is a str of SQLAlchemy's own kind, which no JSON writer takes for a key.
    return {str(name): _json(value) for name, value in row.items()}


def _json(value: Any) -> Any:
    if isinstance(value, list):
        return [_json(each) for each in value]
    return str(value) if isinstance(value, (UUID, date)) else value
