"""Who sees positions: row security on the real tables, through the queries the gateway runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg2
import pytest
from sqlalchemy import Engine, text

from backbone.database import engine, transaction
from backbone.statements import Query
from contracts.patrol.errors import MissingPurpose
from contracts.scope import Scope
from services.patrol import queries
from tests.integration.patrol.duty import AGENCY, COUNTY, EAST, OTHER, WEST, Duty, batch, stored
from tests.servers import Database

NOBODY = UUID(int=0xC)


def scope(*areas: str, agency: UUID = NOBODY) -> Scope:
    return Scope(areas=areas, agency_id=agency, purposes=frozenset({"duty_review"}))


@pytest.fixture
def reader(database: Database, duty: Duty) -> Iterator[Engine]:
    """The gateway's role for patrol, after both units have walked."""
    stored(database, [batch([*duty.walk(duty.east, 20, first=30), *duty.walk(duty.west, 10, lon=120.5, first=30)])])
    bind = engine(database.url("patrol_read"))
    yield bind
    bind.dispose()


def read(reader: Engine, query: Query, settings: dict[str, str] | None = None) -> list[Any]:
    with transaction(reader) as session:
        for name, value in (settings or {}).items():
            session.execute(text("SELECT set_config(:name, :value, true)"), {"name": name, "value": value})
        return [json.loads(row.body) for row in session.execute(query.build(), query.parameters)]


def live(reader: Engine, who: Scope) -> set[str]:
    return {item["unit_id"] for item in read(reader, queries.live(who), queries.live_settings(who))}


def test_live_shows_units_in_the_scopes_areas_and_those_of_the_own_agency(reader: Engine, duty: Duty) -> None:
    assert live(reader, scope(COUNTY)) == {str(duty.east), str(duty.west)}
    assert live(reader, scope(EAST)) == {str(duty.east)}
    assert live(reader, scope(EAST, agency=OTHER)) == {str(duty.east), str(duty.west)}
    assert live(reader, scope(agency=OTHER)) == {str(duty.west)}
    assert live(reader, scope()) == set()
    assert live(reader, Scope.system("test")) == {str(duty.east), str(duty.west)}


def test_live_says_who_where_and_how_old(reader: Engine, duty: Duty) -> None:
    who = scope(EAST)
    [item] = read(reader, queries.live(who), queries.live_settings(who))
    assert (item["lon"], item["area_path"], item["agency_id"]) == (121.5, EAST, str(AGENCY))
    assert item["shift_id"] == str(duty.shift)
    assert item["device_at"].endswith("Z")
    assert 10 < item["age_s"] < 120


def test_live_leaves_out_the_stale_the_ended_and_what_is_filtered(reader: Engine, duty: Duty) -> None:
    who = scope(COUNTY)
    settings = queries.live_settings(who)
    assert read(reader, queries.live(who, fresh_s=1), settings) == []
    assert len(read(reader, queries.live(who, area_path=WEST), settings)) == 1
    assert len(read(reader, queries.live(who, bbox=(120, 30, 121, 31)), settings)) == 1
    assert len(read(reader, queries.live(who, after=min(duty.east, duty.west)), settings)) == 1
    with transaction(duty.engine) as session:
        session.execute(text("UPDATE patrol.shifts SET status = 'ended', ended_at = now()"))
    assert read(reader, queries.live(who), settings) == []


def test_a_track_is_a_line_with_times(reader: Engine, duty: Duty) -> None:
    who = scope(EAST)
    [track] = read(reader, queries.track(who, duty.shift), queries.track_settings(who, "duty_review"))
    assert track["type"] == "Feature"
    assert track["geometry"]["type"] == "LineString"
    assert [round(lat, 4) for _, lat in track["geometry"]["coordinates"]] == [
        round(30.5 + n * 1e-4, 4) for n in range(20)
    ]
    assert len(track["properties"]["times"]) == track["properties"]["fixes"] == 20
    assert track["properties"]["implausible"] == []


def test_a_track_names_fixes_nobody_could_have_reached(database: Database, reader: Engine, duty: Duty) -> None:
    stored(database, [batch([(duty.east, duty.at(5), 121.9, 30.9)])])
    who = scope(EAST)
    [track] = read(reader, queries.track(who, duty.shift), queries.track_settings(who, "duty_review"))
    assert track["properties"]["implausible"] == [20]


def test_a_track_without_purpose_is_refused_and_without_settings_empty(reader: Engine, duty: Duty) -> None:
    who = scope(EAST)
    for purpose in (None, "", "curiosity"):
        with pytest.raises(MissingPurpose):
            queries.track_settings(who, purpose)
    [track] = read(reader, queries.track(who, duty.shift), queries.live_settings(who))
    assert track["geometry"] is None
    assert (track["properties"]["fixes"], track["properties"]["times"]) == (0, [])


