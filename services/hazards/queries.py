"""hazards' read side, run by the gateway: SELECT only, the case's JSON built by PostgreSQL.

A reader sees a case by area, category and sensitivity, or because its agency takes part. A command's reply and
GET /v1/cases/{id} are the same JSON (`case_json`). Lists are newest first, keyset (reported_at, id).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

from backbone import quarantined
from backbone.answers import body_column, json_object, utc
from backbone.point_tiles import point_tile
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.quarantine import OPEN, Filter
from backbone.statements import Query, query
from contracts.areas import path_end
from contracts.hazards.events import Source, State
from contracts.scope import Actor, Scope
from services.hazards.domain.machine import table_json
from services.hazards.domain.moves import Standing, legal_moves
from services.hazards.tables import IS_OPEN, case_photos, cases, external_refs, routing_rules
from services.hazards.tables import case_history as history_table
from services.hazards.tables import categories as category_table

MAX_LIMIT = 500
C = cases.c
VISIBILITY = Visibility(area_path=C.area_path, category=C.category, sensitivity=C.sensitivity, agencies=C.participants)
Box = tuple[float, float, float, float]
Cursor = tuple[datetime, UUID]


@query
def quarantine_page(
    scope: Scope, county: str, *, which: Filter = OPEN, after: UUID | None = None, limit: int = 100
) -> Query:
    """What lies in quarantine, for administrators: see `backbone.quarantined.page`."""
    return quarantined.page("hazards", scope, county, which, after=after, limit=limit)


@query
def quarantine_entry(scope: Scope, county: str, entry_id: UUID) -> Query:
    """One entry of it: see `backbone.quarantined.entry`."""
    return quarantined.entry("hazards", scope, county, entry_id=entry_id)


def _summary() -> dict[str, Any]:
    return {
        "case_id": C.id,
        "case_no": C.case_no,
        "version": C.version,
        "kind": C.kind,
        "category": C.category,
        "source": C.source,
        "state": C.state,
        "grade": C.grade,
        "sensitivity": C.sensitivity,
        "description": C.description,
        "lon": func.ST_X(C.geom),
        "lat": func.ST_Y(C.geom),
        "area_path": C.area_path,
        "boundary_version": C.boundary_version,
        "unassigned": C.unassigned,
        "place_id": C.place_id,
        "reporting_agency_id": C.reporting_agency_id,
        "lead_agency_id": C.lead_agency_id,
        "assisting_agency_ids": C.assisting_agency_ids,
        "former_agency_ids": C.former_agency_ids,
        "returns": C.returns,
        "reworks": C.reworks,
        "reopenings": C.reopenings,
        "county_decides": C.county_decides,
        "occurred_at": utc(C.occurred_at),
        "reported_at": utc(C.reported_at),
        "updated_at": utc(C.updated_at),
        "closed_at": utc(C.closed_at),
        "due_at": utc(C.due_at),
        "overdue": and_(IS_OPEN, C.due_at < func.now()),
        "accept_due_at": utc(C.accept_due_at),
        "warned_at": utc(C.warned_at),
        "missed_at": utc(C.missed_at),
        "unacknowledged_at": utc(C.unacknowledged_at),
    }


def _whole(external_refs: ColumnElement[Any], photos: ColumnElement[Any]) -> ColumnElement[Any]:
    original = json_object(crs=C.original_crs, lon=C.original_lon, lat=C.original_lat)
    return json_object(**_summary(), original=original, external_refs=external_refs, photos=photos)


def bare_case_body() -> ColumnElement[str]:
    """`body` of a case that has neither other systems' ids nor photos, for RETURNING."""
    nothing: ColumnElement[Any] = literal_column("'[]'::json")
    return body_column(_whole(nothing, nothing))


def case_json() -> ColumnElement[Any]:
    """A case's whole state, with the position as given, other systems' ids and photos."""
    refs = (
        select(
            func.coalesce(
                func.json_agg(json_object(system=external_refs.c.system, id=external_refs.c.id)),
                literal_column("'[]'::json"),
            )
        )
        .where(external_refs.c.entity == literal_column("'case'"), external_refs.c.entity_id == C.id)
        .scalar_subquery()
    )
    photo = case_photos.c
    photos = (
        select(
            func.coalesce(
                func.json_agg(
                    json_object(
                        blob=photo.blob,
                        media_type=photo.media_type,
                        size_bytes=photo.size_bytes,
                        move=photo.move,
                        added_at=utc(photo.added_at),
                    )
                ),
                literal_column("'[]'::json"),
            )
        )
        .where(photo.case_id == C.id)
        .scalar_subquery()
    )
    return _whole(refs, photos)


@query
def case_by_id(scope: Scope, case_id: UUID) -> Query:
    """One case: `body`; no row when it does not exist or may not be seen."""

    def build() -> Select[Any]:
        return select(body_column(case_json())).where(
            C.id == bindparam("case_id", type_=Uuid()), predicate(scope, VISIBILITY)
        )

    return Query(("hazards.case_by_id", shape(scope)), build, {"case_id": case_id, **parameters(scope)})


