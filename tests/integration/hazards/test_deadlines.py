"""Clocks of several stages on real PostGIS: following moves, ringing once, extended, suspended, escalated."""

from __future__ import annotations

import runpy
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from backbone.database import Session, engine, from_json, to_json, transaction
from contracts.hazards.commands import Case, PutCalendarDays
from contracts.refusals import NotAllowed
from services.hazards import clocks, commands, deadlines, queries
from tests.architecture.rooms import ROOT
from tests.integration.hazards.town import Clock, Town
from tests.servers import Database

FACTS = ("deadline_warned", "deadline_missed", "deadline_escalated", "dispatch_unacknowledged")
DUES = ("original_due_at", "due_at")
CATEGORY = "fire.charging"  # the fire brigade's, everywhere


def stage(name: str, amount: float, unit: str = "hours", **more: Any) -> dict[str, Any]:
    return {"stage": name, "amount": amount, "unit": unit, "warn": [50, 80], "escalate": []} | more


TOTAL = stage("total", 10)
LADDER = [
    {"after": {"amount": 1, "unit": "hours"}, "to": "town"},
    {"after": {"amount": 3, "unit": "hours"}, "to": "county"},
]


def staged(town: Town, *stages: dict[str, Any], category: str = CATEGORY) -> None:
    """The category's time from now on."""
    town.session.execute(
        text("UPDATE hazards.categories SET stages = CAST(:stages AS jsonb) WHERE code = :code"),
        {"stages": to_json(stages), "code": category},
    )


def ring(town: Town) -> int:
    return deadlines.ring(town.session, clock=town.clock)


def said(town: Town, case: Case) -> list[str]:
    """What was said of a case's time: fact, stage, and the share or depth."""
    told = []
    for event in town.events(case):
        fact, data = event["type"].split(".")[3], event["data"]
        if fact in FACTS:
            told.append(f"{fact} {data['stage']} {data.get('depth') or data['percent']}")
    return told


def fresh(town: Town, case: Case) -> Case:
    """The case as it stands after the clock spoke."""
    row = town.now(case)
    return case.model_copy(update={"version": row["version"], "state": row["state"]})


def clock_of(town: Town, case: Case, name: str) -> dict[str, Any]:
    """The newest round of a stage, as GET shows it."""
    query = queries.case_by_id(town.centre.scope, case.case_id)
    body = from_json(town.session.execute(query.build(), query.parameters).scalar_one())
    return [each for each in body["clocks"] if each["stage"] == name][-1]


def handling(town: Town) -> Case:
    case = town.dispatched()
    for move in ("accept", "start"):
        case = town.move(case, move, town.fire)
    return case


def test_shares_the_miss_and_each_level_are_said_once_and_in_order(town: Town) -> None:
    staged(town, stage("total", 10, escalate=LADDER))
    town.session.execute(text("UPDATE hazards.cases SET level = 'village'"))
    case = town.report()
    town.session.execute(text("UPDATE hazards.cases SET level = 'village' WHERE id = :id"), {"id": case.case_id})
    heard = []
    for hours in (4.9, 0.2, 3, 2, 1, 2, 100):
        town.clock.forward(hours=hours)
        heard.append((ring(town), ring(town)))
    assert heard == [(0, 0), (1, 0), (1, 0), (1, 0), (1, 0), (1, 0), (0, 0)]
    assert said(town, case) == [
        "deadline_warned total 50",
        "deadline_warned total 80",
        "deadline_missed total 100",
        "deadline_escalated total 1",
        "deadline_escalated total 2",
    ]
    first, second = town.events(case)[-2:]
    assert [first["data"]["level"], second["data"]["level"]] == ["town", "county"]
    assert second["data"]["overdue"]
    rows = town.history(case)
    assert [row["move"] for row in rows][-2:] == ["escalate_deadline"] * 2
    assert rows[-1]["after"] == {
        "level": "county", "stage": "total", "round": 1, "edition": 0, "depth": 2, "escalated_to": "county",
    }  # fmt: skip
    assert rows[-1]["reason"].startswith("total: past due")
    assert town.now(case)["level"] == "county"


def test_an_escalation_never_takes_a_case_from_the_county_back_to_the_town(town: Town) -> None:
    staged(town, stage("total", 1, escalate=LADDER[:1]))
    case = town.report()
    town.session.execute(text("UPDATE hazards.cases SET level = 'county' WHERE id = :id"), {"id": case.case_id})
    town.clock.forward(hours=10)
    ring(town)
    assert town.now(case)["level"] == "county"


