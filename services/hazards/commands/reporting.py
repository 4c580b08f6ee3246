"""Reporting a case: taken wherever it lies, once per case id, never lost."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, literal, select
from sqlalchemy.dialects.postgresql import insert

from backbone.clock import Clock
from backbone.database import Session
from contracts.hazards.commands import Case, ExternalRef, Photo, ReportCase
from contracts.hazards.errors import CaseExists, DuplicateExternalRef
from contracts.hazards.events import State
from contracts.refusals import InvalidField
from contracts.scope import Actor
from geo.cells import CellsHolder
from services.hazards import placing, records
from services.hazards.domain.deadlines import deadline
from services.hazards.domain.machine import REPORTERS
from services.hazards.domain.moves import require_role
from services.hazards.tables import case_days, case_numbers, case_photos, cases, external_refs

BUSINESS_DAY = ZoneInfo("Asia/Shanghai")

_KNOWN = select(cases.c.report_digest, cases.c.reporter_account_id).where(cases.c.id == bindparam("case_id"))
_NUMBER = select(case_numbers.next_value() - case_days.c.base).where(case_days.c.day == bindparam("day"))
_BEGIN_DAY = insert(case_days).values(day=bindparam("day"), base=case_numbers.next_value()).on_conflict_do_nothing()
_INSERT = insert(cases).on_conflict_do_nothing(index_elements=[cases.c.id]).returning(*records.COLUMNS)


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
    if _already_reported(session, actor, command.case_id, digest):
        return records.reply(session, command.case_id)
    require_role(actor, REPORTERS, "Reporting")
    now = clock()
    row = _insert(session, _values(session, actor, command, now, county_code, cells) | {"report_digest": digest})
    if row is None:  # the same id came twice at once, and the other one was first
        _already_reported(session, actor, command.case_id, digest)
        return records.reply(session, command.case_id)
    link(session, command.case_id, command.external_refs, now)
    if command.photo is not None:
        keep_photo(session, row, command.photo, records.REPORT, now)
    records.record(session, now, [records.Happened(records.REPORT, None, row, actor)])
    return records.reply(session, command.case_id)


def _already_reported(session: Session, actor: Actor, case_id: UUID, digest: str) -> bool:
    known = session.execute(_KNOWN, {"case_id": case_id}).one_or_none()
    if known is not None and tuple(known) != (digest, actor.account_id):
        raise CaseExists(field="case_id", expected="a new UUIDv7")
    return known is not None


def _values(
    session: Session, actor: Actor, command: ReportCase, now: datetime, county_code: str, cells: CellsHolder | None
) -> dict[str, Any]:
    category = placing.category(session, command.category)
    if command.kind is not None and command.kind.value != category.kind:
        raise InvalidField(
            f"Category '{category.code}' is of kind '{category.kind}'.", field="kind", expected=category.kind
        )
    located = placing.locate(session, cells, command.lon, command.lat)
    due = deadline(now, category.handle_hours)
    original = command.original
    return {
        "id": command.case_id,
        "case_no": f"{county_code}-{_number(session, now)}",
        "version": 1,
        "kind": category.kind,
        "category": category.code,
        "source": command.source.value,
        "state": State.REPORTED.value,
        "grade": command.grade.value,
        "sensitivity": category.sensitivity,
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


def _number(session: Session, now: datetime) -> str:
    """yyyymmdd-sequence, per day of the county's time zone; with gaps, never twice.

    The day's base was drawn before anybody could read it, so whatever the sequence gives later is greater. Only
    who reports while the day's first report is still uncommitted waits for it, once a day.
    """
    day = now.astimezone(BUSINESS_DAY).date()
    number = session.execute(_NUMBER, {"day": day}).scalar_one_or_none()
    if number is None:
        session.execute(_BEGIN_DAY, {"day": day})
        number = session.execute(_NUMBER, {"day": day}).scalar_one()
    return f"{day:%Y%m%d}-{number:05d}"


def _insert(session: Session, values: dict[str, Any]) -> records.Row | None:
    return session.execute(_INSERT, values).mappings().one_or_none()


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
