"""What patrol can be asked: units, shifts, and the clock that ends duty.

Operators act inside their scope's areas, officers for their own agency's units. What may not be seen does
not exist: the answer is the same.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert

from backbone.clock import Clock
from backbone.database import Session
from backbone.outbox import Event, append
from backbone.policy import visible
from contracts.patrol.commands import MoveShift, PlanShift, PutUnit, Shift, Unit
from contracts.patrol.errors import (
    AgencyInactive,
    DuplicateShift,
    IllegalShiftMove,
    ShiftOver,
    ShiftTimes,
    UnitInactive,
    UnitOfAnotherAgency,
    UnitOnDuty,
    UnknownUnit,
)
from contracts.patrol.events import ShiftCancelled, ShiftEnded, ShiftPlanned, ShiftStarted, ShiftState, ShiftStatus
from contracts.refusals import InvalidField, NotAllowed, NotVisible, StaleVersion
from contracts.scope import Actor, Role
from services.patrol.domain.shifts import GRACE, IllegalMove, Move, PlannedTimeOver, Status, Times, moved, plannable
from services.patrol.tables import agencies, shifts, units

OPERATORS = (Role.COUNTY_ADMIN, Role.COUNTY_OPERATOR, Role.TOWN_OPERATOR)
OFFICERS = (Role.AGENCY_OFFICER, Role.PATROL_OFFICER, Role.INTEGRATOR)

_EVENTS: dict[Status, type[ShiftState]] = {
    Status.PLANNED: ShiftPlanned,
    Status.STARTED: ShiftStarted,
    Status.ENDED: ShiftEnded,
    Status.CANCELLED: ShiftCancelled,
}
_ENDED_AT_ONCE = 500


def put_unit(session: Session, actor: Actor, command: PutUnit) -> Unit:
    """Create or replace a unit; a repeat changes nothing.

    Raises NotVisible, NotAllowed, UnitOfAnotherAgency or AgencyInactive.
    """
    found = _locked_unit(session, command.unit_id)
    if found is not None:
        _require_visible(actor, found.area_path, found.agency_id)
        if found.agency_id != command.agency_id:
            raise UnitOfAnotherAgency(field="agency_id")
    _require_may(actor, command.area_path, command.agency_id, officers=(Role.AGENCY_OFFICER, Role.INTEGRATOR))
    agency = session.execute(select(agencies.c.active).where(agencies.c.id == command.agency_id)).scalar_one_or_none()
    if agency is False:
        raise AgencyInactive(field="agency_id")
    wanted = {name: getattr(command, name) for name in ("call_sign", "kind", "agency_id", "area_path", "active")}
    if found is None:
        made = insert(units).values(id=command.unit_id, version=1, **wanted).on_conflict_do_nothing()
        if session.execute(made.returning(units.c.id)).one_or_none() is None:
            return put_unit(session, actor, command)  # the same id came twice at once, and the other one was first
        return Unit(unit_id=command.unit_id, version=1, **wanted)
    if all(getattr(found, name) == value for name, value in wanted.items()):
        return Unit(unit_id=command.unit_id, version=found.version, **wanted)
    session.execute(
        update(units)
        .where(units.c.id == command.unit_id)
        .values(version=found.version + 1, changed_at=func.clock_timestamp(), **wanted)
    )
    return Unit(unit_id=command.unit_id, version=found.version + 1, **wanted)


def plan_shift(session: Session, actor: Actor, command: PlanShift, *, clock: Clock) -> Shift:
    """Plan a unit's duty; the same plan under the same id changes nothing.

    Raises UnknownUnit, NotAllowed, UnitInactive, InvalidField, ShiftTimes or DuplicateShift.
    """
    unit = _locked_unit(session, command.unit_id)
    if unit is None or not _visible(actor, unit.area_path, unit.agency_id):
        raise UnknownUnit(field="unit_id")
    _require_may(actor, unit.area_path, unit.agency_id, officers=OFFICERS)
    for name in ("planned_from", "planned_until"):
        if getattr(command, name).tzinfo is None:
            raise InvalidField(field=name, expected="a time with offset")
    plan = {name: getattr(command, name) for name in ("unit_id", "duty", "planned_from", "planned_until")}
    known = _locked_shift(session, command.shift_id)
    if known is not None:
        if all(getattr(known, name) == value for name, value in plan.items()):
            return _reply(known, unit.call_sign)
        raise DuplicateShift(field="shift_id")
    if not unit.active:
        raise UnitInactive(field="unit_id")
    if not plannable(command.planned_from, command.planned_until):
        raise ShiftTimes(field="planned_until")
    row = session.execute(
        insert(shifts)
        .values(
            id=command.shift_id,
            version=1,
            agency_id=unit.agency_id,
            area_path=unit.area_path,
            status=Status.PLANNED.value,
            **plan,
        )
        .on_conflict_do_nothing()
        .returning(shifts)
    ).one_or_none()
    if row is None:  # planned for another unit at the same moment: of one unit only one plans at a time
        raise DuplicateShift(field="shift_id")
    append(session, _event(row, clock()))
    return _reply(row, unit.call_sign)


def move_shift(session: Session, actor: Actor, command: MoveShift, *, clock: Clock) -> Shift:
    """Start, end or cancel a shift.

    Raises NotVisible, NotAllowed, StaleVersion, IllegalShiftMove, ShiftOver, UnitInactive or UnitOnDuty.
    """
    # The unit first, as planning does: two starts of one unit wait for each other instead of failing.
    unit_id = session.execute(select(shifts.c.unit_id).where(shifts.c.id == command.shift_id)).scalar_one_or_none()
    unit = None if unit_id is None else _locked_unit(session, unit_id)
    shift = _locked_shift(session, command.shift_id)
    if shift is None or unit is None:
        raise NotVisible()
    _require_visible(actor, shift.area_path, shift.agency_id)
    _require_may(actor, shift.area_path, shift.agency_id, officers=OFFICERS)
    if shift.version != command.expected_version:
        raise StaleVersion(current=_reply(shift, unit.call_sign).model_dump(mode="json"))
    after = _moved(shift, Move(command.move), clock)
    if after.status is Status.STARTED:
        _require_free(session, unit)
    row = _store(session, shift, after)
    append(session, _event(row, clock()))
    return _reply(row, unit.call_sign)


def end_overdue_shifts(session: Session, *, clock: Clock) -> int:
    """The clock: ends started shifts whose planned end and grace are over; returns how many."""
    overdue = session.execute(
        select(shifts)
        .where(shifts.c.status == Status.STARTED.value, shifts.c.planned_until < clock() - GRACE)
        .order_by(shifts.c.planned_until)
        .limit(_ENDED_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    ended = [_store(session, shift, _moved(shift, Move.END, clock)) for shift in overdue]
    append(session, *(_event(row, clock()) for row in ended))
    return len(ended)


def announce_shifts(
    session: Session, since: datetime | None, after: UUID | None, limit: int
) -> list[Event[ShiftState]]:
    """Every shift's current state by id, for `Announce`: after the id `after`, changed since `since`."""
    wanted = select(shifts).order_by(shifts.c.id).limit(limit)
    if after is not None:
        wanted = wanted.where(shifts.c.id > after)
    if since is not None:
        wanted = wanted.where(shifts.c.changed_at >= since)
    return [_event(row, row.changed_at) for row in session.execute(wanted)]


