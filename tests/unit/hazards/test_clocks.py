"""The clocks of a case: where they run, stand still and end, and what they say when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.hazards.commands.stages import Amount, Stage, StageName, Stages, Unit
from contracts.hazards.states import State
from services.hazards.domain import clocks, workdays
from services.hazards.domain.clocks import Clock, Goes
from services.hazards.domain.machine import TABLE
from tests.unit.hazards.test_working_time import at

CALENDAR = workdays.calendar({})
STAGES = TypeAdapter(Stages)
S = State


def stage(name: str = "total", amount: float = 10, unit: str = "hours", **more: Any) -> Stage:
    return Stage.model_validate({"stage": name, "amount": amount, "unit": unit, **more})


AFTER_2, AFTER_5 = {"amount": 2, "unit": "hours"}, {"amount": 5, "unit": "hours"}
ESCALATED = stage(escalate=[{"after": AFTER_2, "to": "town"}, {"after": AFTER_5, "to": "county"}])


def hours(clock: Clock) -> list[tuple[str, float]]:
    """Its bells, in hours since it began."""
    return [(bell.name, (bell.at - clock.started_at) / timedelta(hours=1)) for bell in clock.bells]


def test_every_state_says_of_every_stage_whether_its_clock_runs() -> None:
    runs = {name: {state for state in State if clocks.goes(name, state) is Goes.RUNS} for name in StageName}
    assert runs[StageName.VERIFY] == {S.REPORTED}
    assert runs[StageName.ACCEPT] == {S.DISPATCHED}
    assert runs[StageName.HANDLE] == {S.DISPATCHED, S.ACCEPTED, S.HANDLING}
    assert runs[StageName.CHECK] == {S.HANDLED}
    assert runs[StageName.TOTAL] == set(State) - {S.SUSPENDED, S.MERGED, S.CLOSED, S.REFUSED, S.VOIDED}
    stands = {name: {state for state in State if clocks.goes(name, state) is Goes.STANDS} for name in StageName}
    assert stands[StageName.TOTAL] == {S.SUSPENDED, S.MERGED}
    assert stands[StageName.HANDLE] == {S.SUSPENDED, S.MERGED, S.REPORTED, S.VERIFIED, S.REGISTERED, S.HANDLED}


def test_bells_ring_at_the_shares_the_due_time_and_past_it() -> None:
    clock = clocks.start(CALENDAR, ESCALATED, at("2026-03-03 09:00"))
    expected = [("warn_50", 5), ("warn_80", 8), ("missed", 10), ("escalate_1", 12), ("escalate_2", 15)]
    assert hours(clock) == expected
    assert [bell.level for bell in clock.bells] == [None, None, None, "town", "county"]


def test_standing_still_moves_what_has_not_rung() -> None:
    begun = at("2026-03-03 09:00")
    clock = replace(clocks.start(CALENDAR, ESCALATED, begun), rung=1)
    paused = clocks.pause(clock, begun + timedelta(hours=6))
    assert paused.next_bell is None
    on = clocks.resume(CALENDAR, paused, begun + timedelta(hours=26))
    assert hours(on) == [("warn_50", 5), ("warn_80", 28), ("missed", 30), ("escalate_1", 32), ("escalate_2", 35)]
    assert on.original_due_at == clock.due_at
    assert on.next_bell is not None
    assert on.next_bell.name == "warn_80"


def test_what_came_before_the_pause_or_the_end_is_said_all_the_same() -> None:
    begun = at("2026-03-03 09:00")
    clock = clocks.start(CALENDAR, ESCALATED, begun)  # nobody rang in time
    for still in (clocks.pause(clock, begun + timedelta(hours=6)), clocks.end(clock, begun + timedelta(hours=6))):
        assert still.next_bell is not None
        assert still.next_bell.name == "warn_50"
        assert replace(still, rung=1).next_bell is None


def test_an_extension_says_again_only_what_is_still_to_come() -> None:
    begun = at("2026-03-03 09:00")
    clock = replace(clocks.start(CALENDAR, ESCALATED, begun), rung=3)  # missed, an hour ago
    more = clocks.extend(CALENDAR, clock, Amount(amount=10, unit=Unit.HOURS), begun + timedelta(hours=11))
    to_come = [("warn_80", 16), ("missed", 20), ("escalate_1", 22), ("escalate_2", 25)]
    assert hours(more) == [("warn_50", 5), ("warn_80", 8), ("missed", 10), *to_come]
    assert more.rung == 3
    assert more.edition == 1
    assert more.original_due_at == clock.due_at


def test_a_second_extension_does_not_say_again_what_the_first_left_out() -> None:
    begun = at("2026-03-03 09:00")
    clock = replace(clocks.start(CALENDAR, ESCALATED, begun), rung=1)
    for hour in (6, 7):
        clock = clocks.extend(CALENDAR, clock, Amount(amount=0.5, unit=Unit.HOURS), begun + timedelta(hours=hour))
    expected = [("warn_50", 5), ("warn_80", 8.8), ("missed", 11), ("escalate_1", 13), ("escalate_2", 16)]
    assert hours(clock) == expected
    assert [bell.edition for bell in clock.bells] == [0, 2, 2, 2, 2]


def test_another_category_counts_from_the_same_beginning() -> None:
    begun = at("2026-03-03 09:00")
    clock = replace(clocks.start(CALENDAR, ESCALATED, begun), rung=1)
    shorter = clocks.restage(CALENDAR, clock, stage(amount=4), begun + timedelta(hours=6))
    # Half of four hours is past and was said; the others are past too and were not.
    assert hours(shorter) == [("warn_50", 5), ("warn_80", 3.2), ("missed", 4)]
    assert clocks.restage(CALENDAR, clock, ESCALATED, begun) is clock


def test_a_return_and_a_check_hold_the_handling_up_and_a_failed_check_lets_it_go_on() -> None:
    stages = {name: stage(name) for name in StageName}
    now, known = at("2026-03-02 09:00"), dict[StageName, Clock]()
    states: list[tuple[State, dict[str, str]]] = [
        (S.REPORTED, {"verify": "runs", "total": "runs"}),
        (S.REGISTERED, {"verify": "ended", "total": "runs"}),
        (S.DISPATCHED, {"verify": "ended", "accept": "runs", "handle": "runs", "total": "runs"}),
        (S.REGISTERED, {"verify": "ended", "accept": "ended", "handle": "stands", "total": "runs"}),
        (S.DISPATCHED, {"verify": "ended", "accept": "runs", "handle": "runs", "total": "runs"}),
        (S.HANDLING, {"verify": "ended", "accept": "ended", "handle": "runs", "total": "runs"}),
        (S.SUSPENDED, {"verify": "ended", "accept": "ended", "handle": "stands", "total": "stands"}),
        (S.HANDLING, {"verify": "ended", "accept": "ended", "handle": "runs", "total": "runs"}),
        (S.HANDLED, {"verify": "ended", "accept": "ended", "handle": "stands", "check": "runs", "total": "runs"}),
        (S.HANDLING, {"verify": "ended", "accept": "ended", "handle": "runs", "check": "ended", "total": "runs"}),
        (S.HANDLED, {"verify": "ended", "accept": "ended", "handle": "stands", "check": "runs", "total": "runs"}),
        (S.CHECKED, {"verify": "ended", "accept": "ended", "handle": "ended", "check": "ended", "total": "runs"}),
        (S.CLOSED, dict.fromkeys(("verify", "accept", "handle", "check", "total"), "ended")),
    ]
    for state, expected in states:
        for clock in clocks.follow(CALENDAR, list(known.values()), stages, state, now):
            known[clock.stage] = clock
        ways = {
            name.value: "ended" if not clock.live else "stands" if clock.paused_at else "runs"
            for name, clock in known.items()
        }
        assert ways == expected, state
        now += timedelta(hours=1)
    assert {name.value: clock.round for name, clock in known.items()} == {
        "verify": 1, "accept": 2, "handle": 1, "check": 2, "total": 1,
    }  # fmt: skip
    # Three hours at work before the first check, and two of five between: returned, suspended, checked twice.
    assert known[StageName.HANDLE].due_at == known[StageName.HANDLE].started_at + timedelta(hours=10 + 3)


def test_a_move_that_leaves_the_state_starts_no_clock_anew() -> None:
    stages = {name: stage(name) for name in StageName}
    begun = clocks.follow(CALENDAR, [], stages, S.DISPATCHED, at("2026-03-02 09:00"))
    assert clocks.follow(CALENDAR, begun, stages, S.DISPATCHED, at("2026-03-02 10:00")) == []
    again = clocks.follow(
        CALENDAR, begun, stages, S.DISPATCHED, at("2026-03-02 10:00"), again=frozenset({StageName.ACCEPT})
    )
    assert [(clock.stage, clock.round, clock.live) for clock in again] == [
        (StageName.ACCEPT, 1, False),
        (StageName.ACCEPT, 2, True),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        [],
        [{"stage": "accept", "amount": 4, "unit": "hours"}],
        [{"stage": "total", "amount": 4, "unit": "hours"}] * 2,
        [{"stage": "total", "amount": 0, "unit": "hours"}],
        [{"stage": "total", "amount": float("nan"), "unit": "hours"}],
        [{"stage": "total", "amount": 0.5, "unit": "working_days"}],
        [{"stage": "total", "amount": 800, "unit": "working_days"}],
        [{"stage": "total", "amount": 4, "unit": "weeks"}],
        [{"stage": "total", "amount": 4, "unit": "hours", "warn": [80, 50]}],
        [{"stage": "total", "amount": 4, "unit": "hours", "warn": [50, 50]}],
        [{"stage": "total", "amount": 4, "unit": "hours", "warn": [100]}],
        [
            {
                "stage": "total",
                "amount": 4,
                "unit": "hours",
                "escalate": [
                    {"after": {"amount": 1, "unit": "hours"}, "to": "county"},
                    {"after": {"amount": 2, "unit": "hours"}, "to": "town"},
                ],
            }
        ],
    ],
)
def test_stages_that_make_no_sense_are_refused(bad: list[dict[str, Any]]) -> None:
    with pytest.raises(ValidationError):
        STAGES.validate_python(bad)


UNITS = st.sampled_from(list(Unit))
STEPS = st.lists(
    st.tuples(st.sampled_from(["pause", "resume", "extend", "ring", "restage"]), st.integers(1, 72)), max_size=12
)


@given(UNITS, st.integers(1, 20), STEPS)
def test_bells_come_in_order_none_is_lost_and_the_due_time_only_moves_on(
    unit: Unit, amount: int, steps: list[tuple[str, int]]
) -> None:
    policy = ESCALATED.model_copy(update={"amount": float(amount), "unit": unit})
    now: datetime = at("2026-02-10 10:20")
    clock, said = clocks.start(CALENDAR, policy, now), list[tuple[int, str]]()
    for step, hours_ in steps:
        now += timedelta(hours=hours_)
        due, rung = clock.due_at, clock.bells[: clock.rung]
        if step == "pause":
            clock = clocks.pause(clock, now)
        elif step == "resume":
            clock = clocks.resume(CALENDAR, clock, now)
        elif step == "extend":
            clock = clocks.extend(CALENDAR, clock, Amount(amount=1, unit=Unit.WORKING_DAYS), now)
        elif step == "restage":
            policy = policy.model_copy(update={"amount": policy.amount + 1})
            clock = clocks.restage(CALENDAR, clock, policy, now)
        while step == "ring" and (bell := clock.next_bell) is not None and bell.at <= now:
            said.append((bell.edition, bell.name))
            clock = replace(clock, rung=clock.rung + 1)
        assert clock.bells[: clock.rung][: len(rung)] == rung
        assert step == "restage" or clock.due_at >= due
        current = [bell for bell in clock.bells if bell.edition == clock.edition and bell.at > clock.started_at]
        assert all(one.at <= other.at for one, other in pairwise(current))
        assert [bell.name for bell in clock.bells if bell.name.startswith(("missed", "escalate"))]
    assert len(said) == len(set(said))


def test_every_way_into_a_resting_state_is_known_here() -> None:
    targets = {target for rule in TABLE.values() for target in (*rule.targets.values(), *rule.others)}
    assert targets <= set(State)
