"""The patrol service at the edge: contract in, use case out. Positions come through `services.patrol.ingest`."""

from __future__ import annotations

from backbone.clock import system_clock
from backbone.database import Session
from backbone.entrypoints import command, every, subscribe, subscribe_batch
from backbone.outbox import Event
from contracts.grid.events import AgencyChanged, AreaChanged, AreaMerged, AreaMoved, AreaSplit, BoundaryPublished
from contracts.patrol.commands import MoveShift, PlanShift, PutUnit, Shift, Unit
from contracts.scope import Actor
from services.patrol import commands, reactions


class PatrolService:
    """Units and shifts: who is on duty where, and so whose positions are kept."""

    name = "patrol"
    announcers = {"shift": commands.announce_shifts}

    def __init__(self) -> None:
        self.clock = system_clock

    @command(PutUnit)
    def put_unit(self, session: Session, actor: Actor, asked: PutUnit) -> Unit:
        return commands.put_unit(session, actor, asked)

    @command(PlanShift)
    def plan_shift(self, session: Session, actor: Actor, asked: PlanShift) -> Shift:
        return commands.plan_shift(session, actor, asked, clock=self.clock)

    @command(MoveShift)
    def move_shift(self, session: Session, actor: Actor, asked: MoveShift) -> Shift:
        return commands.move_shift(session, actor, asked, clock=self.clock)

    @subscribe_batch(AreaChanged)
    def on_areas_changed(self, session: Session, events: list[Event[AreaChanged]]) -> None:
        reactions.areas_changed(session, events)

    @subscribe(BoundaryPublished)
    def on_boundary_published(self, session: Session, event: Event[BoundaryPublished]) -> None:
        reactions.boundary_published(session, event)

    @subscribe(AreaSplit)
    def on_area_split(self, session: Session, event: Event[AreaSplit]) -> None:
        reactions.area_succeeded(session, event.data.path, event.data.into[0])

    @subscribe(AreaMerged)
    def on_area_merged(self, session: Session, event: Event[AreaMerged]) -> None:
        reactions.area_succeeded(session, event.data.path, event.data.into)

    @subscribe(AreaMoved)
    def on_area_moved(self, session: Session, event: Event[AreaMoved]) -> None:
        reactions.area_succeeded(session, event.data.path, event.data.into)

    @subscribe_batch(AgencyChanged)
    def on_agencies_changed(self, session: Session, events: list[Event[AgencyChanged]]) -> None:
        reactions.agencies_changed(session, events)

    @every(seconds=1)
    def settle_boundaries(self, session: Session) -> None:
        reactions.settle_boundaries(session)

    @every(seconds=10)
    def end_overdue_shifts(self, session: Session) -> None:
        commands.end_overdue_shifts(session, clock=self.clock)

    @every(seconds=600)
    def make_partitions(self, session: Session) -> None:
        reactions.make_partitions(session, clock=self.clock)

    @every(seconds=3600)
    def forget(self, session: Session) -> None:
        reactions.forget(session, clock=self.clock)
