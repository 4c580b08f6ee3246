"""Personal data: a purpose, a row on record, then the read. And positions on their way in."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg2

from tests.integration.gateway.platform import WEST, Platform


def records(platform: Platform, entity_id: str) -> list[tuple[str, bool]]:
    connection = psycopg2.connect(platform.settings["TEST_ADMIN_DATABASE_URL"])
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT purpose, allowed FROM access.read_audit WHERE entity_id = %s ORDER BY audit_id", (entity_id,)
            )
            return [(str(purpose), bool(allowed)) for purpose, allowed in cursor.fetchall()]
    finally:
        connection.close()


def test_every_look_at_a_track_is_on_record_refused_ones_too(platform: Platform) -> None:
    shift = str(uuid4())
    path = f"/v1/patrol/shifts/{shift}/track"
    with platform.client("county") as county:
        answers = [
            county.get(path, params=params) for params in ({}, {"purpose": "spying"}, {"purpose": "duty_review"})
        ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (422, "purpose_required"),
        (403, "purpose_not_allowed"),
        (404, "not_found"),
    ]
    assert records(platform, shift) == [("", False), ("spying", False), ("duty_review", True)]


def test_no_audit_no_read(platform: Platform) -> None:
    connection = psycopg2.connect(platform.settings["TEST_ADMIN_DATABASE_URL"])
    connection.autocommit = True
    with connection.cursor() as cursor, platform.client("county") as county:
        assert county.get("/v1/patrol/live").status_code == 200
        cursor.execute("ALTER TABLE access.read_audit ADD CONSTRAINT away CHECK (false) NOT VALID")
        try:
            assert county.get("/v1/patrol/live").status_code == 503
        finally:
            cursor.execute("ALTER TABLE access.read_audit DROP CONSTRAINT away")
        assert county.get("/v1/patrol/live").status_code == 200
    connection.close()


def test_the_gateways_own_role_cannot_change_the_record(platform: Platform) -> None:
    connection = psycopg2.connect(platform.settings["PINGAN_ACCESS_DATABASE_URL"])
    for statement in (
        "UPDATE access.read_audit SET purpose = 'x'",
        "DELETE FROM access.read_audit",
        "TRUNCATE access.read_audit",
    ):
        with connection.cursor() as cursor:
            try:
                cursor.execute(statement)
            except psycopg2.errors.InsufficientPrivilege:
                connection.rollback()
            else:
                raise AssertionError(statement)
    connection.close()


def fix(**more: Any) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {"unit_id": str(uuid4()), "device_at": now, "lon": WEST[0], "lat": WEST[1]} | more


def test_bad_positions_come_back_and_good_ones_wait_for_their_agency_alone(platform: Platform) -> None:
    body = {"crs": "wgs84", "fixes": [fix(), fix(lat="north"), fix(device_at="2199-01-01T00:00:00Z"), fix()]}
    key = {"Idempotency-Key": str(uuid4())}
    with platform.client("patrol") as patrol, platform.client("county") as county:
        taken = patrol.post("/v1/patrol/positions", json=body, headers=key)
        assert taken.status_code == 202, taken.text
        assert taken.json()["taken"] == 2
        assert [(bad["index"], bad["reason"]) for bad in taken.json()["bad"]] == [(1, "bad_number"), (2, "future")]
        again = patrol.post("/v1/patrol/positions", json=body, headers=key)
        assert again.json()["batch_id"] == taken.json()["batch_id"]
        other = patrol.post("/v1/patrol/positions", json=body | {"crs": "gcj02"}, headers=key)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        place = taken.headers["location"]
        assert patrol.get(place).json()["state"] == "queued"
        assert county.get(place).status_code == 404
        missing = patrol.post("/v1/patrol/positions", json={"fixes": [fix()]})
        assert (missing.status_code, missing.json()["code"]) == (422, "patrol.missing_crs")
