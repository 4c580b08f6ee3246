"""Handlers that take several events: one statement for all, and each alone when one of them fails."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, Text
from sqlalchemy import Uuid as UuidType

from backbone.database import Session, engine, transaction
from backbone.inbox import Delivery, Handlers, Inbox
from backbone.outbox import Event
from backbone.projections import NewestStates
from contracts.grid.events import AgencyChanged
from tests.integration.backbone.conftest import Stage
from tests.integration.backbone.toy_grid import changed

COLUMNS = (Column("id", UuidType(), primary_key=True), Column("version", BigInteger), Column("code", Text))
STATES = NewestStates(Table("toy_projection", MetaData(), *COLUMNS))


class Consumer:
    """An inbox whose handler keeps agencies' newest states, and breaks on the code `fail`."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.sizes = stage, list[int]()
        self.engine = engine(stage.settings["PINGAN_HAZARDS_DATABASE_URL"], pool_size=2)
        self.inbox = Inbox(self.engine, "hazards.on-agencies", Handlers(together={AgencyChanged.type: self.keep}))

    def keep(self, session: Session, events: list[Event[AgencyChanged]]) -> None:
        self.sizes.append(len(events))
        STATES.keep(session, [row(each) for each in events])
        if any(each.data.code == "fail" for each in events):
            raise ValueError("fail")

    def hears(self, *said: Event[AgencyChanged]) -> None:
        from backbone import outbox

        with self.stage.database("grid").begin() as session:
            outbox.append(session, *said)
        rows = self.stage.rows("grid", "SELECT body FROM outbox ORDER BY seq")
        self.inbox.apply([Delivery(row.body.encode()) for row in rows[-len(said) :]])

    def known(self) -> dict[UUID, tuple[int, str]]:
        rows = self.stage.rows("hazards", "SELECT id, version, code FROM toy_projection")
        return {each.id: (each.version, each.code) for each in rows}

    def inbox_states(self) -> list[str]:
        return [each.status for each in self.stage.rows("hazards", "SELECT status FROM inbox ORDER BY seq")]


def row(event: Event[AgencyChanged]) -> dict[str, Any]:
    return {"id": event.entity_id, "version": event.entity_version, "code": event.data.code}


@pytest.fixture
def consumer(stage: Stage) -> Any:
    made = Consumer(stage)
    yield made
    made.engine.dispose()


def test_a_batch_is_one_call_and_the_newest_state_of_each_entity_stays(consumer: Consumer) -> None:
    one, two = uuid4(), uuid4()
    consumer.hears(changed(one, 1, "a"), changed(two, 1, "x"), changed(one, 2, "b"), changed(one, 3, "c"))
    assert consumer.sizes == [4]
    assert consumer.known() == {one: (3, "c"), two: (1, "x")}


def test_an_older_state_that_comes_in_a_later_batch_changes_nothing(consumer: Consumer) -> None:
    one, two = uuid4(), uuid4()
    consumer.hears(changed(one, 5, "new"), changed(two, 1, "x"))
    consumer.hears(changed(one, 4, "old"), changed(two, 2, "y"))
    assert consumer.known() == {one: (5, "new"), two: (2, "y")}


def test_one_event_that_fails_takes_no_other_with_it(consumer: Consumer) -> None:
    ids = [uuid4() for _ in range(4)]
    consumer.hears(*(changed(each, 1, "fail" if n == 2 else "fine") for n, each in enumerate(ids)))
    assert consumer.sizes == [4, 1, 1, 1, 1]
    assert consumer.known().keys() == {*ids[:2], ids[3]}
    assert sorted(consumer.inbox_states()) == ["done", "done", "done", "failed"]


def test_a_later_event_of_a_failed_entity_waits_behind_it(consumer: Consumer) -> None:
    one, two = uuid4(), uuid4()
    consumer.hears(changed(one, 1, "fail"), changed(two, 1, "x"))
    consumer.hears(changed(one, 2, "later"), changed(two, 2, "y"))
    assert consumer.known() == {two: (2, "y")}
    assert sorted(consumer.inbox_states()) == ["done", "done", "failed", "waiting"]


def test_values_reach_the_table_as_they_are(consumer: Consumer) -> None:
    code = """'"\\ %s :x 平安 {"""
    one = uuid4()
    with transaction(consumer.engine) as session:
        STATES.keep(session, [{"id": one, "version": 1, "code": code}])
    assert consumer.known()[one] == (1, code)