def test_what_fell_due_while_nobody_ran_is_said_late_and_in_order(town: Town) -> None:
    staged(town, TOTAL)
    case = town.report()
    town.clock.forward(days=10)
    assert ring(town) == 3
    assert said(town, case) == ["deadline_warned total 50", "deadline_warned total 80", "deadline_missed total 100"]


def test_a_category_without_stages_keeps_its_hours_and_its_one_warning(town: Town) -> None:
    staged(town)
    town.session.execute(text(f"UPDATE hazards.categories SET handle_hours = 48 WHERE code = '{CATEGORY}'"))
    case = town.report()
    town.clock.forward(hours=38.39)
    assert ring(town) == 0
    town.clock.forward(minutes=2)
    assert ring(town) == 1
    town.clock.forward(hours=10)
    assert ring(town) == 1
    assert said(town, case) == ["deadline_warned total 80", "deadline_missed total 100"]


def test_a_case_at_rest_has_no_deadline_and_a_reopened_one_has_its_own(town: Town) -> None:
    staged(town, TOTAL)
    case = town.move(town.report(), "refuse", reason="不属实")
    town.clock.forward(days=10)
    assert ring(town) == 0
    case = town.move(case, "reopen", reason="属实")
    assert clock_of(town, case, "total")["round"] == 2
    town.clock.forward(days=10)
    assert ring(town) == 3
    town.move(fresh(town, case), "void", reason="测试")


def test_what_was_due_before_the_close_is_said_after_it(town: Town) -> None:
    staged(town, TOTAL)
    case = town.report()
    town.clock.forward(hours=6)
    town.move(case, "refuse", reason="不属实")
    town.clock.forward(days=1)
    assert ring(town) == 1
    assert said(town, case) == ["deadline_warned total 50"]
    assert not town.events(case)[-1]["data"]["overdue"]


def test_a_dispatch_nobody_takes_is_told_to_the_centres_once_per_dispatch(town: Town) -> None:
    staged(town, stage("accept", 4, warn=[]), stage("total", 1000))
    case = town.dispatched()
    town.clock.forward(hours=4)
    assert [ring(town), ring(town)] == [1, 0]
    case = town.move(fresh(town, case), "return", town.fire, reason="非本单位")
    assert case.body["accept_due_at"] is None
    case = town.move(case, "dispatch")
    assert case.body["unacknowledged_at"] is None
    town.clock.forward(hours=5)
    assert ring(town) == 1
    assert said(town, case) == ["dispatch_unacknowledged accept 100"] * 2
    assert [each["data"]["round"] for each in town.events(case) if "unack" in each["type"]] == [1, 2]


def test_an_accepted_dispatch_is_quiet(town: Town) -> None:
    staged(town, stage("accept", 4), stage("total", 1000))
    town.move(town.dispatched(), "accept", town.fire)
    town.clock.forward(hours=5)
    assert ring(town) == 0


def test_every_stage_has_its_own_clock(town: Town) -> None:
    staged(town, *(stage(name, 10, warn=[]) for name in ("verify", "accept", "handle", "check", "total")))
    town.clock.now = datetime(2026, 3, 3, 1, tzinfo=UTC)
    case = town.report()
    town.clock.forward(hours=1)
    case = town.move(case, "verify")
    assert clock_of(town, case, "verify")["state"] == "ended"
    for move, by in (("register", None), ("dispatch", None), ("accept", town.fire), ("start", town.fire)):
        case = town.move(case, move, by)
    town.clock.forward(hours=2)
    case = town.move(case, "finish", town.fire)
    assert clock_of(town, case, "handle")["state"] == "paused"
    assert clock_of(town, case, "check")["due_at"] == "2026-03-03T14:00:00.000000Z"
    town.clock.forward(hours=5)
    case = town.move(case, "fail_check", town.north, reason="未整改")
    again = clock_of(town, case, "handle")
    assert (again["state"], again["round"]) == ("running", 1)
    assert again["original_due_at"] == "2026-03-03T12:00:00.000000Z"
    assert again["due_at"] == "2026-03-03T17:00:00.000000Z"
    assert again["pauses"] == [["2026-03-03T04:00:00.000000Z", "2026-03-03T09:00:00.000000Z"]]
    for move, by in (("finish", town.fire), ("pass_check", town.north), ("close", town.centre)):
        case = town.move(case, move, by)
    assert {each["state"] for each in case.body["clocks"]} == {"ended"}


