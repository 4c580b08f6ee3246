"""How a read is run: by one plan for all, or planned for its values; nothing of it stays on the connection."""

from __future__ import annotations

from sqlalchemy import func, select

from backbone.statements import Query
from gateway.reads import Database as Pool
from gateway.reads import Reads
from tests.servers import Database


def mode(plan_anew: bool) -> Query:
    return Query(
        ("test.mode",), lambda: select(func.current_setting("plan_cache_mode").label("mode")), {}, plan_anew=plan_anew
    )


async def test_a_read_is_planned_for_its_values_only_where_it_says_so(database: Database) -> None:
    reads = Reads({"grid": Pool("grid", database.url("grid_read"), size=1)})
    try:
        found = [(await reads.rows("grid", mode(anew)))[0]["mode"] for anew in (False, True, False)]
    finally:
        await reads.close()
    assert found == ["auto", "force_custom_plan", "auto"]
