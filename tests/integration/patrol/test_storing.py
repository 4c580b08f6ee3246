"""Ingest's transaction on a real database: each fix once, on duty only, in any order."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from asyncpg import DeadlockDetectedError, UniqueViolationError
from sqlalchemy import text

from backbone.database import transaction
from services.patrol.ingest.store import Store
from tests.integration.patrol.duty import AGENCY, EAST, OTHER, WEST, Duty, batch, ingest_pool, stored
from tests.servers import Database


def rows(duty: Duty, statement: str = "SELECT unit_id, device_at, ST_X(geom), ST_Y(geom) FROM patrol.positions") -> Any:
    with transaction(duty.engine) as session:
        return sorted(map(tuple, session.execute(text(statement))))


def record(duty: Duty, batch_id: UUID) -> dict[str, Any]:
    with transaction(duty.engine) as session:
        found = session.execute(text("SELECT * FROM patrol.position_batches WHERE id = :id"), {"id": batch_id})
        return dict(found.mappings().one())


def test_a_fix_is_stored_with_everything_that_is_known_of_it(database: Database, duty: Duty) -> None:
    one = batch([(duty.east, duty.at(60), 121.5, 30.5), (duty.west, duty.at(50), 120.5, 30.25)], source="osmand")
    stored(database, [one])
    found = rows(
        duty,
        "SELECT p.unit_id, device_at, shift_id, batch_id, path, accuracy_m, speed_mps, heading,"
        " ST_AsEWKT(geom), hex > 0"
        " FROM patrol.positions p JOIN patrol.area_paths a ON a.id = area_id",
    )
    by_unit = {row[0]: row[1:] for row in found}
    assert by_unit[duty.east] == (
        *(duty.at(60), duty.shift, one.headers.batch_id, EAST, 5.0, 1.5, None),
        *("SRID=4326;POINT(121.5 30.5)", True),
    )
    assert by_unit[duty.west][3:7] == (WEST, 5.0, None, None)
    assert record(duty, one.headers.batch_id)["source"] == "osmand"


def test_a_redelivered_batch_is_stored_and_counted_once(database: Database, duty: Duty) -> None:
    one = batch(duty.walk(duty.east, 50))
    first, again, twice = stored(
        database, [one], [one], [one, one, batch(duty.walk(duty.west, 5), one.headers.batch_id)]
    )
    assert (first.stored, again.received, twice.received) == (50, 0, 0)
    assert len(rows(duty)) == 50
    assert record(duty, one.headers.batch_id)["stored"] == 50


def test_off_duty_unknown_and_repeated_fixes_are_dropped_and_counted(database: Database, duty: Duty) -> None:
    walk = duty.walk(duty.east, 10)
    before = [(duty.east, duty.now - timedelta(hours=1, seconds=n), 121.5, 30.5) for n in (1, 2, 3)]
    one = batch([*walk, *before, *walk[:2], (uuid4(), duty.now, 121.5, 30.5)])
    stored(database, [one])
    found = record(duty, one.headers.batch_id)
    assert {name: found[name] for name in ("received", "stored", "off_duty", "duplicate", "unknown_unit")} == {
        "received": 16,
        "stored": 10,
        "off_duty": 3,
        "duplicate": 2,
        "unknown_unit": 1,
    }
    assert len(rows(duty)) == 10


def test_fixes_of_another_agencys_unit_outside_the_senders_areas_are_unknown(database: Database, duty: Duty) -> None:
    one = batch([*duty.walk(duty.west, 3), *duty.walk(duty.east, 4)], areas=())
    stored(database, [one])
    assert record(duty, one.headers.batch_id)["unknown_unit"] == 3
    assert len(rows(duty)) == 4


def test_an_ended_shift_takes_what_lies_before_its_end_and_nothing_after_at_once(
    database: Database, duty: Duty
) -> None:
    async def run() -> None:
        pool = await ingest_pool(database)
        store = Store(pool, "330499")
        await store.store([batch(duty.walk(duty.east, 10, first=100))])
        with transaction(duty.engine) as session:
            session.execute(
                text("UPDATE patrol.shifts SET status = 'ended', ended_at = :at, changed_at = clock_timestamp()"),
                {"at": duty.at(50)},
            )
        await store.store([batch(duty.walk(duty.east, 100, first=100))])
        await pool.close()

    asyncio.run(run())
    assert max(at for _, at, *_ in rows(duty)) == duty.at(50)
    assert len(rows(duty)) == 51


def test_an_offline_upload_of_a_shift_of_days_ago_is_judged_by_that_shift(database: Database, duty: Duty) -> None:
    days = timedelta(days=3)
    duty.started(duty.east, AGENCY, EAST, ago=days, ended=duty.now - days + timedelta(hours=4))
    inside = [(duty.east, duty.now - days + timedelta(minutes=n), 121.5, 30.5) for n in range(200)]
    outside = [(duty.east, duty.now - days + timedelta(hours=5, minutes=n), 121.5, 30.5) for n in range(7)]
    one = batch([*outside, *inside, *duty.walk(duty.east, 3)])
    stored(database, [one])
    found = record(duty, one.headers.batch_id)
    assert (found["stored"], found["off_duty"]) == (203, 7)


def test_a_shift_nobody_ended_takes_nothing_after_its_grace(database: Database, duty: Duty) -> None:
    with transaction(duty.engine) as session:
        session.execute(text("UPDATE patrol.shifts SET planned_until = :at"), {"at": duty.at(31 * 60)})
    one = batch([(duty.east, duty.at(59), 121.5, 30.5), (duty.east, duty.at(70), 121.5, 30.5)])
    stored(database, [one])
    assert rows(duty, "SELECT device_at FROM patrol.positions") == [(duty.at(70),)]


def test_late_repeated_and_shuffled_fixes_give_the_same_rows_as_in_order(database: Database, duty: Duty) -> None:
    """Over several transactions of two processes at once, with every fix sent twice."""
    chance = random.Random(7)
    walk = duty.walk(duty.east, 300) + duty.walk(duty.west, 300, lon=120.5)
    sent = walk * 2
    chance.shuffle(sent)
    batches = [batch(sent[n::24]) for n in range(24)]
    for repeat in range(3):
        batches.append(batches[repeat])

    async def run() -> None:
        pools = [await ingest_pool(database) for _ in range(2)]
        queue = list(batches)

        async def patient(store: Store) -> None:
            while queue:
                taken = [queue.pop() for _ in range(min(2, len(queue)))]
                while True:
                    try:
                        await store.store(taken)
                        break
                    except (DeadlockDetectedError, UniqueViolationError):
                        continue  # two processes crossed: Intake does the same

        await asyncio.gather(*(patient(Store(pool, "330499")) for pool in pools for _ in range(2)))
        for pool in pools:
            await pool.close()

    asyncio.run(run())
    assert rows(duty) == sorted(walk)
    with transaction(duty.engine) as session:
        counted = session.execute(text("SELECT sum(stored), sum(duplicate), count(*) FROM patrol.position_batches"))
        assert tuple(counted.one()) == (600, 600, 24)
        newest = session.execute(text("SELECT unit_id, device_at FROM patrol.last_positions")).all()
    assert dict(map(tuple, newest)) == {duty.east: duty.at(301), duty.west: duty.at(301)}


def test_an_older_fix_never_replaces_the_newest(database: Database, duty: Duty) -> None:
    stored(database, [batch(duty.walk(duty.east, 20))], [batch(duty.walk(duty.east, 20, first=900))])
    assert rows(duty, "SELECT device_at FROM patrol.last_positions") == [(duty.at(581),)]


def test_another_process_learns_what_the_first_has_stored(database: Database, duty: Duty) -> None:
    """A second process that knows nothing of these fixes stores none of them twice."""
    walk = duty.walk(duty.east, 30)

    async def run() -> Any:
        pool = await ingest_pool(database)
        first, second = Store(pool, "330499"), Store(pool, "330499")
        await second.store([batch(walk[:1])])
        await first.store([batch(walk)])
        result = await second.store([batch(walk)])
        await pool.close()
        return result

    result = asyncio.run(run())
    assert (result.stored, result.dropped["duplicate"]) == (0, 30)
    assert len(rows(duty)) == 30


def test_a_new_boundary_and_a_new_unit_are_seen_without_a_restart(database: Database, duty: Duty) -> None:
    async def run() -> None:
        pool = await ingest_pool(database)
        store = Store(pool, "330499")
        await store.store([batch(duty.walk(duty.east, 1, first=500))])
        unit = uuid4()
        with transaction(duty.engine) as session:
            duty.put_unit(session, unit, OTHER, WEST)
            session.execute(
                text(
                    "INSERT INTO patrol.areas SELECT 2, code, level, kind, parent_code,"
                    " replace(path, '101/', '103/'), geom, wkb_sha256, 2, leaf FROM patrol.areas"
                )
            )
            session.execute(text("INSERT INTO patrol.boundaries VALUES (2, 3, '', '330499/', now(), now())"))
        duty.started(unit, OTHER, WEST)
        await asyncio.sleep(1.1)
        await store.store([batch(duty.walk(unit, 1, first=400))])
        await pool.close()

    asyncio.run(run())
    statement = "SELECT device_at, path FROM patrol.positions JOIN patrol.area_paths a ON a.id = area_id"
    assert rows(duty, statement) == [(duty.at(500), EAST), (duty.at(400), "330499/330499103/")]


@pytest.mark.parametrize("crs", ["gcj02", "bd09"])
def test_positions_are_stored_as_wgs84(database: Database, duty: Duty, crs: str) -> None:
    from geo.coordinates import from_wgs84

    lon, lat = from_wgs84(121.5, 30.5, crs)
    stored(database, [batch([(duty.east, duty.at(1), lon, lat)], crs=crs)])
    assert rows(duty)[0][2:] == pytest.approx((121.5, 30.5), abs=1e-7)


def test_a_process_that_knows_less_does_not_put_the_newest_fix_back(database: Database, duty: Duty) -> None:
    early, late = duty.walk(duty.east, 1, first=500), duty.walk(duty.east, 1, first=100)

    async def run() -> None:
        pool = await ingest_pool(database)
        first, second = Store(pool, "330499"), Store(pool, "330499")
        await second.store([batch(duty.walk(duty.east, 1))])  # it knows this unit from now on
        await first.store([batch(late)])
        await second.store([batch(early)])
        await pool.close()

    asyncio.run(run())
    assert rows(duty, "SELECT device_at FROM patrol.last_positions") == [(duty.at(100),)]
