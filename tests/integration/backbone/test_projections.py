"""Another service's entities as a table: the newest state wins, whatever order the states come in."""

from __future__ import annotations

from itertools import permutations
from uuid import UUID, uuid4

from sqlalchemy import text

from backbone.database import engine, transaction
from backbone.projections import NewestStates
from services.hazards.tables import agencies
from tests.servers import Database


def test_the_newest_state_wins_in_whatever_order_a_batch_has_it(database: Database) -> None:
    kept = NewestStates(agencies)
    bind = engine(database.url("hazards_app"), pool_size=1)

    def state(agency: UUID, version: int) -> dict[str, object]:
        named = {"id": agency, "code": f"code{version}", "version": version}
        return {"kind": "toy", "parent_id": None, "area_path": "330499/", "active": True, **named}

    with transaction(bind) as session:
        for order in permutations((1, 2, 3)):
            together, one_by_one = uuid4(), uuid4()
            kept.keep(session, [state(together, version) for version in order])
            for version in order:
                kept.keep(session, [state(one_by_one, version)])
            found = session.execute(text("SELECT code, version FROM hazards.agencies")).all()
            assert [tuple(row) for row in found] == [("code3", 3)] * 2, order
            session.execute(text("DELETE FROM hazards.agencies"))
    bind.dispose()
