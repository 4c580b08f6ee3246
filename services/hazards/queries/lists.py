"""Lists and tiles of cases: newest first, keyset (reported_at, id)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Double,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy import DateTime as Timestamp
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object
from backbone.point_tiles import point_tile
from backbone.policy import parameters, predicate, shape
from backbone.statements import Query, query
from contracts.areas import path_end
from contracts.scope import Scope
from services.hazards.queries.cases import MAX_LIMIT, VISIBILITY, C, summary
from services.hazards.tables import IS_OPEN, IS_OVERDUE, IS_UNDISPATCHED, external_refs

Box = tuple[float, float, float, float]
Cursor = tuple[datetime, UUID]


@query
def case_list(
    scope: Scope,
    *,
    state: Sequence[str] = (),
    category: str | None = None,
    area_path: str | None = None,
    agency_id: UUID | None = None,
    unassigned: bool | None = None,
    undispatched: bool = False,
    overdue: bool | None = None,
    source: str | None = None,
    external_ref: tuple[str, str] | None = None,
    bbox: Box | None = None,
    after: Cursor | None = None,
    limit: int = 50,
) -> Query:
    """Cases, newest report first: `body`, `cursor_1` = reported_at, `cursor_2` = id.

    `category` takes in what is below it; `area_path` its subtree; `agency_id` whatever part it has;
    `undispatched`: registered and with no agency;
    `external_ref` = (system, id); `bbox` = west, south, east, north in WGS84 degrees.
    """
    filters: dict[str, tuple[ColumnElement[bool], dict[str, Any]]] = {}
    if len(state) == 1:  # equality keeps the index's order, a list does not
        filters["state"] = (C.state == cast(bindparam("state"), Text), {"state": state[0]})
    elif state:
        filters["states"] = (C.state == func.any(cast(bindparam("states"), ARRAY(Text))), {"states": list(state)})
    if category is not None:
        wanted = cast(bindparam("category"), Text)
        filters["category"] = (
            or_(C.category == wanted, func.starts_with(C.category, wanted.concat(literal_column("'.'")))),
            {"category": category},
        )
    if area_path is not None:
        low, high = cast(bindparam("area_low"), Text), cast(bindparam("area_high"), Text)
        filters["area"] = (
            and_(C.area_path >= low, C.area_path < high),
            {"area_low": area_path, "area_high": path_end(area_path)},
        )
    if agency_id is not None:
        filters["agency"] = (
            C.participants.op("@>", is_comparison=True)(cast(bindparam("agency"), ARRAY(Uuid))),
            {"agency": [agency_id]},
        )
    if unassigned is not None:
        filters["unassigned" if unassigned else "assigned"] = (C.unassigned if unassigned else ~C.unassigned, {})
    if undispatched:
        filters["undispatched"] = (IS_UNDISPATCHED, {})
    if overdue is not None:
        filters["overdue" if overdue else "in_time"] = (IS_OVERDUE if overdue else ~IS_OVERDUE, {})
    if source is not None:
        filters["source"] = (C.source == cast(bindparam("source"), Text), {"source": source})
    if external_ref is not None:
        linked = select(external_refs.c.entity_id).where(
            external_refs.c.system == cast(bindparam("ref_system"), Text),
            external_refs.c.id == cast(bindparam("ref_id"), Text),
            external_refs.c.entity == literal_column("'case'"),
        )
        filters["ref"] = (C.id.in_(linked), {"ref_system": external_ref[0], "ref_id": external_ref[1]})
    if bbox is not None:
        corners = [cast(bindparam(name), Double) for name in ("west", "south", "east", "north")]
        envelope = func.ST_MakeEnvelope(*corners, literal_column("4326"))
        filters["bbox"] = (
            C.geom.op("&&", is_comparison=True)(envelope),
            dict(zip(("west", "south", "east", "north"), bbox, strict=True)),
        )
    if after is not None:
        filters["after"] = (_older_than(), {"after_at": after[0], "after_id": after[1]})

    def build() -> Select[Any]:
        return (
            select(body_column(json_object(**summary())), C.reported_at.label("cursor_1"), C.id.label("cursor_2"))
            .where(predicate(scope, VISIBILITY), *(condition for condition, _ in filters.values()))
            .order_by(C.reported_at.desc(), C.id.desc())
            .limit(cast(bindparam("limit"), Integer))
        )

    values: dict[str, Any] = {"limit": min(max(limit, 1), MAX_LIMIT), **parameters(scope)}
    for _, given in filters.values():
        values |= given
    return Query(("hazards.case_list", shape(scope), *filters), build, values, plan_anew=bbox is not None)


@query
def case_tile(scope: Scope, z: int, x: int, y: int) -> Query:
    """One tile of open cases: `tile` (bytes; layer `cases`)."""
    properties = {name: C[name] for name in ("case_no", "category", "state", "grade", "area_path")}
    return point_tile(
        "cases",
        scope,
        VISIBILITY,
        C.geom,
        key=C.id,
        properties=properties,
        agreed=("state",),
        where=(IS_OPEN,),
        of=(z, x, y),
    )


def _older_than() -> ColumnElement[bool]:
    at = cast(bindparam("after_at"), Timestamp(timezone=True))
    return tuple_(C.reported_at, C.id) < tuple_(at, cast(bindparam("after_id"), Uuid))
