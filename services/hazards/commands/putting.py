"""Rows that are put whole: made at version 1, replaced at the next one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.dialects.postgresql import insert

from backbone.database import Session
from services.hazards import records


def put(
    session: Session,
    table: Table,
    key: dict[str, Any],
    values: dict[str, Any],
    may_replace: Callable[[records.Row], None],
) -> records.Row:
    """Inserts at version 1 or replaces at the next one; the same content again changes nothing.

    `may_replace` judges the row that is there, locked, also one that came a moment ago; it raises what it objects to.
    """
    made = insert(table).values(**key, **values, version=1).on_conflict_do_nothing().returning(table)
    row = session.execute(made).mappings().one_or_none()
    if row is not None:
        return row
    known = session.execute(select(table).filter_by(**key).with_for_update()).mappings().one()
    may_replace(known)
    if all(known[name] == value for name, value in values.items()):
        return known
    replaced = update(table).filter_by(**key).values(**values, version=known["version"] + 1).returning(table)
    return session.execute(replaced).mappings().one()