@query
def case_standing(scope: Scope, case_id: UUID) -> Query:
    """What `domain.moves.standing_of` reads: version, state, source, area_path, lead agency, handlers."""

    def build() -> Select[Any]:
        return select(
            C.version, C.state, C.source, C.area_path, C.lead_agency_id, C.handler_account_ids, C.county_decides
        ).where(C.id == bindparam("case_id", type_=Uuid()), predicate(scope, VISIBILITY))

    return Query(("hazards.case_standing", shape(scope)), build, {"case_id": case_id, **parameters(scope)})


@query
def case_list(
    scope: Scope,
    *,
    state: Sequence[str] = (),
    category: str | None = None,
    area_path: str | None = None,
    agency_id: UUID | None = None,
    unassigned: bool | None = None,
    overdue: bool | None = None,
    source: str | None = None,
    external_ref: tuple[str, str] | None = None,
    bbox: Box | None = None,
    after: Cursor | None = None,
    limit: int = 50,
) -> Query:
    """Cases, newest report first: `body`, `cursor_1` = reported_at, `cursor_2` = id.

    `category` takes in what is below it; `area_path` its subtree; `agency_id` whatever part it has;
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
    if overdue is not None:
        late = and_(IS_OPEN, C.due_at < func.now())
        filters["overdue" if overdue else "in_time"] = (late if overdue else ~late, {})
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
            select(body_column(json_object(**_summary())), C.reported_at.label("cursor_1"), C.id.label("cursor_2"))
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


@query
def case_history(scope: Scope, case_id: UUID, *, after: int | None = None, limit: int = 200) -> Query:
    """A case's moves, oldest first: `body`, `cursor_1` = seq (the version after the move)."""
    h = history_table.c

    def build() -> Select[Any]:
        body = json_object(
            seq=h.seq,
            at=utc(h.at),
            move=h.move,
            from_state=h.from_state,
            to_state=h.to_state,
            account_id=h.account_id,
            agency_id=h.agency_id,
            roles=h.roles,
            reason=h.reason,
            note=h.note,
            before=h.before,
            after=h.after,
        )
        return (
            select(body_column(body), h.seq.label("cursor_1"))
            .select_from(history_table.join(cases, C.id == h.case_id))
            .where(
                h.case_id == bindparam("case_id", type_=Uuid()),
                h.seq > cast(bindparam("after"), Integer),
                predicate(scope, VISIBILITY),
            )
            .order_by(h.seq)
            .limit(cast(bindparam("limit"), Integer))
        )

    values = {"case_id": case_id, "after": after or 0, "limit": min(max(limit, 1), MAX_LIMIT), **parameters(scope)}
    return Query(("hazards.case_history", shape(scope)), build, values)


@query
def routing(scope: Scope, *, after: tuple[int, UUID] | None = None, limit: int = 200) -> Query:
    """Routing rules of the scope's areas as they are tried: `body`, `cursor_1` = position, `cursor_2` = id."""
    r = routing_rules.c

    def build() -> Select[Any]:
        body = json_object(
            rule_id=r.id,
            position=r.position,
            category=r.category,
            area_path=r.area_path,
            agency_id=r.agency_id,
            active=r.active,
            version=r.version,
        )
        later = tuple_(r.position, r.id) > tuple_(
            cast(bindparam("after_position"), Integer), cast(bindparam("after_id"), Uuid)
        )
        return (
            select(body_column(body), r.position.label("cursor_1"), r.id.label("cursor_2"))
            .where(predicate(scope, Visibility(area_path=r.area_path)), later)
            .order_by(r.position, r.id)
            .limit(cast(bindparam("limit"), Integer))
        )

    position, rule_id = after or (-1, UUID(int=0))
    values = {
        "after_position": position,
        "after_id": rule_id,
        "limit": min(max(limit, 1), MAX_LIMIT),
        **parameters(scope),
    }
    return Query(("hazards.routing", shape(scope)), build, values)


def categories(scope: Scope) -> Query:
    """All categories by code: `body`. Open to every scope: a reporter must know them before any case exists.

    Without a predicate, and so not registered: tests/architecture/test_reads_carry_the_scope.py names it.
    """
    k = category_table.c

    def build() -> Select[Any]:
        body = json_object(
            code=k.code,
            name=k.name,
            name_en=k.name_en,
            kind=k.kind,
            handle_hours=k.handle_hours,
            accept_hours=k.accept_hours,
            emergency=k.emergency,
            sensitivity=k.sensitivity,
            active=k.active,
            version=k.version,
        )
        return select(body_column(body), k.code.label("cursor_1")).order_by(k.code)

    return Query(("hazards.categories",), build, {})


def states() -> dict[str, Any]:
    """The state machine for GET /v1/states; no statement."""
    return table_json()


def moves_for(row: Mapping[Any, Any], actor: Actor) -> list[str]:
    """The moves an actor may make now, from a row of `case_standing`."""
    return [move.value for move in legal_moves(standing_of(row), actor)]


def standing_of(row: Mapping[Any, Any]) -> Standing:
    """What decides a case's moves, from a row of `case_standing` or of the table."""
    return Standing(
        state=State(row["state"]),
        source=Source(row["source"]),
        area_path=row["area_path"],
        lead_agency_id=row["lead_agency_id"],
        handlers=frozenset(row["handler_account_ids"]),
        county_decides=row["county_decides"],
    )
