"""What a queue's handlers are given: in which order, and how many at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from backbone.inbox import Handlers
from backbone.outbox import Event, received
from contracts.envelope import Envelope, EventData
from contracts.grid.events import AgencyChanged, AreaChanged, BoundaryPublished, JurisdictionChanged

SESSION: Any = object()


def events(*kinds: type[EventData]) -> list[Event[Any]]:
    return [event(kind) for kind in kinds]


def event(kind: type[EventData]) -> Event[Any]:
    entity = uuid4()
    envelope = Envelope(
        id=uuid4(),
        source="/pingan/330499/grid",
        type=kind.type,
        subject=f"{kind.entity()}/{entity}",
        time=datetime.now(UTC),
        areapath="330499/",
        sensitivity=1,
        entityversion=1,
        occurredat=datetime.now(UTC),
        correlationid="test",
        data={},
    )
    return received(envelope, kind.model_construct())


class Notes:
    def __init__(self) -> None:
        self.given: list[list[Event[Any]]] = []

    def one(self, _session: Any, each: Event[Any]) -> None:
        self.given.append([each])

    def several(self, _session: Any, events: list[Event[Any]]) -> None:
        self.given.append(events)


@pytest.fixture
def notes() -> Notes:
    return Notes()


def test_neighbours_of_one_handler_come_together_and_the_order_of_all_stays(notes: Notes) -> None:
    handlers = Handlers(
        by_type={BoundaryPublished.type: notes.one},
        together={AreaChanged.type: notes.several, AgencyChanged.type: notes.several},
    )
    a, b, c, d, e = events(AreaChanged, AgencyChanged, BoundaryPublished, AreaChanged, AreaChanged)
    handlers.run(SESSION, [a, b, c, d, e])
    assert notes.given == [[a, b], [c], [d, e]]


def test_two_handlers_of_several_never_take_from_each_other(notes: Notes) -> None:
    others = Notes()
    handlers = Handlers(together={AreaChanged.type: notes.several, AgencyChanged.type: others.several})
    a, b, c = events(AreaChanged, AgencyChanged, AreaChanged)
    handlers.run(SESSION, [a, b, c])
    assert (notes.given, others.given) == ([[a], [c]], [[b]])


def test_types_that_nobody_asked_for_are_passed_over(notes: Notes) -> None:
    handlers = Handlers(together={AreaChanged.type: notes.several})
    handlers.run(SESSION, [event(JurisdictionChanged)])
    assert notes.given == []
