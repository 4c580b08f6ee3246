"""Reporting a case: taken wherever it lies, once per case id, never lost; those that come together, together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import insert

from backbone import outbox, telemetry
from backbone.areas_projection import Located
from backbone.clock import COUNTY_TIME, Clock
from backbone.database import Session, to_json
from backbone.gathering import insert_from_json
from backbone.idempotency import Asked
from backbone.prepared import Prepared
from contracts.hazards.commands import Case, ExternalRef, ReportCase
from contracts.hazards.errors import CaseExists, DuplicateExternalRef, ImplausibleTime, NoBoundary
from contracts.hazards.states import CaseLevel, State
from contracts.refusals import InvalidField, Refusal
from contracts.scope import Actor
from geo.cells import CellsHolder
from services.hazards import clocks, placing, queries, records
from services.hazards.commands.filing import add_files, has_files
from services.hazards.domain.answers import check
from services.hazards.domain.follow_codes import new_code
from services.hazards.domain.intake import CLOCK_SKEW, OLDEST, is_plausible
from services.hazards.domain.machine import REPORTERS
from services.hazards.domain.moves import require_role
from services.hazards.domain.questions import parsed
from services.hazards.tables import case_days, case_numbers, cases, categories, external_refs, projection

_KNOWN = (
    select(cases.c.report_digest, cases.c.reporter_account_id, cases.c.follow_code, categories.c.emergency)
    .outerjoin(categories, categories.c.code == cases.c.category)
    .where(cases.c.id == bindparam("case_id"))
)
_BEGIN_DAY = insert(case_days).values(day=bindparam("day"), base=case_numbers.next_value()).on_conflict_do_nothing()
_FRESH: dict[str, Any] = {str(column.name): None for column in cases.c} | {
    "version": 1,
    "state": State.REPORTED.value,
    "assisting_agency_ids": [],
    "former_agency_ids": [],
    "handler_account_ids": [],
    "returns": 0,
    "reworks": 0,
    "reopenings": 0,
    "county_decides": False,
    "level": CaseLevel.TOWN.value,
    "extensions": 0,
    "extension_pending": False,
    "assisting_asked_ids": [],
    "assisting_working_ids": [],
    "open_children": 0,
    "reports": 1,
    "reminders": 0,
    "was_listed": False,
    "leader_named": False,
    "joined_agency_ids": [],
}
"""What a new case has in every column that the report does not decide."""
_INSERT = Prepared(
    insert_from_json(cases, *(column.name for column in cases.c))
    .on_conflict_do_nothing(index_elements=[cases.c.id])
    .returning(cast(cases.c.id, Text), queries.bare_case_body())
)
_INSISTS = categories.c.questions.op("@>", is_comparison=True)(literal_column("""'[{"required": true}]'::jsonb"""))


def _facts() -> Select[Any]:
    """For the n-th report one row with all that it needs to know; what is not there is NULL."""
    given = (column("n", Integer()), column("category", Text()), column("day", Date()), column("answered", Boolean()))
    rows = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON)).table_valued(*given)
    asked = rows.render_derived("asked", with_types=True)
    boundary = projection.current_statement.subquery("boundary")
    joined = (
        asked.outerjoin(categories, and_(categories.c.code == asked.c.category, categories.c.active))
        .outerjoin(case_days, case_days.c.day == asked.c.day)
        .outerjoin(boundary, true())
    )
    return select(
        asked.c.n,
        categories.c.code,
        categories.c.kind.label("category_kind"),
        categories.c.sensitivity,
        categories.c.handle_hours,
        categories.c.emergency,
        categories.c.accept_hours,
        categories.c.stages,
        clocks.CALENDAR_DIGEST,
        categories.c.version.label("category_version"),
        categories.c.grade,
        # Only where there is something to judge: most reports have no answers, and most categories insist on none.
        case((or_(asked.c.answered, _INSISTS), cast(categories.c.questions, Text))).label("questions"),
        boundary.c.version,
        boundary.c.county_path,
        case((case_days.c.day.is_not(None), case_numbers.next_value() - case_days.c.base)).label("number"),
    ).select_from(joined)


_FACTS = Prepared(_facts())


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

    Raises CaseExists, NotAllowed, UnknownCategory, InvalidField (kind), InvalidAnswers, NoBoundary,
    DuplicateExternalRef.
    """
    asked = [Asked(command, actor, telemetry.current())]
    return report_cases(session, asked, clock=clock, county_code=county_code, cells=cells)[0]