def test_another_category_counts_from_the_report_and_says_again_only_what_is_to_come(town: Town) -> None:
    staged(town, TOTAL)
    staged(town, stage("total", 30), category="fire.electrical")
    case = town.report()
    town.clock.forward(hours=11)
    assert ring(town) == 3
    case = town.move(fresh(town, case), "recategorise", reason="类别有误", category="fire.electrical")
    assert case.body["due_at"] == clock_of(town, case, "total")["original_due_at"]
    assert (case.body["overdue"], case.body["warned_at"]) == (False, None)
    town.clock.forward(hours=20)
    assert ring(town) == 3
    assert said(town, case)[3:] == ["deadline_warned total 50", "deadline_warned total 80", "deadline_missed total 100"]


def test_a_running_case_keeps_the_time_it_was_given(town: Town) -> None:
    staged(town, TOTAL)
    case = town.report()
    staged(town, stage("total", 1), stage("verify", 1))
    case = town.move(case, "verify")
    assert [each["amount"] for each in case.body["clocks"]] == [10]


def test_a_case_shows_its_clocks_and_how_much_of_them_is_used(town: Town) -> None:
    staged(town, stage("verify", 2), stage("total", 3, "working_days", escalate=LADDER))
    town.clock.now = datetime(2026, 2, 12, 2, tzinfo=UTC)
    case = town.report(source="public")
    query = queries.case_by_id(town.centre.scope, case.case_id)
    assert case.body == from_json(town.session.execute(query.build(), query.parameters).scalar_one())
    total, verify = case.body["clocks"]
    assert (verify["stage"], verify["unit"], verify["state"]) == ("verify", "hours", "running")
    assert total["due_at"] == case.body["due_at"] == "2026-02-24T09:30:00.000000Z"
    assert [bell["bell"] for bell in total["bells"]] == ["warn_50", "warn_80", "missed", "escalate_1", "escalate_2"]
    town.clock.now = datetime(2026, 2, 20, 2, tzinfo=UTC)  # in the festival: 19.5 of 26.5 hours
    query = queries.case_clocks_now(town.centre.scope, case.case_id)
    bodies = town.session.execute(query.build(), query.parameters).scalars().all()
    shown = queries.shares(bodies, clocks.calendar(town.session), town.clock())
    assert {each["stage"]: each["share"] for each in shown}["total"] == round(19.5 / 26.5, 4)


def test_the_countys_own_days_count_at_once(town: Town) -> None:
    staged(town, stage("total", 1, "working_days"))
    town.clock.now = datetime(2027, 2, 4, 2, tzinfo=UTC)  # a Thursday of a year that no notice tells of
    assert town.report().body["due_at"] == "2027-02-05T09:30:00.000000Z"
    days = [{"day": "2027-02-05", "working": False, "name": "除夕"}, {"day": "2027-02-06", "working": True, "name": ""}]
    asked = PutCalendarDays.model_validate({"year": 2027, "days": days})
    with pytest.raises(NotAllowed):
        commands.put_calendar_days(town.session, town.north, asked, clock=town.clock)
    put = commands.put_calendar_days(town.session, town.centre, asked, clock=town.clock)
    assert (put.version, len(put.days)) == (1, 2)
    assert town.report().body["due_at"] == "2027-02-06T09:30:00.000000Z"
    rows = town.session.execute(queries.calendar_days(town.centre.scope).build()).mappings().all()
    shown = queries.calendar_json(rows, 2027, town.clock().date())
    assert (shown["known"], shown["days"][0]["from"], shown["unknown_years"]) == (True, "county", [2028])
    again = PutCalendarDays.model_validate({"year": 2027, "days": []})
    assert commands.put_calendar_days(town.session, town.centre, again, clock=town.clock).version == 2
    assert town.report().body["due_at"] == "2027-02-05T09:30:00.000000Z"