def test_a_track_shows_no_fix_outside_the_scope_even_of_a_shift_inside(reader: Engine, duty: Duty) -> None:
    """The settings decide, not the query: a wider query under narrower settings sees nothing more."""
    settings = queries.track_settings(scope(WEST), "duty_review")
    [track] = read(reader, queries.track(scope(EAST), duty.shift), settings)
    assert track["properties"]["fixes"] == 0


def test_a_shift_outside_the_scope_has_no_track(reader: Engine, duty: Duty) -> None:
    who = scope(WEST)
    assert read(reader, queries.track(who, duty.shift), queries.track_settings(who, "duty_review")) == []


@pytest.mark.parametrize("table", ["positions", "last_positions"])
def test_without_settings_the_readers_role_sees_no_row(reader: Engine, table: str) -> None:
    with transaction(reader) as session:
        assert session.execute(text(f"SELECT count(*) FROM patrol.{table}")).scalar_one() == 0


@pytest.mark.parametrize("role", ["patrol_read", "patrol_app", "patrol_ingest"])
def test_a_partition_is_nobodys_door(database: Database, reader: Engine, role: str) -> None:
    with psycopg2.connect(database.url("admin")) as admin, admin.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'patrol.positions'::regclass"
        )
        [partition] = cursor.fetchone() or [None]
    admin.close()
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        _run(database, role, f"SELECT * FROM {partition}")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM patrol.positions",
        "SELECT count(*) FROM patrol.positions",
        "COPY patrol.positions TO STDOUT",
        "UPDATE patrol.positions SET area_id = 1",
        "DELETE FROM patrol.positions",
        "DELETE FROM patrol.last_positions",
        "SELECT account_id FROM patrol.position_batches",
        "SELECT patrol.drop_partitions(current_date - 8)",
        "SELECT * FROM patrol.outbox",
    ],
)
def test_the_copy_role_adds_and_cannot_read_or_change(database: Database, reader: Engine, statement: str) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        _run(database, "patrol_ingest", statement)


def test_other_services_and_the_reader_cannot_write(database: Database, reader: Engine) -> None:
    with pytest.raises((psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ReadOnlySqlTransaction)):
        _run(database, "patrol_read", "DELETE FROM patrol.positions")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        _run(database, "hazards_app", "SELECT * FROM patrol.last_positions")


def _run(database: Database, role: str, statement: str) -> None:
    connection = psycopg2.connect(database.url(role))
    try:
        with connection, connection.cursor() as cursor:
            if statement.startswith("COPY"):
                import io

                cursor.copy_expert(statement, io.StringIO())
            else:
                cursor.execute(statement)
    finally:
        connection.close()


def test_a_batch_is_its_senders_agencys_alone(database: Database, reader: Engine, duty: Duty) -> None:
    one = batch(duty.walk(duty.east, 3, first=10))
    stored(database, [one])
    [found] = read(reader, queries.batch(scope(agency=AGENCY), one.headers.batch_id))
    assert (found["batch_id"], found["state"], found["stored"]) == (str(one.headers.batch_id), "done", 3)
    assert read(reader, queries.batch(scope(COUNTY, agency=OTHER), one.headers.batch_id)) == []
    assert read(reader, queries.batch(Scope.system("test"), uuid4())) == []


def test_units_and_shifts_are_listed_by_keyset_in_scope(reader: Engine, duty: Duty) -> None:
    assert {unit["unit_id"] for unit in read(reader, queries.unit_list(scope(COUNTY)))} == {
        str(duty.east),
        str(duty.west),
    }
    assert [
        unit["unit_id"] for unit in read(reader, queries.unit_list(scope(WEST), active=True, area_path=COUNTY))
    ] == [str(duty.west)]
    assert read(reader, queries.unit(scope(EAST), duty.west)) == []
    [shift] = read(reader, queries.shift(scope(EAST), duty.shift))
    assert (shift["call_sign"], shift["status"], shift["version"]) == ("平安1号", "started", 2)
    with transaction(reader) as session:
        first = queries.shift_list(scope(COUNTY), limit=1, status="started", since=duty.at(60))
        [one] = session.execute(first.build(), first.parameters)
        rest = queries.shift_list(scope(COUNTY), after=(one.cursor_1, one.cursor_2))
        [other] = session.execute(rest.build(), rest.parameters)
    assert {json.loads(row.body)["unit_id"] for row in (one, other)} == {str(duty.east), str(duty.west)}
