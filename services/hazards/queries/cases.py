"""One case: its JSON, its history, and the moves one may make."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Select, Uuid, bindparam, case, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object, utc
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.hazards.events import Grade, Source
from contracts.hazards.states import CaseLevel, State, Supervision
from contracts.scope import Actor, Scope
from services.hazards.domain.machine import Standing
from services.hazards.domain.moves import legal_moves
from services.hazards.queries.agencies import agencies_json
from services.hazards.queries.parts import clocks_json, extensions_json
from services.hazards.queries.sides import no_sides, sides
from services.hazards.tables import IS_OVERDUE, IS_UNDISPATCHED, case_files, cases, external_refs
from services.hazards.tables import case_history as history_table

MAX_LIMIT = 500
C = cases.c
STANDING = (
    "state",
    "source",
    "area_path",
    "lead_agency_id",
    "handler_account_ids",
    "county_decides",
    "reporter_account_id",
    "level",
    "grade",
    "assisting_asked_ids",
    "assisting_working_ids",
    "extension_pending",
    "parent_case_id",
    "open_children",
    "supervision",
    "supervision_agency_id",
    "listing_agency_id",
    "was_listed",
    "leader_named",
    "reviewed_at",
    "rating",
    "return_by",
    "recheck_due_at",
)
"""The columns that decide a case's moves."""
VISIBILITY = Visibility(area_path=C.area_path, category=C.category, sensitivity=C.sensitivity, agencies=C.participants)


def summary() -> dict[str, Any]:
    return {
        "case_id": C.id,
        "case_no": C.case_no,
        "version": C.version,
        "kind": C.kind,
        "category": C.category,
        "category_version": C.category_version,
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
        "suggested_agency_ids": case((IS_UNDISPATCHED, C.suggested_agency_ids)),
        "returns": C.returns,
        "reworks": C.reworks,
        "reopenings": C.reopenings,
        "county_decides": C.county_decides,
        "level": C.level,
        "extensions": C.extensions,
        "extension_pending": C.extension_pending,
        "assisting_asked_ids": C.assisting_asked_ids,
        "assisting_working_ids": C.assisting_working_ids,
        "parent_case_id": C.parent_case_id,
        "open_children": C.open_children,
        "merged_into_id": C.merged_into_id,
        "reports": C.reports,
        "reminders": C.reminders,
        "reminded_at": utc(C.reminded_at),
        "supervision": C.supervision,
        "supervision_agency_id": C.supervision_agency_id,
        "listing_agency_id": C.listing_agency_id,
        "leader_named": C.leader_named,
        "reviewed_at": utc(C.reviewed_at),
        "rating": C.rating,
        "joined_agency_ids": C.joined_agency_ids,
        "occurred_at": utc(C.occurred_at),
        "reported_at": utc(C.reported_at),
        "updated_at": utc(C.updated_at),
        "closed_at": utc(C.closed_at),
        "recheck_due_at": utc(C.recheck_due_at),
        "due_at": utc(C.due_at),
        "overdue": IS_OVERDUE,
        "accept_due_at": utc(C.accept_due_at),
        "return_by": utc(C.return_by),
        "warned_at": utc(C.warned_at),
        "missed_at": utc(C.missed_at),
        "unacknowledged_at": utc(C.unacknowledged_at),
    }


def _whole(**parts: ColumnElement[Any]) -> ColumnElement[Any]:
    original = json_object(crs=C.original_crs, lon=C.original_lon, lat=C.original_lat)
    return json_object(**summary(), answers=C.answers, history_digest=C.history_digest, original=original, **parts)


def bare_case_body() -> ColumnElement[str]:
    """`body` of a new case without other systems' ids or files, for RETURNING; its clocks are the caller's."""
    nothing: ColumnElement[Any] = literal_column("'[]'::json")
    names = ("external_refs", "photos", "files", "agencies", "clocks", "extension_requests")
    return body_column(_whole(**dict.fromkeys(names, nothing), **no_sides()))


def case_json() -> ColumnElement[Any]:
    """A case's whole state, with the position as given, other systems' ids, files and each agency's part."""
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
    f = case_files.c
    photo = json_object(
        blob=f.blob, media_type=f.media_type, size_bytes=f.size_bytes, move=f.move, added_at=utc(f.added_at)
    )
    file = json_object(
        file_id=f.id,
        kind=f.kind,
        media_type=f.media_type,
        size_bytes=f.size_bytes,
        width=f.width,
        height=f.height,
        seconds=f.seconds,
        pages=f.pages,
        move=f.move,
        version=f.seq,
        added_at=utc(f.added_at),
        audience=f.audience,
    )
    return _whole(
        external_refs=refs,
        photos=_files(photo, f.kind == literal_column("'photo'")),
        files=_files(file),
        agencies=agencies_json(),
        clocks=clocks_json(C.id),
        extension_requests=extensions_json(C.id),
        **sides(),
    )


def _files(one: ColumnElement[Any], *conditions: ColumnElement[bool]) -> ColumnElement[Any]:
    """The case's files as they came."""
    f = case_files.c
    listed = func.json_agg(aggregate_order_by(one, f.seq, f.position))
    rows = select(func.coalesce(listed, literal_column("'[]'::json"))).where(f.case_id == C.id, *conditions)
    return rows.scalar_subquery()


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
    """What `standing_of` reads, and the version."""

    def build() -> Select[Any]:
        return select(C.version, *(C[name] for name in STANDING)).where(
            C.id == bindparam("case_id", type_=Uuid()), predicate(scope, VISIBILITY)
        )

    return Query(("hazards.case_standing", shape(scope)), build, {"case_id": case_id, **parameters(scope)})


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


def moves_for(row: Mapping[Any, Any], actor: Actor, now: datetime | None = None) -> list[str]:
    """The moves an actor may make now, from a row of `case_standing`."""
    return [move.value for move in legal_moves(standing_of(row, now or datetime.now(UTC)), actor)]


def standing_of(row: Mapping[Any, Any], now: datetime) -> Standing:
    """What decides a case's moves, from a row of `case_standing` or of the table."""
    supervision, return_by = row["supervision"], row["return_by"]
    return Standing(
        state=State(row["state"]),
        source=Source(row["source"]),
        area_path=row["area_path"],
        lead_agency_id=row["lead_agency_id"],
        handlers=frozenset(row["handler_account_ids"]),
        county_decides=row["county_decides"],
        reporter=row["reporter_account_id"],
        level=CaseLevel(row["level"]),
        grade=Grade(row["grade"]),
        asked=frozenset(row["assisting_asked_ids"]),
        assisting=frozenset(row["assisting_working_ids"]),
        extension_pending=row["extension_pending"],
        parent=row["parent_case_id"],
        open_children=row["open_children"],
        supervision=Supervision(supervision) if supervision else None,
        supervisor=row["supervision_agency_id"],
        listed_by=row["listing_agency_id"],
        was_listed=row["was_listed"],
        leader_named=row["leader_named"],
        reviewed=row["reviewed_at"] is not None,
        rating=row["rating"],
        recheck_due=row["recheck_due_at"] is not None,
        returnable=return_by is None or now <= return_by,
    )