def test_a_changed_calendar_moves_what_is_to_come_and_nothing_that_was_said(town: Town) -> None:
    staged(town, stage("total", 4, "working_days"))
    staged(town, TOTAL, category="fire.electrical")
    town.clock.now = datetime(2027, 2, 2, 2, tzinfo=UTC)  # a Tuesday of a year that no notice tells of
    case, hourly = town.report(), town.report(category="fire.electrical")
    assert case.body["due_at"] == "2027-02-08T09:30:00.000000Z"
    assert deadlines.recount(town.session, clock=town.clock) == 0
    town.clock.forward(days=2, hours=7)  # half is past
    assert ring(town) == 1 + 3
    days = [
        {"day": "2027-02-05", "working": False, "name": "除夕"},
        {"day": "2027-02-08", "working": False, "name": "春节"},
    ]
    asked = PutCalendarDays.model_validate({"year": 2027, "days": days})
    commands.put_calendar_days(town.session, town.centre, asked, clock=town.clock)
    assert [deadlines.recount(town.session, clock=town.clock) for _ in range(2)] == [1, 0]
    total = clock_of(town, case, "total")
    assert total["due_at"] == "2027-02-10T09:30:00.000000Z"
    assert [bell["rung"] for bell in total["bells"]] == [True, False, False]
    assert town.events(case)[-1]["type"] == "county.hazards.case.deadline_recounted.v1"
    assert town.events(case)[-1]["data"]["due_at"] == "2027-02-10T09:30:00Z"
    assert town.history(case)[-1]["move"] == "recount_deadline"
    assert town.now(hourly)["version"] == 4  # its three bells, and nothing of a calendar
    town.clock.forward(days=30)
    assert ring(town) == 2
    again = PutCalendarDays.model_validate({"year": 2027, "days": []})
    commands.put_calendar_days(town.session, town.centre, again, clock=town.clock)
    assert deadlines.recount(town.session, clock=town.clock) == 1
    assert ring(town) == 0


def test_two_replicas_at_once_say_everything_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINGAN_COUNTY_CODE", "330499")
    clock, bind = Clock(), engine(database.url("hazards_app"))
    with transaction(bind) as session:
        town = Town(session, clock)
        town.publish(1)
        staged(town, stage("verify", 5), stage("total", 10, escalate=LADDER))
        for _ in range(40):
            town.report()
    clock.forward(days=3)

    def replica(_: int) -> int:
        rung = 0
        for _ in range(40):
            with transaction(bind) as session:
                rung += deadlines.ring(session, clock=clock, chunk=7)
        return rung

    with ThreadPoolExecutor(4) as replicas:
        assert sum(replicas.map(replica, range(4))) == 40 * 8
    with transaction(bind) as session:
        counted = session.execute(
            text("SELECT type, count(*), count(DISTINCT entity_id) FROM outbox WHERE type ~ 'deadline' GROUP BY 1")
        ).all()
    bind.dispose()
    assert sorted(tuple(row) for row in counted) == [
        ("county.hazards.case.deadline_escalated.v1", 80, 40),
        ("county.hazards.case.deadline_missed.v1", 80, 40),
        ("county.hazards.case.deadline_warned.v1", 160, 40),
    ]


def test_a_bell_finds_its_clock_by_an_index(session: Session) -> None:
    session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = session.execute(
        text("EXPLAIN SELECT case_id FROM hazards.case_clocks WHERE next_at <= now() ORDER BY next_at LIMIT 500")
    )
    assert "case_clocks_to_ring" in "\n".join(str(row[0]) for row in plan)


def test_open_cases_of_before_get_the_clocks_their_columns_told_of(town: Town) -> None:
    staged(town)
    town.session.execute(
        text(f"UPDATE hazards.categories SET handle_hours = 10, accept_hours = 2 WHERE code = '{CATEGORY}'")
    )
    warned, dispatched = town.report(), town.dispatched()
    closed = town.move(town.report(), "refuse", reason="不属实")
    town.clock.forward(hours=8.5)
    ring(town)
    before = [clock_of(town, case, name) for case, name in ((warned, "total"), (dispatched, "accept"))]
    town.session.execute(text("DELETE FROM hazards.case_clocks"))
    migration = runpy.run_path(str(ROOT / "services/hazards/migrations/versions/0007_expand_clocks.py"))
    town.session.execute(text(migration["CLOCKS"]))
    after = [clock_of(town, case, name) for case, name in ((warned, "total"), (dispatched, "accept"))]
    for one, other in zip(before, after, strict=True):
        assert {**one, "round": 1} == {**other, "round": 1}
    assert ring(town) == 0
    town.clock.forward(hours=5)
    assert ring(town) == 2  # both totals; the dispatch had been said
    town.move(fresh(town, dispatched), "accept", town.fire)
    count = text("SELECT count(*) FROM hazards.case_clocks WHERE case_id = :id")
    assert town.session.execute(count, {"id": closed.case_id}).scalar_one() == 0
