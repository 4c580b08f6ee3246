"""Parent and child cases: no circles, the parent's count always right, and closed after its children."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from backbone import database as db
from contracts.hazards.commands import Case
from contracts.hazards.errors import CaseCircle, CasesTooDeep, IllegalMove, ParentEnded, UnknownParent
from contracts.refusals import NotAllowed, Refusal
from tests.integration.hazards.town import SOUTH_WEST, Town
from tests.servers import Database


def linked(town: Town, child: Case, parent: Case) -> Case:
    return town.move(child, "link_parent", parent_case_id=parent.case_id)


def again(town: Town, case: Case) -> Case:
    """The case as it is now."""
    row = town.now(case)
    return case.model_copy(update={"version": row["version"], "state": row["state"]})


def closed(town: Town, case: Case) -> Case:
    case = town.move(again(town, case), "settle", town.worker, note="已清理")
    return town.move(town.move(case, "pass_check", town.north), "close", town.north)


def test_a_parent_closes_after_its_children(town: Town) -> None:
    parent, children = town.report(), [town.report() for _ in range(2)]
    for child in children:
        assert linked(town, child, parent).body["parent_case_id"] == str(parent.case_id)
    assert town.now(parent)["open_children"] == 2
    checked = town.move(town.move(again(town, parent), "settle", town.worker, note="已清理"), "pass_check", town.north)
    with pytest.raises(IllegalMove) as refused:
        town.move(checked, "close", town.north)
    assert [each["condition"] for each in refused.value.extra["unmet"]] == ["children_ended"]
    closed(town, children[0])
    town.move(again(town, children[1]), "void", reason="误报")
    assert town.move(again(town, parent), "close", town.north).state == "closed"
    moves = [row["move"] for row in town.history(parent)]
    assert moves == [
        *("report", "link_child", "link_child", "settle", "pass_check", "end_child", "end_child", "close"),
    ]
    events = town.events(parent)
    assert [each["data"]["open_children"] for each in events] == [0, 1, 2, 2, 2, 1, 0, 0]
    assert {each["type"] for each in events if "child" in each["data"]["move"]} == {"county.hazards.case.linked.v1"}


def test_a_child_that_opens_again_is_counted_again(town: Town) -> None:
    parent, child = town.report(), town.report()
    linked(town, child, parent)
    done = closed(town, child)
    assert town.now(parent)["open_children"] == 0
    town.move(done, "reopen", reason="隐患复发")
    assert town.now(parent)["open_children"] == 1
    assert [row["move"] for row in town.history(parent)][-2:] == ["end_child", "reopen_child"]


def test_a_child_that_leaves_is_counted_no_longer(town: Town) -> None:
    parent, child = town.report(), town.report()
    child = linked(town, child, parent)
    with pytest.raises(IllegalMove):
        linked(town, child, town.report())
    child = town.move(child, "unlink_parent", reason="并无关联")
    assert (child.body["parent_case_id"], town.now(parent)["open_children"]) == (None, 0)
    assert [row["move"] for row in town.history(parent)] == ["report", "link_child", "unlink_child"]


def test_no_case_stands_below_itself(town: Town) -> None:
    first, second, third = (town.report() for _ in range(3))
    with pytest.raises(CaseCircle):
        linked(town, first, first)
    linked(town, second, first)
    linked(town, third, second)
    for above in (second, third):
        with pytest.raises(CaseCircle):
            linked(town, again(town, first), above)


def test_families_have_four_levels_at_most_however_they_grow(town: Town) -> None:
    line = [town.report() for _ in range(5)]
    for child, parent in ((1, 0), (3, 2), (4, 3)):
        linked(town, again(town, line[child]), line[parent])
    with pytest.raises(CasesTooDeep):
        linked(town, again(town, line[2]), line[1])
    assert linked(town, again(town, line[2]), line[0]).body["parent_case_id"] == str(line[0].case_id)


def test_what_ends_or_is_not_seen_is_no_parent(town: Town) -> None:
    child, ended, far = town.report(), town.report(), town.report(at=SOUTH_WEST)
    town.move(ended, "void", reason="误报")
    with pytest.raises(ParentEnded):
        linked(town, child, ended)
    for unseen in (far.case_id, uuid4()):
        with pytest.raises(UnknownParent):
            town.move(child, "link_parent", town.north, parent_case_id=unseen)
    takes_part = town.report(town.north, at=SOUTH_WEST)
    with pytest.raises(NotAllowed):  # seen, but not a case that north may keep from being closed
        town.move(child, "link_parent", town.north, parent_case_id=takes_part.case_id)
    assert len(town.history(child)) == 1


@pytest.mark.parametrize("seed", range(6))
def test_after_any_walk_every_count_is_that_of_the_open_children(town: Town, seed: int) -> None:
    chance = random.Random(seed)
    cases = [town.report() for _ in range(5)]
    moves = ["link_parent", "link_parent", "unlink_parent", "void", "refuse", "reopen", "settle", "pass_check", "close"]
    for _ in range(80):
        case, move = again(town, chance.choice(cases)), chance.choice(moves)
        given: dict[str, Any] = {"reason": "随机", "note": "随机"}
        if move == "link_parent":
            given["parent_case_id"] = chance.choice(cases).case_id
        with contextlib.suppress(Refusal):
            town.move(case, move, town.worker if move == "settle" else town.centre, **given)
    counts = text("""
        SELECT p.id, p.open_children,
               count(c.id) FILTER (WHERE c.state NOT IN ('closed', 'refused', 'voided', 'merged'))
        FROM hazards.cases p LEFT JOIN hazards.cases c ON c.parent_case_id = p.id GROUP BY p.id
    """)
    assert all(said == true for _, said, true in town.session.execute(counts))


@pytest.fixture
def apart(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[db.Engine]:
    """A database whose transactions really commit."""
    monkeypatch.setenv("PINGAN_COUNTY_CODE", "330499")
    engine = db.engine(database.url("hazards_app"))
    yield engine
    engine.dispose()


def test_two_links_at_once_make_no_circle_and_wait_for_nobody(apart: db.Engine) -> None:
    with db.transaction(apart) as session:
        town = Town(session)
        town.publish(1)
        town.staffed()
    for _ in range(10):
        with db.transaction(apart) as session:
            town.session = session
            pair = town.report(), town.report()
        met: list[str] = []
        ready = threading.Barrier(2)

        def link(child: Case, parent: Case, ready: threading.Barrier = ready, met: list[str] = met) -> None:
            ready.wait()
            try:
                with db.transaction(apart) as session:
                    mine = Town(session, town.clock)
                    # The parent's version moves on when the other link comes first.
                    linked(mine, again(mine, child), parent)
                met.append("linked")
            except Exception as error:
                met.append(type(error).__name__)

        threads = [threading.Thread(target=link, args=args) for args in (pair, pair[::-1])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert "linked" in met
        assert set(met) <= {"linked", "CaseCircle", "StaleVersion"}, met
        assert met.count("linked") == 1
