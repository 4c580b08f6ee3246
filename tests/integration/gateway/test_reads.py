"""How a read is run: by one plan for all, or planned for its values; nothing of it stays on the connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select

from backbone.statements import Query
from gateway.problems import Problem
from gateway.reads import Database as Pool
from gateway.reads import Reads
from tests.servers import Database


def mode(plan_anew: bool) -> Query:
    return Query(
        ("test.mode",), lambda: select(func.current_setting("plan_cache_mode").label("mode")), {}, plan_anew=plan_anew
    )


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[Pool]:
    """Of one connection: whatever a read leaves on it, the next one meets."""
    pool = Pool("grid", database.url("grid_read"), size=1)
    yield pool
    await pool.close()


async def test_a_read_is_planned_for_its_values_only_where_it_says_so(pool: Pool) -> None:
    reads = Reads({"grid": pool})
    found = [(await reads.rows("grid", mode(anew)))[0]["mode"] for anew in (False, True, False)]
    assert found == ["auto", "force_custom_plan", "auto"]


async def test_nothing_of_a_read_is_there_for_the_next_even_where_it_failed_or_was_given_up(pool: Pool) -> None:
    reads = Reads({"grid": pool})
    policy = {"pingan.scope_areas": '["330499/"]', "plan_cache_mode": "force_generic_plan"}
    session = """SELECT pg_backend_pid() AS pid, (SELECT count(*) FROM pg_locks
        WHERE pid = pg_backend_pid() AND locktype = 'advisory') AS locks, current_setting('plan_cache_mode') AS mode,
        coalesce(nullif(current_setting('pingan.scope_areas', true), ''), 'none') AS areas"""
    before = dict((await pool.fetch(session))[0])
    assert (before["locks"], before["mode"], before["areas"]) == (0, "auto", "none")

    under = await reads.rows_under_policy("grid", policy, mode(plan_anew=False))
    assert under[0]["mode"] == "force_generic_plan"
    assert dict((await pool.fetch(session))[0]) == before, "after a read under a policy"

    with pytest.raises(Problem):
        await pool.fetch("SELECT 1 / length($1::text)", "", plan_anew=True)
    assert dict((await pool.fetch(session))[0]) == before, "after an error"

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await pool.fetch("SELECT pg_sleep(5)", plan_anew=True)
    after = dict((await pool.fetch(session))[0])
    assert after | {"pid": before["pid"]} == before, "after one that was given up, perhaps on a new connection"
