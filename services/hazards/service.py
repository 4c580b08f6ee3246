"""The hazards service at the edge: contract in, use case out."""

from __future__ import annotations

from backbone.clock import process_clock
from backbone.database import Session
from backbone.entrypoints import command, command_batch, every, offload, subscribe, subscribe_batch
from backbone.idempotency import Asked
from backbone.outbox import Event
from backbone.settings import PlatformSettings
from contracts.grid.events import (
    AgencyChanged,
    AreaChanged,
    AreaMerged,
    AreaMoved,
    AreaSplit,
    BoundaryPublished,
    JurisdictionChanged,
)
from contracts.hazards.commands import (
    AppealByFollowCode,
    CalendarDays,
    Case,
    CaseExport,
    CasesMoved,
    Category,
    ExportCases,
    KeepFile,
    KeptFile,
    LinkExternalRef,
    MoveCase,
    MoveCases,
    PutCalendarDays,
    PutCategory,
    PutRoutingRule,
    PutSavedFilter,
    PutSupervisionRules,
    RateByFollowCode,
    Rated,
    RemoveSavedFilter,
    Reopened,
    ReportCase,
    RerunRouting,
    RoutingRule,
    RoutingRun,
    SavedFilter,
    SavedFilterRemoved,
    SupervisionRules,
)
from contracts.scope import Actor
from geo.cells import CellsHolder
from services.hazards import commands, daily, deadlines, reactions, rechecks, visits


class HazardsService:
    """Cases of hazards, disputes and requests."""

    name = "hazards"
    announcers = {"case": commands.announce_cases}

    def __init__(self) -> None:
        settings = PlatformSettings()
        self.clock = process_clock(demo=settings.demo)
        self.cells = CellsHolder()
        self.county_code = settings.county_code
        self.kept = commands.KEPT

    @command_batch(ReportCase)
    def report_cases(self, session: Session, asked: list[Asked[ReportCase]]) -> list[Case]:
        county, cells = self.county_code, self.cells
        return commands.report_cases(session, asked, clock=self.clock, county_code=county, cells=cells)

    @command(MoveCase)
    def move_case(self, session: Session, actor: Actor, asked: MoveCase) -> Case:
        return commands.move_case(session, actor, asked, clock=self.clock, cells=self.cells)

    @command(MoveCases)
    def move_cases(self, session: Session, actor: Actor, asked: MoveCases) -> CasesMoved:
        return commands.move_cases(session, actor, asked, clock=self.clock, cells=self.cells)

    @command(LinkExternalRef)
    def link_external_ref(self, session: Session, actor: Actor, asked: LinkExternalRef) -> Case:
        return commands.link_external_ref(session, actor, asked, clock=self.clock)

    @command(KeepFile)
    def keep_file(self, session: Session, actor: Actor, asked: KeepFile) -> KeptFile:
        return commands.keep_file(session, actor, asked, clock=self.clock)

    @command(PutRoutingRule)
    def put_routing_rule(self, session: Session, actor: Actor, asked: PutRoutingRule) -> RoutingRule:
        return commands.put_routing_rule(session, actor, asked, clock=self.clock)

    @command(PutCalendarDays)
    def put_calendar_days(self, session: Session, actor: Actor, asked: PutCalendarDays) -> CalendarDays:
        return commands.put_calendar_days(session, actor, asked, clock=self.clock)

    @command(RerunRouting)
    def rerun_routing(self, session: Session, actor: Actor, asked: RerunRouting) -> RoutingRun:
        return commands.rerun_routing(session, actor, asked, clock=self.clock)

    @command(PutCategory)
    def put_category(self, session: Session, actor: Actor, asked: PutCategory) -> Category:
        return commands.put_category(session, actor, asked, clock=self.clock)

    @command(PutSupervisionRules)
    def put_supervision_rules(self, session: Session, actor: Actor, asked: PutSupervisionRules) -> SupervisionRules:
        return commands.put_supervision_rules(session, actor, asked, clock=self.clock)

    @command(RateByFollowCode)
    def rate_by_follow_code(self, session: Session, actor: Actor, asked: RateByFollowCode) -> Rated:
        return commands.rate_by_follow_code(session, actor, asked, clock=self.clock)

    @command(AppealByFollowCode)
    def appeal_by_follow_code(self, session: Session, actor: Actor, asked: AppealByFollowCode) -> Reopened:
        return commands.appeal_by_follow_code(session, actor, asked, clock=self.clock)

    @command(PutSavedFilter)
    def put_saved_filter(self, session: Session, actor: Actor, asked: PutSavedFilter) -> SavedFilter:
        return commands.put_saved_filter(session, actor, asked, clock=self.clock)

    @command(RemoveSavedFilter)
    def remove_saved_filter(self, session: Session, actor: Actor, asked: RemoveSavedFilter) -> SavedFilterRemoved:
        return commands.remove_saved_filter(session, actor, asked, clock=self.clock)

    @command(ExportCases)
    def export_cases(self, session: Session, actor: Actor, asked: ExportCases) -> CaseExport:
        return commands.export_cases(session, actor, asked, clock=self.clock)

    @subscribe_batch(AreaChanged)
    def on_areas_changed(self, session: Session, events: list[Event[AreaChanged]]) -> None:
        reactions.areas_changed(session, events)

    @subscribe(BoundaryPublished)
    def on_boundary_published(self, session: Session, event: Event[BoundaryPublished]) -> None:
        reactions.boundary_published(session, event)

    @subscribe(AreaSplit)
    def on_area_split(self, session: Session, event: Event[AreaSplit]) -> None:
        reactions.area_succeeded(session, event.data.path, event.data.into)

    @subscribe(AreaMerged)
    def on_area_merged(self, session: Session, event: Event[AreaMerged]) -> None:
        reactions.area_succeeded(session, event.data.path, [event.data.into])

    @subscribe(AreaMoved)
    def on_area_moved(self, session: Session, event: Event[AreaMoved]) -> None:
        reactions.area_succeeded(session, event.data.path, [event.data.into])

    @subscribe_batch(AgencyChanged)
    def on_agencies_changed(self, session: Session, events: list[Event[AgencyChanged]]) -> None:
        reactions.agencies_changed(session, events)

    @subscribe_batch(JurisdictionChanged)
    def on_jurisdictions_changed(self, session: Session, events: list[Event[JurisdictionChanged]]) -> None:
        reactions.jurisdictions_changed(session, events)

    @every(seconds=1)
    def ring_deadlines(self, session: Session) -> None:
        deadlines.resume(session, clock=self.clock)
        deadlines.recount(session, clock=self.clock)
        deadlines.ring(session, clock=self.clock)

    @every(seconds=600)
    def seal_days(self, session: Session) -> None:
        daily.seal_days(session, clock=self.clock)

    @every(seconds=1)
    def ring_visits(self, session: Session) -> None:
        visits.ring(session, clock=self.clock)
        rechecks.ring(session, clock=self.clock)

    @every(seconds=1)
    def follow_boundary(self, session: Session) -> None:
        reactions.settle_boundary(session)
        reactions.follow_boundary(session, clock=self.clock)

    @every(seconds=1, everywhere=True)
    def refresh_cells(self, session: Session) -> None:
        reactions.refresh_cells(session, self.cells, offload)

    @every(seconds=5)
    def fold_counts(self, session: Session) -> None:
        commands.fold_counts(session)

    @every(seconds=60)
    def expire_exports(self, session: Session) -> None:
        commands.expire_exports(session, clock=self.clock)
