"""Who may route and who may link: inside the own areas, and as long as one takes part."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from backbone.database import engine, transaction
from contracts.hazards.commands import LinkExternalRef, PutRoutingRule
from contracts.refusals import NotAllowed
from contracts.scope import Actor
from services.hazards import commands
from tests.integration.hazards.town import NORTH, SOUTH, Town, agency_id
from tests.servers import Database


def link(town: Town, case: Any, by: Actor, foreign_id: str) -> Any:
    asked = LinkExternalRef(case_id=case.case_id, system="fire-command", id=foreign_id)
    return commands.link_external_ref(town.session, by, asked, clock=town.clock)


def test_a_former_agency_reads_a_case_and_links_nothing_more_to_it(town: Town) -> None:
    case = town.dispatched()
    assert link(town, case, town.fire, "F-1").body["external_refs"]
    fire = Actor(uuid4(), agency_id("fire_brigade"), town.fire.roles, town.fire.scope)
    elsewhere = Actor(
        fire.account_id, fire.agency_id, fire.roles, type(fire.scope)(areas=(SOUTH,), agency_id=fire.agency_id)
    )
    assert link(town, case, elsewhere, "F-2")  # it leads, wherever its own areas lie
    town.move(case, "return", fire, reason="非本单位")
    with pytest.raises(NotAllowed):
        link(town, case, elsewhere, "F-3")
    assert link(town, case, town.north, "F-3")


def test_a_rule_made_a_moment_ago_by_another_town_is_not_taken_over(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINGAN_COUNTY_CODE", "330499")
    bind = engine(database.url("hazards_app"))
    with transaction(bind) as session:
        town = Town(session)
        town.publish(1)
        town.staffed()
    theirs = PutRoutingRule(rule_id=uuid4(), position=1, area_path=NORTH, agency_id=agency_id("north_police"))
    ours = theirs.model_copy(update={"area_path": SOUTH, "agency_id": agency_id("south_centre")})

    def put_ours() -> Any:
        with transaction(bind) as session:
            return commands.put_routing_rule(session, town.south, ours, clock=town.clock)

    with ThreadPoolExecutor(1) as other:
        with transaction(bind) as session:
            made = commands.put_routing_rule(session, town.north, theirs, clock=town.clock)
            late = other.submit(put_ours)
            time.sleep(0.3)
            assert not late.done()
            assert commands.put_routing_rule(session, town.north, theirs, clock=town.clock) == made
            moved = theirs.model_copy(update={"position": 2})
            assert commands.put_routing_rule(session, town.north, moved, clock=town.clock).version == 2
        with pytest.raises(NotAllowed):
            late.result()
    bind.dispose()
