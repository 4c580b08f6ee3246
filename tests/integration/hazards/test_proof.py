"""Histories prove themselves: whatever happens to cases, and whatever somebody does to the rows behind it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from backbone import database as db
from backbone.database import from_json, to_json
from cli import audit as shell
from contracts.hazards.commands import Case
from contracts.refusals import Refusal
from contracts.scope import Scope
from services.hazards import chain, daily, deadlines, queries, reactions, records
from services.hazards.domain.machine import TABLE
from tests.integration.hazards.town import GRIDS, NORTH_EAST, OUTSIDE, SOUTH_WEST, Town, agency_id
from tests.servers import Database

EVERYTHING = Scope.system("a test proves histories")


def exported(town: Town, case: Case) -> dict[str, Any]:
    query = queries.history_export(EVERYTHING, case.case_id)
    found: dict[str, Any] = from_json(town.session.execute(query.build(), query.parameters).scalar_one())
    return found


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_to_a_case_its_history_is_one_chain(town: Town, seed: int) -> None:
    chance = random.Random(seed)
    people = [town.centre, town.north, town.worker, town.police, town.fire]
    cases = [town.report() for _ in range(3)]
    for _ in range(60):
        case = chance.choice(cases)
        row = town.now(case)
        place = chance.choice([NORTH_EAST, SOUTH_WEST, OUTSIDE])
        fields: dict[str, Any] = {
            "reason": "随机“理由”\n",
            "note": "é𝄞",
            "category": chance.choice(["fire", "traffic"]),
            "lon": place[0],
            "lat": place[1],
            "agency_id": agency_id("north_police"),
            "assisting_agency_ids": [agency_id("north_police")],
            "parent_case_id": chance.choice(cases).case_id,
        }
        move = chance.choice(list(TABLE))
        needed = {name: fields[name] for name in TABLE[move].needs if name in fields}
        try:
            with town.session.begin_nested():
                town.move(
                    case.model_copy(update={"version": row["version"]}), move.value, chance.choice(people), **needed
                )
        except Refusal:
            pass
        if chance.random() < 0.1:
            town.clock.forward(hours=30)
            deadlines.ring(town.session, clock=town.clock)
    town.publish(2, dict(zip(GRIDS, reversed(GRIDS.values()), strict=True)))
    reactions.follow_boundary(town.session, clock=town.clock)
    followed = 0
    for case in cases:
        history = exported(town, case)
        assert chain.faults(history) == []
        followed += history["rows"][-1]["move"] == "follow_boundary"
        heads = [event["data"]["history_digest"] for event in town.events(case)]
        assert heads == [row["digest"] for row in history["rows"]]
        assert history["head"] == heads[-1]
    assert followed


def test_a_row_that_was_read_before_another_link_came_is_not_chained_on(town: Town) -> None:
    case = town.report()
    stale = records.load(town.session, case.case_id)
    assert stale is not None
    town.move(case, "verify")
    again = [records.Happened(records.WARN, stale, {**stale, "version": 3})]
    with pytest.raises(RuntimeError, match="has grown"), town.session.begin_nested():
        records.record(town.session, town.clock(), again)


def test_a_case_of_before_the_chain_begins_it_with_its_next_row(town: Town) -> None:
    case = town.move(town.report(), "verify")
    old = """
        ALTER TABLE hazards.case_history DISABLE TRIGGER append_only;
        UPDATE hazards.case_history SET algorithm = NULL, previous = NULL, digest = NULL, digests = NULL, salts = NULL;
        UPDATE hazards.cases SET history_digest = NULL, chained_from = NULL
    """
    assert "owner" in refused(lambda: town.session.execute(text(old)), town)
    town.session.execute(text("UPDATE hazards.cases SET history_digest = NULL, chained_from = NULL"))
    case = town.move(case, "register")
    history = exported(town, case)
    assert history["chained_from"] == 3
    for row in history["rows"][:2]:
        row |= dict.fromkeys(("algorithm", "previous", "digest", "digests", "salts"))
    assert chain.faults(history) == []


def refused(attempt: Callable[[], Any], town: Town) -> str:
    with pytest.raises(Exception) as met, town.session.begin_nested():
        attempt()
    return str(met.value)


# At a database whose transactions commit, with the shell beside it --------------------------------------


@pytest.fixture
def told(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """A committed history: a case from report to close, and another that was reported."""
    monkeypatch.setenv("PINGAN_COUNTY_CODE", "330499")
    monkeypatch.setenv("PINGAN_HAZARDS_DATABASE_URL", database.url("hazards_app"))
    monkeypatch.setenv("PINGAN_HAZARDS_OWNER_DATABASE_URL", database.url("hazards_owner"))
    engine = db.engine(database.url("hazards_app"))
    with db.transaction(engine) as session:
        town = Town(session)
        town.publish(1)
        town.staffed()
        town.report(description="另一件")
        case = town.dispatched()
        case = town.move(case, "return", town.fire, reason="住户李四称与我单位无关")
        case = town.move(case, "dispatch")
        for move in ("accept", "start", "finish"):
            case = town.move(case, move, town.fire)
        town.case = town.move(case, "pass_check", town.north, note="现场复查")  # type: ignore[attr-defined]
        town.clock.forward(days=2)
        assert daily.seal_days(session, clock=town.clock) == 2
        assert daily.seal_days(session, clock=town.clock) == 0
    yield town
    engine.dispose()


def run(*words: str, given: str | None = None) -> Result:
    return CliRunner().invoke(shell.audit, words, input=given)


def case_of(town: Town) -> Case:
    case: Case = town.case  # type: ignore[attr-defined]
    return case


def as_attacker(database: Database, *statements: str) -> None:
    """Somebody with every right in the database."""
    connection = psycopg2.connect(database.url("admin"))
    with connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)
    connection.close()


def test_an_untouched_database_is_proved_whole(told: Town) -> None:
    one = run("verify-case", case_of(told).body["case_no"])
    assert (one.exit_code, one.stdout.strip().endswith("10 rows, nothing edited")) == (0, True), one.output
    assert run("verify-case", str(case_of(told).case_id)).exit_code == 0
    everything = run("verify-case", "--all")
    assert (everything.exit_code, everything.stdout.strip()) == (0, "2 histories, 0 broken; 0 days do not agree")
    assert "2 cases so far" in everything.stderr
    assert len(run("days").stdout.splitlines()) == 2


MINE = "case_id = (SELECT id FROM hazards.cases WHERE version > 1)"
EDITS = {
    "a text": (f"UPDATE hazards.case_history SET reason = '无' WHERE {MINE} AND seq = 5", "seq 5, reason"),
    "a text erased by hand": (
        f"UPDATE hazards.case_history SET reason = NULL, salts = salts - 'reason' WHERE {MINE} AND seq = 5",
        "seq 5, reason",
    ),
    "a time": (f"UPDATE hazards.case_history SET at = at - interval '1 day' WHERE {MINE} AND seq = 7", "seq 7, at"),
    "who did it": (
        f"UPDATE hazards.case_history SET account_id = gen_random_uuid() WHERE {MINE} AND seq = 10",
        "seq 10, account_id",
    ),
    "a row away": (f"DELETE FROM hazards.case_history WHERE {MINE} AND seq = 5", "row is missing"),
    "the end away": (
        f"DELETE FROM hazards.case_history WHERE {MINE} AND seq = 10; "
        "UPDATE hazards.cases SET version = 9, state = 'handled' WHERE version > 1",
        "head",
    ),
    "two rows swapped": (
        f"UPDATE hazards.case_history SET seq = 11 - seq + 100 WHERE {MINE} AND seq IN (5, 6);"
        f"UPDATE hazards.case_history SET seq = seq - 100 WHERE {MINE} AND seq > 100",
        "seq 5",
    ),
    "a row put in": (
        "INSERT INTO hazards.case_history (case_id, seq, at, move, to_state) "
        "SELECT id, 11, now(), 'verify', 'checked' FROM hazards.cases WHERE version > 1; "
        "UPDATE hazards.cases SET version = 11 WHERE version > 1",
        "seq 11",
    ),
    "the case's state": ("UPDATE hazards.cases SET state = 'closed' WHERE version > 1", "is 'closed'"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_every_edit_with_all_rights_is_named(told: Town, database: Database, edit: str) -> None:
    statement, place = EDITS[edit]
    as_attacker(database, statement)
    found = run("verify-case", case_of(told).body["case_no"])
    assert found.exit_code == 1
    assert case_of(told).body["case_no"] in found.stdout
    assert place in found.stdout, found.stdout
    assert run("verify-case", "--all").exit_code == 1


def test_a_history_that_was_written_anew_from_the_middle_differs_from_its_day_and_from_what_others_hold(
    told: Town, database: Database
) -> None:
    """The recipe is public: who may write everything can make a chain that fits in itself."""
    history = exported_with(told, database)
    head = history["head"]
    history["rows"][4]["reason"] = "改写"
    previous = history["rows"][3]["digest"]
    for row in history["rows"][4:]:
        row |= chain.seal({**row, "case_id": history["case_id"]}, previous)
        previous = row["digest"]
    rows = to_json(history["rows"][4:]).replace("'", "''")
    as_attacker(
        database,
        f"UPDATE hazards.case_history h SET reason = n.reason, previous = n.previous, digest = n.digest, "
        f"digests = n.digests, salts = n.salts FROM json_populate_recordset(NULL::hazards.case_history, '{rows}') n "
        f"WHERE h.{MINE} AND h.seq = n.seq",
        f"UPDATE hazards.cases SET history_digest = '{previous}' WHERE version > 1",
    )
    number = case_of(told).body["case_no"]
    assert run("verify-case", number).exit_code == 0
    against = run("verify-case", number, "--head", head)
    assert (against.exit_code, head in against.stdout) == (1, True)
    everything = run("verify-case", "--all")
    assert (everything.exit_code, "day 2026-03-01: the histories are not" in everything.stdout) == (1, True)


def exported_with(town: Town, database: Database) -> dict[str, Any]:
    engine = db.engine(database.url("hazards_app"))
    with db.transaction(engine) as session:
        found = exported(Town(session), case_of(town))
    engine.dispose()
    return found


def test_a_field_erased_by_order_leaves_the_chain_whole(told: Town, database: Database) -> None:
    number = case_of(told).body["case_no"]
    erased = run("erase-field", number, "5", "reason", "--basis", "县法院（2026）第7号")
    assert erased.exit_code == 0, erased.output
    found = run("verify-case", number)
    assert (found.exit_code, "1 fields erased by order" in found.stdout) == (0, True)
    assert run("verify-case", "--all").exit_code == 0
    history = exported_with(told, database)
    assert (history["rows"][4]["reason"], "reason" in history["rows"][4]["salts"]) == (None, False)
    assert "李四" not in to_json(history)
    twice = run("erase-field", number, "5", "note", "--basis", "同一命令")
    assert (twice.exit_code, "says nothing" in twice.stderr) == (1, True)


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE hazards.case_history SET reason = NULL WHERE {MINE} AND seq = 5",
        f"UPDATE hazards.case_history SET reason = NULL, salts = salts - 'reason' WHERE {MINE} AND seq = 5",
        "INSERT INTO hazards.history_erasures SELECT case_id, seq, 'reason', now(), 'x', 'y' FROM hazards.case_history "
        f"WHERE {MINE} AND seq = 5; UPDATE hazards.case_history SET reason = '改' WHERE {MINE} AND seq = 5",
        "INSERT INTO hazards.history_erasures SELECT case_id, seq, 'at', now(), 'x', 'y' FROM hazards.case_history "
        f"WHERE {MINE} AND seq = 5; UPDATE hazards.case_history SET at = now() WHERE {MINE} AND seq = 5",
        "INSERT INTO hazards.history_erasures SELECT case_id, seq, 'reason', now(), 'x', 'y' FROM hazards.case_history "
        f"WHERE {MINE} AND seq = 5; UPDATE hazards.case_history SET reason = NULL, salts = salts - 'reason', "
        f"note = '顺手' WHERE {MINE} AND seq = 5",
        "DELETE FROM hazards.history_days",
    ],
)
def test_the_owner_erases_with_a_record_and_nothing_more(told: Town, database: Database, statement: str) -> None:
    owner = psycopg2.connect(database.url("hazards_owner"))
    with owner.cursor() as cursor, pytest.raises(psycopg2.errors.IntegrityConstraintViolation, match="append-only"):
        cursor.execute(statement)
    owner.close()


def test_the_service_may_not_note_an_erasure(told: Town, database: Database) -> None:
    service = psycopg2.connect(database.url("hazards_app"))
    with service.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute("INSERT INTO hazards.history_erasures SELECT id, 1, 'note', now(), 'x', 'y' FROM hazards.cases")
    service.close()


def test_a_file_proves_itself_without_the_platform(
    told: Town, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    history = exported_with(told, database)
    for name in ("PINGAN_HAZARDS_DATABASE_URL", "PINGAN_HAZARDS_OWNER_DATABASE_URL"):
        monkeypatch.delenv(name)
    file = tmp_path / "history.json"
    file.write_text(to_json(history))
    assert run("verify-file", str(file)).exit_code == 0
    assert run("verify-file", "-", "--head", history["head"], given=to_json(history)).exit_code == 0
    assert run("verify-file", str(file), "--head", "0" * 64).exit_code == 1
    history["rows"][2]["roles"] = ["county_admin"]
    edited = run("verify-file", "-", given=to_json(history))
    assert (edited.exit_code, "seq 3, roles" in edited.stdout) == (1, True)


@pytest.mark.parametrize(
    "text_",
    ["", "{", "[]", "{}", '{"format":"pingan.case-history"}', '{"format":"pingan.case-history","rows":[7]}'],
)
def test_what_is_no_history_is_said_to_be_none(text_: str) -> None:
    found = run("verify-file", "-", given=text_)
    assert (found.exit_code, found.stderr.startswith("Error: ")) == (1, True)


def test_one_or_all_must_be_named() -> None:
    assert run("verify-case").exit_code == 2
    assert run("verify-case", "X", "--all").exit_code == 2
