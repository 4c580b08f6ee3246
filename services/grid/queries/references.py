"""Other systems' ids in answers, and as a filter of lists."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text, bindparam, cast, func, literal_column, select
from sqlalchemy.sql import ColumnElement

from backbone.answers import json_object
from services.grid.tables import external_refs

_r = external_refs.c


def of(key: ColumnElement[Any], entity: str) -> ColumnElement[Any]:
    """`[{"system", "id"}]` of the row with this key."""
    return (
        select(func.coalesce(func.json_agg(json_object(system=_r.system, id=_r.id)), literal_column("'[]'::json")))
        .where(_r.entity == literal_column(f"'{entity}'"), _r.entity_id == key)
        .scalar_subquery()
    )


def known_as(key: ColumnElement[Any], entity: str, ref: tuple[str, str]) -> tuple[ColumnElement[bool], dict[str, Any]]:
    """The row that (system, id) means, for `paged`."""
    linked = select(_r.entity_id).where(
        _r.system == cast(bindparam("ref_system"), Text),
        _r.id == cast(bindparam("ref_id"), Text),
        _r.entity == literal_column(f"'{entity}'"),
    )
    return key.in_(linked), {"ref_system": ref[0], "ref_id": ref[1]}
