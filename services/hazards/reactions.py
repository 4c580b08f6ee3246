"""What hazards does when others' facts arrive: areas, boundaries, agencies, jurisdictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID, uuid5

import shapely
from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from backbone.clock import Clock
from backbone.database import Session
from backbone.outbox import Event
from backbone.projections import NewestStates
from contracts.grid.events import AgencyChanged, AreaChanged, BoundaryPublished, JurisdictionChanged
from geo.cells import Cells, CellsHolder
from services.hazards import placing, records
from services.hazards.tables import (
    IS_AT_REST,
    IS_OPEN,
    agencies_projection,
    cases,
    jurisdictions,
    projection,
    routing_rules,
)

CHUNK = 2000
C, RULES = cases.c, routing_rules.c
_OWN = ("id", "version", "area_path", "name", "shadowed_by")
_RULE = tuple(column.name for column in routing_rules.c if column.name not in _OWN)
"""What makes two rules of one area the same."""
JURISDICTIONS = NewestStates(jurisdictions)


def areas_changed(session: Session, events: Sequence[Event[AreaChanged]]) -> None:
    """Keeps areas under their boundary version."""
    projection.store_areas(session, events)


def boundary_published(session: Session, event: Event[BoundaryPublished]) -> None:
    """Notes the version; it comes into force when all its areas are here."""
    projection.publish(session, event)


def agencies_changed(session: Session, events: Sequence[Event[AgencyChanged]]) -> None:
    """Keeps the newest state of agencies; a rule of one that is closed shadows nothing."""
    agencies_projection.store(session, events)
    named = [event.data.agency_id for event in events]
    if session.execute(select(RULES.id).where(RULES.agency_id.in_(named)).limit(1)).first() is not None:
        placing.one_rule_at_a_time(session)
        placing.note_shadows(session)


def jurisdictions_changed(session: Session, events: Sequence[Event[JurisdictionChanged]]) -> None:
    """Keeps the newest state of jurisdictions."""
    JURISDICTIONS.keep(
        session,
        (
            {
                "id": event.data.jurisdiction_id,
                "agency_id": event.data.agency_id,
                "area_path": event.data.area_path,
                "category": event.data.category,
                "active": event.data.active,
                "version": event.entity_version,
            }
            for event in events
        ),
    )


def area_succeeded(session: Session, path: str, into: Sequence[str]) -> None:
    """Routing rules of an area that is gone hold for the areas that have its land: the first takes the row, the others
    get a copy under an id made of both, so that the event may come twice. Where land comes together again, equal
    rules become one."""
    placing.one_rule_at_a_time(session)
    rules = session.execute(
        select(*RULES).where(RULES.area_path == path).order_by(RULES.id).with_for_update()
    ).mappings()
    for row in rules.all():
        first, *others = into
        moved = update(routing_rules).where(RULES.id == row["id"])
        session.execute(moved.values(area_path=first, version=RULES.version + 1))
        for other in others:
            copy = {**row, "id": uuid5(row["id"], other), "area_path": other, "version": 1}
            session.execute(insert(routing_rules).values(copy).on_conflict_do_nothing())
    twin = routing_rules.alias("twin").c
    same = [twin[name].is_not_distinct_from(RULES[name]) for name in ("area_path", *_RULE)]
    again = exists().where(and_(*same, twin.id < RULES.id))
    session.execute(delete(routing_rules).where(RULES.area_path.in_(into), again))
    placing.note_shadows(session)


def settle_boundary(session: Session) -> None:
    """Puts versions in force whose areas came after their publication; every second."""
    projection.settle(session)


def refresh_cells(session: Session, holder: CellsHolder, offload: Callable[..., Cells]) -> None:
    """Rebuilds this process's cells when another version is in force; `offload` keeps it off the loop."""
    version = projection.current_version(session)
    if version is not None and version > holder.current.version:
        rows = projection.load_cells(session, version)
        holder.replace(offload(build_cells, rows.version, rows.paths, rows.wkb))


def build_cells(version: int, paths: list[str], wkb: list[bytes]) -> Cells:
    """Cells from well-known binary; CPU work."""
    return Cells(version, paths, shapely.from_wkb(wkb))


def follow_boundary(session: Session, *, clock: Clock, chunk: int = CHUNK) -> int:
    """Puts cases into the areas of the version in force, open ones first; returns how many it looked at.

    Set-based and convergent: whatever was located under an older version is looked up again, one chunk a call,
    also what was reported while a version changed or waited in "unassigned". A case whose area stays says nothing.
    One at rest follows and says so like any other: who may see it hangs on its area, here and in the journal.
    """
    current = projection.current(session)
    if current is None:
        return 0
    looked = _follow(session, *current, IS_OPEN, clock, chunk)
    return looked + _follow(session, *current, IS_AT_REST, clock, chunk - looked)


def _follow(session: Session, version: int, county: str, which: ColumnElement[bool], clock: Clock, chunk: int) -> int:
    areas = projection.areas.c
    here = (
        select(areas.path)
        .where(areas.boundary_version == version, areas.leaf, func.ST_Covers(areas.geom, C.geom))
        .order_by(areas.path)
        .limit(1)
        .correlate(cases)
        .scalar_subquery()
    )
    stale = (
        session.execute(
            select(*records.COLUMNS, here.label("here"))
            .where(which, C.located_version < version)
            .order_by(C.located_version)
            .limit(chunk)
            .with_for_update(skip_locked=True)
        )
        .mappings()
        .all()
    )
    if not stale:
        return 0
    moved = {row["id"]: row for row in stale if (row["here"] or county, row["here"] is None) != _place(row)}
    session.execute(update(cases).where(C.id.in_([row["id"] for row in stale])).values(located_version=version))
    if moved:
        _move(session, moved, county, clock)
    return len(stale)


def _place(row: records.Row) -> tuple[str, bool]:
    return row["area_path"], row["unassigned"]


def _move(session: Session, moved: Mapping[UUID, records.Row], county: str, clock: Clock) -> None:
    now = clock()
    arrays = {
        "ids": list(moved),
        "paths": [row["here"] or county for row in moved.values()],
        "nowhere": [row["here"] is None for row in moved.values()],
    }
    places = select(
        func.unnest(cast(bindparam("ids"), ARRAY(Uuid))).label("id"),
        func.unnest(cast(bindparam("paths"), ARRAY(Text))).label("path"),
        func.unnest(cast(bindparam("nowhere"), ARRAY(Boolean))).label("nowhere"),
    ).subquery("places")
    statement = (
        update(cases)
        .where(C.id == places.c.id)
        .values(area_path=places.c.path, unassigned=places.c.nowhere, version=C.version + 1, updated_at=now)
        .returning(*records.COLUMNS)
    )
    after = session.execute(statement, arrays).mappings().all()
    records.record(session, now, [records.Happened(records.FOLLOW, moved[row["id"]], row) for row in after])
