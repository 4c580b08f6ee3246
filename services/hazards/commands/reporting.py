"""Reporting a case: taken wherever it lies, once per case id, never lost."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import FromClause, Select, bindparam, literal, select, true
from sqlalchemy.dialects.postgresql import insert

from backbone.areas_projection import Located
from backbone.clock import Clock
from backbone.database import Session
from contracts.hazards.commands import Case, ExternalRef, Photo, ReportCase
from contracts.hazards.errors import CaseExists, DuplicateExternalRef, NoBoundary
from contracts.hazards.events import State
from contracts.refusals import InvalidField
from contracts.scope import Actor
from geo.cells import CellsHolder
from services.hazards import placing, queries, records
from services.hazards.domain.deadlines import deadline
from services.hazards.domain.machine import REPORTERS
from services.hazards.domain.moves import require_role
from services.hazards.tables import case_days, case_numbers, case_photos, cases, categories, external_refs, projection

BUSINESS_DAY = ZoneInfo("Asia/Shanghai")

_KNOWN = select(cases.c.report_digest, cases.c.reporter_account_id).where(cases.c.id == bindparam("case_id"))
_NUMBER = select((case_numbers.next_value() - case_days.c.base).label("number")).where(
    case_days.c.day == bindparam("day")
)
_BEGIN_DAY = insert(case_days).values(day=bindparam("day"), base=case_numbers.next_value()).on_conflict_do_nothing()
_INSERT = (
    insert(cases)
    .on_conflict_do_nothing(index_elements=[cases.c.id])
    .returning(*records.COLUMNS, queries.bare_case_body())
)


def _facts() -> Select[Any]:
    """One row with all that a report needs to know; what is not there is NULL."""
    known, number = _KNOWN.subquery("known"), _NUMBER.subquery("number")
    category = select(
        categories.c.code,
        categories.c.kind.label("category_kind"),
        categories.c.sensitivity,
        categories.c.handle_hours,
    ).where(categories.c.code == bindparam("category"), categories.c.active)
    parts = (known, category.subquery("category"), projection.current_statement.subquery("boundary"), number)
    joined: FromClause = select(literal(1)).subquery("always")
    for part in parts:
        joined = joined.outerjoin(part, true())
    return select(*(column for part in parts for column in part.c)).select_from(joined)


_FACTS = _facts()


def report_case(
    session: Session,
    actor: Actor,
    command: ReportCase,
    *,
    clock: Clock,
    county_code: str,
    cells: CellsHolder | None = None,
) -> Case:
    """A new case in `reported`; the same report sent again gives the same case.

    Raises CaseExists, NotAllowed, UnknownCategory, InvalidField (kind), NoBoundary, DuplicateExternalRef.
    """
    digest = hashlib.sha256(command.model_dump_json().encode()).hexdigest()
    now = clock()
    day = now.astimezone(BUSINESS_DAY).date()
    facts = session.execute(_FACTS, {"case_id": command.case_id, "category": command.category, "day": day}).one()
    if facts.report_digest is not None:
        return _same_again(session, actor, command.case_id, digest, facts)
    require_role(actor, REPORTERS, "Reporting")
    located = _judged(session, command, facts, cells)
    number = facts.number if facts.number is not None else _first_number(session, day)
    case_no = f"{county_code}-{day:%Y%m%d}-{number:05d}"
    values = _values(actor, command, now, facts, located) | {"case_no": case_no, "report_digest": digest}
    row = session.execute(_INSERT, values).mappings().one_or_none()
    if row is None:  # the same id came twice at once, and the other one was first
        known = session.execute(_KNOWN, {"case_id": command.case_id}).one()
        return _same_again(session, actor, command.case_id, digest, known)
    link(session, command.case_id, command.external_refs, now)
    if command.photo is not None:
        keep_photo(session, row, command.photo, records.REPORT, now)
    records.record(session, now, [records.Happened(records.REPORT, None, row, actor)])
    if command.external_refs or command.photo is not None:
        return records.reply(session, command.case_id)
    return records.reply_of(command.case_id, row["body"])


def _same_again(session: Session, actor: Actor, case_id: UUID, digest: str, known: Any) -> Case:
    """The reply to a case id that is there. Raises CaseExists for another report or another reporter."""
    if (known.report_digest, known.reporter_account_id) != (digest, actor.account_id):
        raise CaseExists(field="case_id", expected="a new UUIDv7")
    return records.reply(session, case_id)


def _judged(session: Session, command: ReportCase, facts: Any, cells: CellsHolder | None) -> Located:
    """Where the case lies. Raises UnknownCategory, InvalidField (kind), NoBoundary."""
    if facts.code is None:
        raise placing.unknown_category(command.category)
    if command.kind is not None and command.kind.value != facts.category_kind:
        raise InvalidField(
            f"Category '{facts.code}' is of kind '{facts.category_kind}'.", field="kind", expected=facts.category_kind
        )
    if facts.version is None:
        raise NoBoundary()
    return placing.locate_in(session, facts.version, facts.county_path, cells, command.lon, command.lat)


def _values(actor: Actor, command: ReportCase, now: datetime, facts: Any, located: Located) -> dict[str, Any]:
    due = deadline(now, facts.handle_hours)
    original = command.original
    return {
        "id": command.case_id,
        "version": 1,
        "kind": facts.category_kind,
        "category": facts.code,
        "source": command.source.value,
        "state": State.REPORTED.value,
        "grade": command.grade.value,
        "sensitivity": facts.sensitivity,
        "description": command.description,
        "geom": point(command.lon, command.lat),
        "original_crs": original.crs,
        "original_lon": original.lon,
        "original_lat": original.lat,
        "area_path": located.area_path,
        "boundary_version": located.boundary_version,
        "located_version": located.boundary_version,
        "unassigned": located.unassigned,
        "place_id": command.place_id,
        "reporter_account_id": actor.account_id,
        "reporting_agency_id": actor.agency_id,
        "participants": [actor.agency_id],
        "occurred_at": command.occurred_at or now,
        "reported_at": now,
        "updated_at": now,
        "due_since": due.since,
        "warn_at": due.warn_at,
        "due_at": due.due_at,
    }


def _first_number(session: Session, day: date) -> int:
    """A number of a day that had no base yet; numbers have gaps and never come twice.

    The day's base was drawn before anybody could read it, so whatever the sequence gives later is greater. Only
    who reports while the day's first report is still uncommitted waits for it, once a day.
    """
    session.execute(_BEGIN_DAY, {"day": day})
    return int(session.execute(_NUMBER, {"day": day}).scalar_one())


def point(lon: float, lat: float) -> str:
    """A WGS84 point for a geometry column, as EWKT."""
    return f"SRID=4326;POINT({lon!r} {lat!r})"


def link(session: Session, case_id: UUID, refs: tuple[ExternalRef, ...], now: datetime) -> None:
    """Notes other systems' ids of a case; one that is there already stays. Raises DuplicateExternalRef."""
    for system, other in sorted({(ref.system, ref.id) for ref in refs}):  # in one order: no deadlocks
        session.execute(
            insert(external_refs)
            .values(system=system, id=other, entity="case", entity_id=case_id, linked_at=now)
            .on_conflict_do_nothing()
        )
        owner = session.execute(
            select(external_refs.c.entity_id).where(
                external_refs.c.system == system, external_refs.c.id == other, external_refs.c.entity == literal("case")
            )
        ).scalar_one()
        if owner != case_id:
            raise DuplicateExternalRef(f"'{other}' of '{system}' belongs to another case.", field="external_refs")


def keep_photo(session: Session, row: records.Row, photo: Photo, move: str, now: datetime) -> None:
    """Notes a stored picture under the version it came with."""
    session.execute(
        insert(case_photos).values(
            case_id=row["id"],
            seq=row["version"],
            blob=photo.blob,
            media_type=photo.media_type,
            size_bytes=photo.size_bytes,
            move=move,
            added_at=now,
        )
    )
