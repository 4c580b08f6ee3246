"""Units and shifts by command: roles, scope, one started shift per unit, the clock."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from backbone.database import Session, transaction
from backbone.outbox import Event
from contracts.grid.events import AgencyChanged
from contracts.patrol.commands import MoveShift, PlanShift, PutUnit, Shift
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
from contracts.refusals import InvalidField, NotAllowed, NotVisible, StaleVersion
from contracts.scope import Actor, Role, Scope
from services.patrol import commands, reactions
from tests.integration.patrol.duty import AGENCY, COUNTY, EAST, OTHER, WEST

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)


def at(moment: datetime = NOW) -> Any:
    return lambda: moment


def actor(role: Role, *areas: str, agency: UUID = AGENCY) -> Actor:
    return Actor(uuid4(), agency, frozenset({role}), Scope(areas=areas, agency_id=agency))


OPERATOR = actor(Role.COUNTY_OPERATOR, COUNTY)
OFFICER = actor(Role.PATROL_OFFICER, EAST)


@pytest.fixture
def session(patrol: Engine) -> Iterator[Session]:
    with patrol.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


def unit(**changes: Any) -> PutUnit:
    return PutUnit(**{"unit_id": uuid4(), "call_sign": "平安1号", "agency_id": AGENCY, "area_path": EAST, **changes})


def plan(unit_id: UUID, **changes: Any) -> PlanShift:
    given = {"planned_from": NOW, "planned_until": NOW + timedelta(hours=4), **changes}
    return PlanShift(**{"shift_id": uuid4(), "unit_id": unit_id, **given})


def move(shift: Shift, what: str, version: int | None = None) -> MoveShift:
    return MoveShift(shift_id=shift.shift_id, move=what, expected_version=version or shift.version)


def planned(session: Session, **changes: Any) -> Shift:
    asked = unit(**changes)
    commands.put_unit(session, OPERATOR, asked)
    return commands.plan_shift(session, OFFICER, plan(asked.unit_id), clock=at())


def events(session: Session) -> list[tuple[str, int, Any]]:
    rows = session.execute(text("SELECT routing_key, entity_version, body FROM outbox ORDER BY seq"))
    return [(key, version, json.loads(body)) for key, version, body in rows]


def test_putting_a_unit_twice_changes_nothing_and_a_change_counts_up(session: Session) -> None:
    asked = unit()
    assert commands.put_unit(session, OPERATOR, asked).version == 1
    assert commands.put_unit(session, OPERATOR, asked).version == 1
    assert commands.put_unit(session, OPERATOR, asked.model_copy(update={"kind": "vehicle"})).version == 2


def test_a_unit_is_put_by_operators_of_its_area_and_officers_of_its_agency(session: Session) -> None:
    commands.put_unit(session, actor(Role.TOWN_OPERATOR, EAST, agency=OTHER), unit())
    commands.put_unit(session, actor(Role.AGENCY_OFFICER, WEST), unit())
    for stranger in (
        actor(Role.TOWN_OPERATOR, WEST, agency=OTHER),
        actor(Role.AGENCY_OFFICER, COUNTY, agency=OTHER),
        actor(Role.GRID_WORKER, COUNTY),
        OFFICER,
    ):
        with pytest.raises(NotAllowed):
            commands.put_unit(session, stranger, unit())


def test_a_unit_keeps_its_agency_and_a_closed_agency_gets_none(session: Session) -> None:
    asked = unit()
    commands.put_unit(session, OPERATOR, asked)
    with pytest.raises(UnitOfAnotherAgency):
        commands.put_unit(session, OPERATOR, asked.model_copy(update={"agency_id": OTHER}))
    closed = AgencyChanged(
        agency_id=OTHER, code="police.east", kind="police", parent_id=None, area_path=EAST, active=False
    )
    event = Event(closed, entity_id=OTHER, entity_version=1, area_path=EAST, occurred_at=NOW)
    reactions.agencies_changed(session, [event])
    with pytest.raises(AgencyInactive):
        commands.put_unit(session, OPERATOR, unit(agency_id=OTHER))


def test_a_shift_is_planned_started_and_ended_and_says_so(session: Session) -> None:
    shift = planned(session)
    shift = commands.move_shift(session, OFFICER, move(shift, "start"), clock=at(NOW + timedelta(minutes=1)))
    shift = commands.move_shift(session, OFFICER, move(shift, "end"), clock=at(NOW + timedelta(hours=2)))
    assert (shift.status, shift.version, shift.call_sign) == ("ended", 3, "平安1号")
    assert (shift.started_at, shift.ended_at) == (NOW + timedelta(minutes=1), NOW + timedelta(hours=2))
    said = events(session)
    assert [(key, version) for key, version, _ in said] == [
        ("patrol.shift.planned", 1),
        ("patrol.shift.started", 2),
        ("patrol.shift.ended", 3),
    ]
    assert said[-1][2]["areapath"] == EAST
    assert "平安" not in json.dumps(said, ensure_ascii=False)


def test_the_same_plan_again_changes_nothing_and_another_under_its_id_is_refused(session: Session) -> None:
    asked = unit()
    commands.put_unit(session, OPERATOR, asked)
    wanted = plan(asked.unit_id)
    first = commands.plan_shift(session, OFFICER, wanted, clock=at())
    assert commands.plan_shift(session, OFFICER, wanted, clock=at()) == first
    assert len(events(session)) == 1
    with pytest.raises(DuplicateShift):
        commands.plan_shift(session, OFFICER, wanted.model_copy(update={"duty": "school_post"}), clock=at())


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"planned_until": NOW}, ShiftTimes),
        ({"planned_until": NOW + timedelta(hours=25)}, ShiftTimes),
        ({"planned_from": NOW.replace(tzinfo=None)}, InvalidField),
        ({"unit_id": uuid4()}, UnknownUnit),
    ],
)
def test_an_impossible_plan_is_refused(session: Session, changes: dict[str, Any], refusal: type[Exception]) -> None:
    asked = unit()
    commands.put_unit(session, OPERATOR, asked)
    with pytest.raises(refusal):
        commands.plan_shift(session, OFFICER, plan(**{"unit_id": asked.unit_id, **changes}), clock=at())


def test_an_inactive_unit_gets_no_shift(session: Session) -> None:
    asked = unit(active=False)
    commands.put_unit(session, OPERATOR, asked)
    with pytest.raises(UnitInactive):
        commands.plan_shift(session, OFFICER, plan(asked.unit_id), clock=at())


def test_officers_move_their_own_agencys_shifts_and_strangers_do_not_see_them(session: Session) -> None:
    shift = planned(session)
    with pytest.raises(NotVisible):
        commands.move_shift(session, actor(Role.PATROL_OFFICER, WEST, agency=OTHER), move(shift, "start"), clock=at())
    with pytest.raises(NotAllowed):
        commands.move_shift(session, actor(Role.PATROL_OFFICER, EAST, agency=OTHER), move(shift, "start"), clock=at())
    with pytest.raises(NotVisible):
        commands.move_shift(session, OFFICER, MoveShift(shift_id=uuid4(), move="start", expected_version=1), clock=at())
    assert commands.move_shift(session, OPERATOR, move(shift, "cancel"), clock=at()).status == "cancelled"


def test_a_stale_move_is_refused_with_the_new_state(session: Session) -> None:
    shift = planned(session)
    commands.move_shift(session, OFFICER, move(shift, "start"), clock=at())
    with pytest.raises(StaleVersion) as refused:
        commands.move_shift(session, OFFICER, move(shift, "cancel"), clock=at())
    assert refused.value.extra["current"]["status"] == "started"


def test_an_illegal_move_names_the_legal_ones(session: Session) -> None:
    with pytest.raises(IllegalShiftMove) as refused:
        commands.move_shift(session, OFFICER, move(planned(session), "end"), clock=at())
    assert refused.value.extra["legal_moves"] == ["start", "cancel"]


def test_a_unit_has_one_started_shift(session: Session) -> None:
    first = planned(session)
    second = commands.plan_shift(session, OFFICER, plan(first.unit_id), clock=at())
    commands.move_shift(session, OFFICER, move(first, "start"), clock=at())
    with pytest.raises(UnitOnDuty) as refused:
        commands.move_shift(session, OFFICER, move(second, "start"), clock=at())
    assert refused.value.extra["shift_id"] == str(first.shift_id)


def test_a_shift_whose_time_is_over_does_not_start(session: Session) -> None:
    with pytest.raises(ShiftOver):
        commands.move_shift(session, OFFICER, move(planned(session), "start"), clock=at(NOW + timedelta(hours=5)))


def test_the_clock_ends_what_nobody_ended_once_with_the_time_that_was_due(session: Session) -> None:
    shift = planned(session)
    commands.move_shift(session, OFFICER, move(shift, "start"), clock=at())
    assert commands.end_overdue_shifts(session, clock=at(NOW + timedelta(hours=4, minutes=29))) == 0
    late = at(NOW + timedelta(hours=9))
    assert [commands.end_overdue_shifts(session, clock=late) for _ in range(2)] == [1, 0]
    key, version, body = events(session)[-1]
    assert (key, version) == ("patrol.shift.ended", 3)
    assert body["data"]["ended_at"] == "2026-05-01T12:30:00Z"


def test_announcing_gives_every_shift_as_it_is_now_in_chunks(session: Session) -> None:
    shifts = sorted((planned(session) for _ in range(3)), key=lambda shift: shift.shift_id)
    commands.move_shift(session, OFFICER, move(shifts[0], "start"), clock=at())
    first = commands.announce_shifts(session, None, None, 2)
    rest = commands.announce_shifts(session, None, first[-1].entity_id, 2)
    assert [(event.entity_id, event.entity_version) for event in [*first, *rest]] == [
        (shifts[0].shift_id, 2),
        (shifts[1].shift_id, 1),
        (shifts[2].shift_id, 1),
    ]
    assert first[0].data.type == "county.patrol.shift.started.v1"
    assert commands.announce_shifts(session, datetime.now(UTC) + timedelta(hours=1), None, 9) == []


def test_partitions_are_made_ahead_and_old_ones_forgotten(session: Session) -> None:
    today = datetime.now(UTC)
    reactions.make_partitions(session, clock=at(today))
    reactions.make_partitions(session, clock=at(today - timedelta(days=40)))

    def days() -> list[str]:
        return list(
            session.execute(
                text(
                    "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'patrol.positions'::regclass"
                    " ORDER BY 1"
                )
            ).scalars()
        )

    assert len(days()) == 8
    reactions.forget(session, clock=at(today))
    left = days()
    assert len(left) == 4
    assert left[0].endswith(f"{today - timedelta(days=1):%Y%m%d}")


def test_a_unit_put_twice_at_once_is_one_unit_and_a_shift_id_used_twice_at_once_is_refused(patrol: Engine) -> None:
    asked, other = unit(), unit()
    with ThreadPoolExecutor(1) as second:

        def meanwhile(use_case: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
            with transaction(patrol) as session:
                return use_case(session, OPERATOR, *arguments, **more)

        with transaction(patrol) as session:
            first = commands.put_unit(session, OPERATOR, asked)
            late = second.submit(meanwhile, commands.put_unit, asked)
            time.sleep(0.3)
            assert not late.done()
        assert late.result() == first
        meanwhile(commands.put_unit, other)
        wanted = plan(asked.unit_id)
        with transaction(patrol) as session:
            commands.plan_shift(session, OPERATOR, wanted, clock=at())
            late = second.submit(
                meanwhile, commands.plan_shift, wanted.model_copy(update={"unit_id": other.unit_id}), clock=at()
            )
            time.sleep(0.3)
        with pytest.raises(DuplicateShift):
            late.result()