def report_cases(
    session: Session,
    asked: Sequence[Asked[ReportCase]],
    *,
    clock: Clock,
    county_code: str,
    cells: CellsHolder | None = None,
) -> list[Case]:
    """The same for reports that came together, in as many statements as one. Raises what any one of them does."""
    first: dict[UUID, Asked[ReportCase]] = {}
    for each in asked:
        first.setdefault(each.command.case_id, each)
    now = clock()
    day = now.astimezone(COUNTY_TIME).date()
    rows: dict[UUID, dict[str, Any]] = {}
    opened: dict[UUID, records.Happened] = {}
    begun: dict[UUID, clocks.Begun] = {}
    urgent: set[UUID] = set()
    replies: dict[UUID, Case] = {}
    for each, facts, number in _facts_of(session, list(first.values()), day):
        try:
            row = _row(session, each, now, facts, cells)
        except Refusal:
            # What was taken once stays so, whatever has become of its category or of the reporter's role.
            if not _is_known(session, each):
                raise
            replies[each.command.case_id] = _same_again(session, each)
        else:
            if facts.emergency:
                urgent.add(row["id"])
            rows[row["id"]] = row | {"case_no": f"{county_code}-{day:%Y%m%d}-{number:05d}"}
            opened[row["id"]] = records.opening(rows[row["id"]], each.actor, now)
            begun[row["id"]] = clocks.begin(session, facts, now)
    given = to_json([{**row, "geom": point(row["lon"], row["lat"])} for row in rows.values()])
    bodies = {UUID(case_id): body for case_id, body in _INSERT.execute(session, rows=given)} if rows else {}
    for case_id in rows:
        each = first[case_id]
        if case_id in bodies:
            clocks.keep(session, case_id, begun[case_id])
            reply = _taken(session, each, now, opened[case_id], bodies[case_id], case_id in urgent)
            # Written at the end of the batch, so no statement has seen them yet.
            reply.body["clocks"] = begun[case_id].shown
        else:
            reply = _same_again(session, each)
        replies[case_id] = reply
    for each in asked:
        if each is not first[each.command.case_id]:
            _same_again(session, each)
    return [replies[each.command.case_id] for each in asked]


def _facts_of(
    session: Session, asked: Sequence[Asked[ReportCase]], day: date
) -> Iterator[tuple[Asked[ReportCase], Any, int]]:
    """Each report with what it needs to know and its number of the day.

    A day's base is drawn before anybody can read it, so whatever the sequence gives later is greater: numbers have
    gaps and never come twice. Only who reports while the day's first report is still uncommitted waits for it, once
    a day.
    """
    wanted = to_json(
        [
            {"n": n, "category": each.command.category, "day": day, "answered": bool(each.command.answers)}
            for n, each in enumerate(asked)
        ]
    )
    facts = _FACTS.execute(session, rows=wanted).all()
    if facts[0].number is None:
        session.execute(_BEGIN_DAY, {"day": day})
        facts = _FACTS.execute(session, rows=wanted).all()
    yield from zip(asked, sorted(facts, key=lambda row: row.n), sorted(row.number for row in facts), strict=True)


def _is_known(session: Session, asked: Asked[ReportCase]) -> bool:
    return session.execute(_KNOWN, {"case_id": asked.command.case_id}).first() is not None


def _taken(
    session: Session, asked: Asked[ReportCase], now: datetime, opened: records.Happened, body: str, emergency: bool
) -> Case:
    """What belongs to a case that was just written."""
    command, row = asked.command, opened.after
    link(session, command.case_id, command.external_refs, now)
    add_files(session, asked.actor, row, command, records.REPORT, now)
    with telemetry.bound(asked.context):
        records.record(session, now, [opened])
        if emergency:
            outbox.append(session, records.emergency_event(row))
    whole = command.external_refs or has_files(command)
    reply = records.reply(session, command.case_id) if whole else records.reply_of(command.case_id, body)
    return _told(reply, row["follow_code"], emergency)


def _told(reply: Case, follow_code: str | None, emergency: bool | None) -> Case:
    """The reply with what its reporter alone is told."""
    return reply.model_copy(update={"follow_code": follow_code, "emergency": bool(emergency)})


def _same_again(session: Session, asked: Asked[ReportCase]) -> Case:
    """The reply to a case id that is there. Raises CaseExists for another report or another reporter."""
    known = session.execute(_KNOWN, {"case_id": asked.command.case_id}).one()
    if (known.report_digest, known.reporter_account_id) != (_digest(asked.command), asked.actor.account_id):
        raise CaseExists(field="case_id", expected="a new UUIDv7")
    return _told(records.reply(session, asked.command.case_id), known.follow_code, known.emergency)


def _digest(command: ReportCase) -> str:
    # What is not said does not count: a field that a later release adds changes no older report's digest.
    return hashlib.sha256(command.model_dump_json(exclude_defaults=True).encode()).hexdigest()


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


def _answers(command: ReportCase, facts: Any) -> dict[str, Any] | None:
    """As they are kept. Raises InvalidAnswers."""
    if facts.questions is None:
        return None
    return check(parsed(facts.questions), command.answers or {}, command.source) or None


def _row(
    session: Session, asked: Asked[ReportCase], now: datetime, facts: Any, cells: CellsHolder | None
) -> dict[str, Any]:
    """The new case as `records` reads it, still without its number. Raises what `_judged` does, NotAllowed and
    ImplausibleTime."""
    actor, command, original = asked.actor, asked.command, asked.command.original
    require_role(actor, REPORTERS, "Reporting")
    occurred_at = (command.occurred_at or now).astimezone(UTC)
    if not is_plausible(occurred_at, now):
        first, last = (moment.astimezone(UTC).isoformat() for moment in (now - OLDEST, now + CLOCK_SKEW))
        raise ImplausibleTime(field="occurred_at", expected=f"{first} to {last}")
    located = _judged(session, command, facts, cells)
    return (
        _FRESH
        | clocks.begin(session, facts, now).columns
        | {
            "id": command.case_id,
            "kind": facts.category_kind,
            "category": facts.code,
            "category_version": facts.category_version,
            "answers": _answers(command, facts),
            "source": command.source.value,
            "grade": command.grade.value if command.grade is not None else facts.grade,
            "sensitivity": facts.sensitivity,
            "description": command.description,
            "lon": command.lon,
            "lat": command.lat,
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
            "occurred_at": occurred_at,
            "reported_at": now,
            "updated_at": now,
            "report_digest": _digest(command),
            "follow_code": new_code(),
        }
    )


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