def _locked_unit(session: Session, unit_id: UUID) -> Row[Any] | None:
    statement = select(units).where(units.c.id == unit_id).with_for_update(key_share=True)
    return session.execute(statement).one_or_none()


def _locked_shift(session: Session, shift_id: UUID) -> Row[Any] | None:
    return session.execute(select(shifts).where(shifts.c.id == shift_id).with_for_update()).one_or_none()


def _moved(shift: Row[Any], move: Move, clock: Clock) -> Times:
    before = Times(Status(shift.status), shift.planned_from, shift.planned_until, shift.started_at, shift.ended_at)
    try:
        return moved(before, move, clock())
    except IllegalMove as error:
        _refuse_move(error)
    except PlannedTimeOver:
        raise ShiftOver(field="move") from None


def _refuse_move(error: IllegalMove) -> NoReturn:
    legal = [each.value for each in error.legal]
    raise IllegalShiftMove(field="move", expected=", ".join(legal) or "none", legal_moves=legal) from None


def _require_free(session: Session, unit: Row[Any]) -> None:
    if not unit.active:
        raise UnitInactive()
    other = session.execute(
        select(shifts.c.id).where(shifts.c.unit_id == unit.id, shifts.c.status == Status.STARTED.value)
    ).scalar_one_or_none()
    if other is not None:
        raise UnitOnDuty(shift_id=str(other))


def _store(session: Session, shift: Row[Any], after: Times) -> Row[Any]:
    return session.execute(
        update(shifts)
        .where(shifts.c.id == shift.id)
        .values(
            version=shift.version + 1,
            status=after.status.value,
            started_at=after.started_at,
            ended_at=after.ended_at,
            changed_at=func.clock_timestamp(),
        )
        .returning(shifts)
    ).one()


def _visible(actor: Actor, area_path: str, agency_id: UUID) -> bool:
    return visible(actor.scope, area_path=area_path, agencies=[agency_id]) or agency_id == actor.agency_id


def _require_visible(actor: Actor, area_path: str, agency_id: UUID) -> None:
    if not _visible(actor, area_path, agency_id):
        raise NotVisible()


def _require_may(actor: Actor, area_path: str, agency_id: UUID, *, officers: tuple[Role, ...]) -> None:
    if actor.has(*OPERATORS) and visible(actor.scope, area_path=area_path):
        return
    if actor.has(*officers) and agency_id == actor.agency_id:
        return
    raise NotAllowed()


def _event(row: Row[Any], occurred_at: datetime) -> Event[ShiftState]:
    data = _EVENTS[Status(row.status)](
        shift_id=row.id,
        unit_id=row.unit_id,
        agency_id=row.agency_id,
        duty=row.duty,
        status=ShiftStatus(row.status),
        area_path=row.area_path,
        planned_from=row.planned_from,
        planned_until=row.planned_until,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )
    return Event(data, entity_id=row.id, entity_version=row.version, area_path=row.area_path, occurred_at=occurred_at)


def _reply(row: Row[Any], call_sign: str) -> Shift:
    return Shift(
        shift_id=row.id,
        unit_id=row.unit_id,
        call_sign=call_sign,
        agency_id=row.agency_id,
        duty=row.duty,
        status=row.status,
        area_path=row.area_path,
        planned_from=row.planned_from,
        planned_until=row.planned_until,
        started_at=row.started_at,
        ended_at=row.ended_at,
        version=row.version,
    )
