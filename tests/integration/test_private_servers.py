"""The ground every integration test stands on: roles, schemas, and isolation of database and vhost."""

import contextlib

import psycopg2
import pytest

from tests.servers import Database


def _one(url: str, statement: str) -> object:
    with contextlib.closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return row and row[0]


def test_durability_is_on(database: Database) -> None:
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        assert _one(database.url("grid_app"), f"SHOW {setting}") == "on"


def test_roles_see_their_own_schema_first_and_work_in_utc(database: Database) -> None:
    assert _one(database.url("patrol_app"), "SHOW search_path") == "patrol, public"
    assert _one(database.url("patrol_ingest"), "SHOW search_path") == "patrol, public"
    assert _one(database.url("notify_read"), "SHOW timezone") == "UTC"
    assert str(_one(database.url("hazards_app"), "SELECT postgis_lib_version()")).startswith("3.")


def test_a_service_cannot_look_into_another_ones_schema(database: Database) -> None:
    assert not _one(database.url("hazards_app"), "SELECT has_schema_privilege('grid', 'USAGE')")
    assert not _one(database.url("hazards_read"), "SELECT has_schema_privilege('grid', 'USAGE')")


def test_the_read_role_cannot_write(database: Database) -> None:
    with contextlib.closing(psycopg2.connect(database.url("grid_owner"))) as owner, owner, owner.cursor() as cursor:
        cursor.execute("CREATE TABLE grid.trial (n int)")
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        _one(database.url("grid_read"), "INSERT INTO trial VALUES (1) RETURNING n")
    assert _one(database.url("grid_app"), "INSERT INTO trial VALUES (1) RETURNING n") == 1


@pytest.mark.parametrize("time", ["first", "second"])
def test_each_test_has_a_database_of_its_own(database: Database, time: str) -> None:
    with contextlib.closing(psycopg2.connect(database.url("grid_owner"))) as owner, owner, owner.cursor() as cursor:
        cursor.execute("CREATE TABLE grid.only_here (n int)")


def test_each_test_has_a_vhost_of_its_own(vhost: str, servers: dict[str, str]) -> None:
    from kombu import Connection

    assert vhost != servers["PINGAN_BROKER_URL"]
    with Connection(vhost) as connection:
        channel = connection.default_channel
        assert channel.queue_declare("trial").message_count == 0
