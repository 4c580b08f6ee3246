"""More time, and time that stands still: extensions and suspensions on real PostGIS."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from contracts.hazards.errors import ExtensionOver, MissingMoveField, NoExtensionLeft
from contracts.refusals import InvalidField, NotAllowed, Refusal
from services.hazards import deadlines
from tests.integration.hazards.test_deadlines import (
    TOTAL,
    clock_of,
    fresh,
    handling,
    ring,
    said,
    stage,
    staged,
)
from tests.integration.hazards.town import Clock, Town


def test_a_suspended_case_is_not_late_and_goes_on_by_itself_once(town: Town) -> None:
    staged(town, TOTAL)
    case = handling(town)
    town.clock.forward(hours=6)
    assert ring(town) == 1
    until = town.clock() + (datetime(2026, 3, 3, tzinfo=UTC) - datetime(2026, 3, 1, tzinfo=UTC))
    case = town.move(fresh(town, case), "suspend", reason="等待检测报告", until=until)
    town.clock.forward(hours=47)
    assert (ring(town), deadlines.resume(town.session, clock=town.clock)) == (0, 0)
    assert not case.body["overdue"]
    town.clock.forward(hours=2)  # an hour late
    assert [deadlines.resume(town.session, clock=town.clock) for _ in range(2)] == [1, 0]
    row = town.now(case)
    assert (row["state"], row["suspended_until"]) == ("handling", None)
    assert town.history(case)[-1]["move"] == "resume"
    assert town.history(case)[-1]["account_id"] is None
    assert town.events(case)[-1]["type"] == "county.hazards.case.resumed.v1"
    assert clock_of(town, case, "total")["pauses"][0][1] == f"{until:%Y-%m-%dT%H:%M:%S.%f}Z"
    town.clock.forward(hours=2.9)  # ten hours and two days after the report, less six minutes
    assert ring(town) == 1
    town.clock.forward(minutes=7)
    assert ring(town) == 1
    assert said(town, case)[-1] == "deadline_missed total 100"


def test_a_suspension_may_be_ended_by_hand_and_ends_in_the_future(town: Town) -> None:
    case = handling(town)
    with pytest.raises(InvalidField, match="passed"):
        town.move(case, "suspend", reason="等待", until=town.clock())
    case = town.move(case, "suspend", reason="等待", until=town.clock().replace(year=2027))
    case = town.move(case, "resume", town.fire)
    assert case.state == "handling"
    town.clock.forward(days=400)
    assert deadlines.resume(town.session, clock=town.clock) == 0


def test_more_time_is_asked_for_granted_and_counted(town: Town) -> None:
    staged(town, stage("handle", 1, "working_days"), stage("total", 2, "working_days"))
    town.clock.now = datetime(2026, 2, 12, 2, tzinfo=UTC)  # Thursday before Spring Festival, 10:00
    case = handling(town)
    case = town.move(case, "request_extension", town.fire, reason="需更换设备", working_days=2)
    assert case.body["extension_pending"]
    with pytest.raises(Refusal, match="request for more time"):
        town.move(case, "request_extension", town.fire, reason="再次", working_days=2)
    case = town.move(case, "grant_extension", town.centre, note="同意")
    assert (case.body["extensions"], case.body["extension_pending"]) == (1, False)
    handle, total = clock_of(town, case, "handle"), clock_of(town, case, "total")
    # The 13th, then the working Saturday 14th and, after the festival, the 24th; two more days of the whole likewise.
    assert (handle["original_due_at"], handle["due_at"]) == (
        "2026-02-13T09:30:00.000000Z",
        "2026-02-24T09:30:00.000000Z",
    )
    assert (total["original_due_at"], total["due_at"]) == ("2026-02-14T09:30:00.000000Z", "2026-02-25T09:30:00.000000Z")
    assert case.body["due_at"] == total["due_at"]
    (asked,) = case.body["extension_requests"]
    assert (asked["decision"], asked["due_before"], asked["due_after"]) == (
        "granted", handle["original_due_at"], handle["due_at"],
    )  # fmt: skip
    with pytest.raises(NoExtensionLeft):
        town.move(case, "request_extension", town.fire, reason="再次", working_days=2)


def test_a_missed_deadline_that_is_extended_may_be_missed_again(town: Town) -> None:
    staged(town, TOTAL)
    case = handling(town)
    town.clock.forward(hours=11)
    assert ring(town) == 3
    case = town.move(fresh(town, case), "request_extension", town.fire, reason="需更换设备", until=in_(town, hours=9))
    assert case.body["overdue"]
    case = town.move(case, "grant_extension")
    assert (case.body["overdue"], case.body["missed_at"]) == (False, None)
    town.clock.forward(hours=10)
    assert ring(town) == 2
    assert said(town, case)[3:] == ["deadline_warned total 80", "deadline_missed total 100"]


def in_(town: Town, **step: float) -> datetime:
    there = Clock()
    there.now = town.clock.now
    there.forward(**step)
    return there.now


def test_who_asks_for_more_time_says_how_much_and_reasonably(town: Town) -> None:
    staged(town, TOTAL)
    case = handling(town)
    with pytest.raises(MissingMoveField):
        town.move(case, "request_extension", town.fire, reason="需要时间")
    for wrong in (
        {"until": in_(town, hours=30), "working_days": 2},
        {"until": in_(town, hours=9)},
        {"until": in_(town, days=2000)},
    ):
        with pytest.raises(InvalidField):
            town.move(case, "request_extension", town.fire, reason="需要时间", **wrong)
    with pytest.raises(NotAllowed):
        town.move(case, "request_extension", town.centre, reason="需要时间", working_days=1)
    case = town.move(case, "request_extension", town.fire, reason="需要时间", until=in_(town, hours=12))
    with pytest.raises(NotAllowed):
        town.move(case, "grant_extension", town.fire)
    town.clock.forward(hours=13)
    with pytest.raises(ExtensionOver):
        town.move(case, "grant_extension")
    case = town.move(case, "refuse_extension", reason="已逾期")
    assert case.body["extension_requests"][0]["decision"] == "refused"
    assert not case.body["extension_pending"]


def test_a_request_lapses_when_the_work_ends(town: Town) -> None:
    case = town.move(handling(town), "request_extension", town.fire, reason="需要时间", working_days=1)
    case = town.move(case, "finish", town.fire)
    assert not case.body["extension_pending"]
    case = town.move(case, "fail_check", town.north, reason="未整改")
    case = town.move(case, "request_extension", town.fire, reason="需要时间", working_days=1)
    assert [each["decision"] for each in case.body["extension_requests"]] == ["lapsed", None]
