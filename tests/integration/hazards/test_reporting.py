"""Reports: taken once, wherever they lie, and never lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select, text

from backbone.database import Session, engine, new_id, transaction
from backbone.idempotency import Asked
from backbone.telemetry import Context
from contracts.hazards.commands import Case, ReportCase
from contracts.hazards.errors import CaseExists, DuplicateExternalRef, NoBoundary, UnknownCategory
from contracts.refusals import InvalidField, NotAllowed
from contracts.scope import Role
from geo.cells import CellsHolder
from services.hazards import commands, reactions, records
from services.hazards.reactions import build_cells
from services.hazards.tables import cases
from tests.integration.hazards.town import COUNTY, NORTH, OUTSIDE, SOUTH_EAST, Clock, Town, actor
from tests.servers import Database


def test_a_report_gets_its_grid_its_number_and_its_deadline(town: Town) -> None:
    case = town.report()
    assert (case.state, case.version) == ("reported", 1)
    assert case.body["area_path"] == f"{NORTH}330499101201/330499101201001/"
    assert case.body["case_no"] == "330499-20260301-00001"
    assert case.body["due_at"] == "2026-03-03T15:59:00.000000Z"
    assert case.body["kind"] == "hazard"
    assert not case.body["unassigned"]


def test_numbers_start_anew_at_midnight_in_the_county_not_in_utc(town: Town) -> None:
    town.report()
    town.clock.forward(minutes=1)
    assert town.report().body["case_no"] == "330499-20260302-00001"
    assert town.report().body["case_no"] == "330499-20260302-00002"


def test_outside_the_county_a_case_waits_in_unassigned(town: Town) -> None:
    case = town.report(at=OUTSIDE)
    assert case.body["unassigned"]
    assert case.body["area_path"] == COUNTY
    assert town.events(case)[0]["data"]["unassigned"]


def test_the_same_report_sent_again_is_the_same_case(town: Town) -> None:
    asked = town.asked()
    first, again = (
        commands.report_case(town.session, town.worker, asked, clock=town.clock, county_code="330499") for _ in range(2)
    )
    assert again == first
    assert len(town.events(first)) == len(town.history(first)) == 1


def test_the_same_id_with_other_content_or_another_reporter_is_refused(town: Town) -> None:
    case_id = new_id()
    town.report(case_id=case_id)
    with pytest.raises(CaseExists):
        town.report(case_id=case_id, description="别的事")
    with pytest.raises(CaseExists):
        town.report(town.police, case_id=case_id)


def test_before_any_boundary_a_report_is_told_so(session: Session) -> None:
    with pytest.raises(NoBoundary):
        Town(session).report()


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [({"category": "unheard_of"}, UnknownCategory), ({"kind": "dispute"}, InvalidField)],
)
def test_what_does_not_fit_a_category_is_refused(town: Town, fields: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        town.report(**fields)


def test_an_auditor_does_not_report(town: Town) -> None:
    with pytest.raises(NotAllowed):
        town.report(actor(Role.AUDITOR, "county_centre"))


def test_an_external_reference_belongs_to_one_case(town: Town) -> None:
    refs = [{"system": "hotline-12345", "id": "A1"}]
    case = town.report(external_refs=refs)
    assert case.body["external_refs"] == refs
    with pytest.raises(DuplicateExternalRef):
        town.report(external_refs=refs)


def test_the_event_carries_no_text_and_a_rounded_position(town: Town) -> None:
    case = town.report(at=(120.0512345, 30.1512345))
    event = town.events(case)[0]
    assert event["type"] == "county.hazards.case.reported.v1"
    assert (event["data"]["lon"], event["data"]["lat"]) == (120.0512, 30.1512)
    assert "楼道" not in str(event)
    assert case.body["lon"] == 120.0512345


def test_a_photo_is_kept_with_the_version_it_came_with(town: Town) -> None:
    photo = {"blob": "a" * 64, "media_type": "image/jpeg", "size_bytes": 10}
    assert town.report(photo=photo).body["photos"][0]["blob"] == "a" * 64


def test_cells_in_memory_and_postgis_give_the_same_area(town: Town) -> None:
    holder = CellsHolder()
    reactions.refresh_cells(town.session, holder, lambda build, *arguments: build(*arguments))
    assert holder.current.version == 1
    asked = town.asked(SOUTH_EAST)
    case = commands.report_case(town.session, town.worker, asked, clock=town.clock, county_code="330499", cells=holder)
    assert case.body["area_path"] == town.report(at=SOUTH_EAST).body["area_path"]
    assert build_cells(0, [], []).locate(*SOUTH_EAST) is None


def test_a_report_does_not_wait_for_the_commit_of_another(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINGAN_COUNTY_CODE", "330499")
    bind = engine(database.url("hazards_app"))
    with transaction(bind) as session:
        town = Town(session)
        town.publish(1)
        town.report()
    with transaction(bind) as first, transaction(bind) as second:
        second.execute(text("SET LOCAL lock_timeout = '1s'"))
        numbers = [Town(session, town.clock).report().body["case_no"] for session in (first, second)]
    bind.dispose()
    assert numbers == ["330499-20260301-00002", "330499-20260301-00003"]


def test_replicas_at_the_days_edge_never_give_a_number_twice(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINGAN_COUNTY_CODE", "330499")
    bind = engine(database.url("hazards_app"))
    with transaction(bind) as session:
        Town(session).publish(1)
    before, after = Clock(), Clock()
    after.forward(minutes=1)  # another day; the replicas' clocks differ by this minute

    def replica(clock: Clock) -> list[str]:
        numbers = []
        for n in range(20):
            with transaction(bind) as session:
                numbers.append(str(Town(session, clock).report().body["case_no"]))
                if n % 7 == 3:
                    session.rollback()  # a report that comes to nothing leaves a gap, no more
                    numbers.pop()
        return numbers

    with ThreadPoolExecutor(8) as replicas:
        given = [number for each in replicas.map(replica, [before, after] * 4) for number in each]
    bind.dispose()
    assert len(set(given)) == len(given) == 8 * 17
    assert {number[7:15] for number in given} == {"20260301", "20260302"}
    assert all(1 <= int(number[16:]) <= 400 for number in given)


def test_reports_that_come_together_are_cases_of_their_own(town: Town) -> None:
    refs = [{"system": "hotline-12345", "id": "B1"}]
    photo = {"blob": "a" * 64, "media_type": "image/jpeg", "size_bytes": 10}
    commanded = [
        town.asked(SOUTH_EAST),
        town.asked(OUTSIDE, category="fire"),
        town.asked(external_refs=refs),
        town.asked(photo=photo),
    ]
    asked = [Asked(each, town.worker, Context(f"context-{n}")) for n, each in enumerate(commanded)]
    asked.append(asked[0])  # the same report twice at once is one case
    made = report_together(town, asked)
    assert [case.case_id for case in made] == [each.command.case_id for each in asked]
    assert made[0] == made[4]
    numbers = [case.body["case_no"] for case in made[:4]]
    assert numbers == [f"330499-20260301-0000{n}" for n in (1, 2, 3, 4)]
    assert [case.body["unassigned"] for case in made[:4]] == [False, True, False, False]
    assert made[2].body["external_refs"] == refs
    assert made[3].body["photos"][0]["blob"] == "a" * 64
    assert [event["correlationid"] for event in town.events()] == [f"context-{n}" for n in range(4)]
    assert [len(town.history(case)) for case in made[:4]] == [1] * 4


def test_a_refused_report_is_refused_in_company_too(town: Town) -> None:
    known = town.report()
    other = town.asked(case_id=known.case_id, description="别的事")
    with pytest.raises(CaseExists):
        report_together(town, [Asked(each, town.worker, Context("x")) for each in (town.asked(), other)])


def test_a_new_case_is_the_row_that_its_event_and_its_history_were_made_from(town: Town) -> None:
    """Nothing is read back after a report is written: what was told must be what is there."""
    case = town.report(occurred_at=datetime(2026, 3, 1, 23, 0, tzinfo=timezone(timedelta(hours=8))))
    row = town.session.execute(select(*records.COLUMNS).where(cases.c.id == case.case_id)).mappings().one()
    event = records.current_event(row, records.REPORT, row["reported_at"])
    told = town.events(case)[0]
    assert told["data"] == event.data.model_dump(mode="json") | {"moved_from": None}
    assert (told["areapath"], told["entityversion"]) == (row["area_path"], row["version"])
    assert told["occurredat"] == "2026-03-01T15:00:00Z"
    history = town.history(case)[0]
    assert (history["seq"], history["to_state"], history["before"], history["after"]) == (1, "reported", None, None)


def report_together(town: Town, asked: list[Asked[ReportCase]]) -> list[Case]:
    return commands.report_cases(town.session, asked, clock=town.clock, county_code="330499")
