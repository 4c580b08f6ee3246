"""Duplicates: the hint, merging, the way back; no report is lost, whatever the order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from backbone.database import engine
from contracts.hazards.commands import Case, LinkExternalRef
from contracts.hazards.commands.lists import CaseFilter
from contracts.hazards.errors import IllegalMove, MergeTargetEnded, MergeWouldReveal, UnknownMergeTarget
from contracts.refusals import InvalidField, NotAllowed, Refusal, StaleVersion
from contracts.scope import Scope
from services.hazards import commands, queries
from tests.integration.hazards.test_reading import ids, read
from tests.integration.hazards.town import NORTH_EAST, NORTH_WEST, PHOTO, SOUTH_WEST, Town, agency_id
from tests.servers import cloned_database

LON, LAT = NORTH_WEST
METRE = 1 / 96_300


def merge(town: Town, case: Case, into: Case, by: Any = None) -> Case:
    return town.move(case, "merge", by, into_case_id=into.case_id, expected_version=town.now(case)["version"])


def unmerge(town: Town, case: Case, by: Any = None) -> Case:
    return town.move(case, "unmerge", by, reason="不是同一件事", expected_version=town.now(case)["version"])


def whole(town: Town, case: Case) -> Any:
    return read(town.session, queries.case_by_id(town.centre.scope, case.case_id))[0]


def test_a_merged_case_rests_in_the_other_which_counts_and_shows_it(town: Town) -> None:
    case = town.dispatched()
    twin = town.report(photo=PHOTO, external_refs=[{"system": "hotline", "id": "7"}])
    merged = merge(town, twin, case)
    assert (merged.state, merged.body["merged_into_id"]) == ("merged", str(case.case_id))
    assert merged.body["rests_in"]["state"] == "dispatched"
    into = whole(town, case)
    assert (into["reports"], into["version"]) == (2, case.version + 1)
    (shown,) = into["merged"]
    assert (shown["case_id"], shown["external_refs"]) == (str(twin.case_id), [{"system": "hotline", "id": "7"}])
    assert shown["photos"][0]["blob"] == PHOTO["blob"]
    assert town.history(case)[-1]["move"] == "join"
    assert [event["type"].split(".")[3] for event in town.events(twin)] == ["reported", "merged"]
    assert town.events(twin)[-1]["data"]["exact_state"] == "merged"
    assert town.events(case)[-1]["type"] == "county.hazards.case.joined.v1"


def test_a_look_up_by_the_merged_ones_reference_says_where_it_rests(town: Town) -> None:
    case, twin = town.report(), town.report(external_refs=[{"system": "hotline", "id": "7"}])
    merge(town, twin, case)
    (found,) = read(
        town.session, queries.case_list(town.centre.scope, CaseFilter(external_system="hotline", external_id="7"))
    )
    assert (found["state"], found["merged_into_id"]) == ("merged", str(case.case_id))
    link = LinkExternalRef(case_id=twin.case_id, system="hotline", id="8")
    assert len(commands.link_external_ref(town.session, town.centre, link, clock=town.clock).body["external_refs"]) == 2


def test_who_reported_the_merged_one_sees_and_hears_of_the_one_that_goes_on(town: Town) -> None:
    case, twin = town.dispatched(), town.report(town.south)
    south = Scope(areas=(), agency_id=agency_id("south_centre"))
    assert not ids(town.session, queries.case_by_id(south, case.case_id))
    merge(town, twin, case)
    assert read(town.session, queries.case_by_id(south, case.case_id))
    assert read(town.session, queries.case_by_id(south, twin.case_id))[0]["rests_in"]["case_no"] == case.body["case_no"]
    assert town.events(case)[-1]["data"]["joined_agency_ids"] == [str(agency_id("south_centre"))]
    unmerge(town, twin)
    assert not read(town.session, queries.case_by_id(south, case.case_id))
    assert town.events(case)[-1]["data"]["joined_agency_ids"] == []


def test_unmerging_gives_back_what_was_only_reported_and_registers_the_rest(town: Town) -> None:
    into = town.dispatched()
    reported = town.report()
    verified = town.move(town.report(), "verify")
    dispatched = town.dispatched()
    for twin, state in ((reported, "reported"), (verified, "verified"), (dispatched, "registered")):
        merge(town, twin, into)
        back = unmerge(town, twin)
        assert (back.state, back.body["merged_into_id"], back.body["rests_in"]) == (state, None, None)
        assert back.body["lead_agency_id"] is None
    assert whole(town, into)["reports"] == 1
    assert dispatched.body["lead_agency_id"] in whole(town, dispatched)["former_agency_ids"]


def test_a_chain_is_followed_to_its_end_and_counted_all_the_way(town: Town) -> None:
    first, second, third = town.report(), town.report(), town.report()
    merge(town, first, second)
    merge(town, second, third)
    assert whole(town, third)["reports"] == 3
    assert whole(town, first)["rests_in"]["case_id"] == str(third.case_id)
    unmerge(town, first)
    assert [whole(town, case)["reports"] for case in (first, second, third)] == [1, 1, 2]


def test_merges_in_a_circle_into_itself_or_into_what_has_ended_are_refused(town: Town) -> None:
    case, twin = town.report(), town.report()
    with pytest.raises(InvalidField):
        merge(town, case, case)
    merge(town, case, twin)
    with pytest.raises(MergeTargetEnded) as refused:
        merge(town, twin, case)
    assert refused.value.extra == {"state": "merged", "merged_into_id": str(twin.case_id)}
    with pytest.raises(MergeTargetEnded):
        merge(town, twin, town.move(town.report(), "refuse", reason="重复"))
    with pytest.raises(IllegalMove):
        merge(town, town.handled(town.fire), twin)


def test_one_merges_only_into_what_one_sees_and_operates(town: Town) -> None:
    case, southern = town.report(), town.report(town.centre, at=SOUTH_WEST)
    with pytest.raises(UnknownMergeTarget):
        merge(town, case, southern, town.north)
    with pytest.raises(UnknownMergeTarget):
        town.move(case, "merge", town.north, into_case_id=uuid4())
    seen_by_part = town.report(town.north, at=SOUTH_WEST)
    with pytest.raises(NotAllowed):
        merge(town, case, seen_by_part, town.north)
    with pytest.raises(NotAllowed):
        merge(town, case, town.report(), town.worker)


def test_a_sensitive_case_does_not_go_where_more_people_read(town: Town) -> None:
    case, sensitive = town.report(), town.report(town.centre, category="public_order")
    with pytest.raises(MergeWouldReveal):
        merge(town, sensitive, case)
    merge(town, case, sensitive)


@pytest.mark.parametrize("watched", ["supervised", "listed", "major"])
def test_what_is_watched_over_is_not_merged_away(town: Town, watched: str) -> None:
    case, other = town.report(), town.report()
    until = town.clock() + timedelta(days=9)
    case = {
        "supervised": lambda: town.move(case, "supervise", reason="逾期", supervision="yellow"),
        "listed": lambda: town.move(case, "list_case", reason="重大", listing_no="1", until=until),
        "major": lambda: town.move(case, "declare_major", reason="重大", note="记录", until=until),
    }[watched]()
    with pytest.raises(IllegalMove):
        merge(town, case, other)
    assert merge(town, other, case).state == "merged"


def test_the_hint_is_near_in_place_time_and_category_and_under_the_readers_scope(town: Town) -> None:
    def found(
        category: str = "fire.charging", scope: Scope = town.centre.scope, **more: Any
    ) -> list[tuple[UUID, float]]:
        asked = queries.similar_cases(scope, category, LON, LAT, town.clock(), **more)
        return [(UUID(body["case_id"]), body["distance_m"]) for body in read(town.session, asked)]

    old = town.report()
    town.clock.forward(hours=70)
    here = town.report()
    near = town.report(at=(LON + 30 * METRE, LAT))
    town.report(at=(LON + 60 * METRE, LAT))
    town.report(category="school")
    wider = town.report(category="fire", at=(LON, LAT + 0.0001))
    merge(town, town.report(), here)
    assert [case for case, _ in found()] == [*sorted([old.case_id, here.case_id]), wider.case_id, near.case_id]
    assert 29 < found()[-1][1] < 31
    assert next(case for case, _ in found(apart=here.case_id)) == old.case_id
    assert wider.case_id in {case for case, _ in found("fire.equipment")}
    assert here.case_id not in {case for case, _ in found("fire.equipment")}
    assert {case for case, _ in found("fire")} >= {here.case_id, near.case_id, wider.case_id}
    assert not found(scope=town.south.scope)
    town.clock.forward(hours=3)
    assert old.case_id not in {case for case, _ in found()}


def test_a_lately_closed_case_is_hinted_at_and_a_refused_one_is_not(town: Town) -> None:
    town.move(town.report(), "refuse", reason="不属实")
    closed = town.closed()
    town.clock.forward(hours=71)
    asked = queries.similar_cases(town.centre.scope, "fire.charging", LON, LAT, town.clock())
    assert ids(town.session, asked) == {closed.case_id}
    (about,) = town.session.execute(
        (of := queries.similar_asked(town.centre.scope, closed.case_id)).build(), of.parameters
    ).all()
    assert (about.category, about.lon, about.lat) == ("fire.charging", LON, LAT)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=25))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_merged_and_unmerged_the_sum_of_reports_stays_and_no_case_is_lost(
    town: Town, steps: list[tuple[int, int]]
) -> None:
    example = town.session.begin_nested()
    try:
        made = [town.report(at=NORTH_WEST if n % 2 else NORTH_EAST) for n in range(6)]
        for one, other in steps:
            try:
                with town.session.begin_nested():
                    if one == other:
                        unmerge(town, made[one])
                    else:
                        merge(town, made[one], made[other])
            except Refusal:
                pass
            rows = {case.case_id: town.now(case) for case in made}
            goes_on = [row for row in rows.values() if row["state"] != "merged"]
            assert sum(row["reports"] for row in goes_on) == 6
            for row in rows.values():
                end, steps_up = row, 0
                while end["merged_into_id"] is not None:
                    end, steps_up = rows[end["merged_into_id"]], steps_up + 1
                    assert steps_up < 6, "a circle"
                assert end["state"] != "merged"
                resting = [each for each in rows.values() if each["merged_into_id"] == row["id"]]
                assert row["reports"] == 1 + sum(each["reports"] for each in resting)
        for case in made:
            history, events = town.history(case), town.events(case)
            assert [each["seq"] for each in history] == [each["entityversion"] for each in events]
            assert len(history) == town.now(case)["version"]
    finally:
        example.rollback()


@pytest.fixture
def engine_apart(servers: dict[str, str], template: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A database for what is committed, apart from the other tests'."""
    monkeypatch.setenv("PINGAN_COUNTY_CODE", "330499")
    with cloned_database(servers, template) as database:
        bind = engine(database.url("hazards_app"))
        yield bind
        bind.dispose()


def test_of_two_cases_merged_into_each_other_at_once_one_wins(engine_apart: Engine) -> None:
    with engine_apart.begin() as connection:
        town = Town(connection)
        town.publish(1)
        town.staffed()
        pairs = [(town.report(), town.report()) for _ in range(8)]
    outcomes: list[str] = []

    def race(case: Case, into: Case, gate: threading.Barrier) -> None:
        gate.wait()
        try:
            with engine_apart.begin() as connection:
                Town(connection).move(case, "merge", town.centre, into_case_id=into.case_id)
            outcomes.append("merged")
        except StaleVersion:
            outcomes.append("stale")
        except BaseException as error:
            outcomes.append(repr(error))

    for one, other in pairs:
        gate = threading.Barrier(2)
        racers = [threading.Thread(target=race, args=(*pair, gate)) for pair in ((one, other), (other, one))]
        for each in racers:
            each.start()
        for each in racers:
            each.join()
    assert sorted(outcomes) == ["merged"] * 8 + ["stale"] * 8
    with engine_apart.begin() as connection:
        rows = connection.execute(text("SELECT state, reports FROM hazards.cases")).all()
    assert sorted(row.reports for row in rows if row.state != "merged") == [2] * 8
