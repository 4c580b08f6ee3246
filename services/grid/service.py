"""The grid service at the edge: contract in, use case out."""

from __future__ import annotations

from backbone.clock import system_clock
from backbone.database import Session
from backbone.entrypoints import command, every
from contracts.commands import Announce, Announced
from contracts.grid.commands import (
    Agency,
    Alliance,
    AreaAliases,
    AreaImport,
    BoundaryRestored,
    ChangeUndone,
    Device,
    Jurisdiction,
    Leave,
    Overlay,
    Person,
    Place,
    PlaceCategory,
    PlaceContacts,
    PlaceHardware,
    PlaceQr,
    Post,
    PublishAreaImport,
    PutAgency,
    PutAlliance,
    PutAreaAliases,
    PutDevice,
    PutJurisdiction,
    PutLeave,
    PutOverlay,
    PutPerson,
    PutPlace,
    PutPlaceCategory,
    PutPlaceContacts,
    PutPlaceHardware,
    PutPost,
    RestoreBoundary,
    ReviewPlan,
    RevokePlaceQr,
    StartAreaImport,
    StartBoundaryChange,
    UndoBoundaryChange,
)
from contracts.scope import Actor
from services.grid import commands


class GridService:
    """The county's registry: areas, agencies, jurisdictions, people, posts, places, devices."""

    name = "grid"

    def __init__(self) -> None:
        self.clock = system_clock
        self.kept = commands.KEPT

    @command(StartAreaImport)
    def start_area_import(self, session: Session, actor: Actor, asked: StartAreaImport) -> AreaImport:
        return commands.start_area_import(session, actor, asked, clock=self.clock)

    @command(PublishAreaImport, alone=True)
    def publish_area_import(self, session: Session, actor: Actor, asked: PublishAreaImport) -> AreaImport:
        return commands.publish_area_import(session, actor, asked, clock=self.clock)

    @command(StartBoundaryChange)
    def start_boundary_change(self, session: Session, actor: Actor, asked: StartBoundaryChange) -> AreaImport:
        return commands.start_boundary_change(session, actor, asked, clock=self.clock)

    @command(ReviewPlan)
    def review_plan(self, session: Session, actor: Actor, asked: ReviewPlan) -> AreaImport:
        return commands.review_plan(session, actor, asked, clock=self.clock)

    @command(UndoBoundaryChange, alone=True)
    def undo_boundary_change(self, session: Session, actor: Actor, asked: UndoBoundaryChange) -> ChangeUndone:
        return commands.undo_boundary_change(session, actor, asked, clock=self.clock)

    @command(RestoreBoundary, alone=True)
    def restore_boundary(self, session: Session, actor: Actor, asked: RestoreBoundary) -> BoundaryRestored:
        return commands.restore_boundary(session, actor, asked, clock=self.clock)

    @command(PutAreaAliases)
    def put_area_aliases(self, session: Session, actor: Actor, asked: PutAreaAliases) -> AreaAliases:
        return commands.put_area_aliases(session, actor, asked, clock=self.clock)

    @command(PutOverlay)
    def put_overlay(self, session: Session, actor: Actor, asked: PutOverlay) -> Overlay:
        return commands.put_overlay(session, actor, asked, clock=self.clock)

    @command(PutAgency)
    def put_agency(self, session: Session, actor: Actor, asked: PutAgency) -> Agency:
        return commands.put_agency(session, actor, asked, clock=self.clock)

    @command(PutJurisdiction)
    def put_jurisdiction(self, session: Session, actor: Actor, asked: PutJurisdiction) -> Jurisdiction:
        return commands.put_jurisdiction(session, actor, asked, clock=self.clock)

    @command(PutPerson)
    def put_person(self, session: Session, actor: Actor, asked: PutPerson) -> Person:
        return commands.put_person(session, actor, asked, clock=self.clock)

    @command(PutPost)
    def put_post(self, session: Session, actor: Actor, asked: PutPost) -> Post:
        return commands.put_post(session, actor, asked, clock=self.clock)

    @command(PutLeave)
    def put_leave(self, session: Session, actor: Actor, asked: PutLeave) -> Leave:
        return commands.put_leave(session, actor, asked, clock=self.clock)

    @command(PutPlace)
    def put_place(self, session: Session, actor: Actor, asked: PutPlace) -> Place:
        return commands.put_place(session, actor, asked, clock=self.clock)

    @command(PutDevice)
    def put_device(self, session: Session, actor: Actor, asked: PutDevice) -> Device:
        return commands.put_device(session, actor, asked, clock=self.clock)

    @command(PutPlaceCategory)
    def put_place_category(self, session: Session, actor: Actor, asked: PutPlaceCategory) -> PlaceCategory:
        return commands.put_place_category(session, actor, asked, clock=self.clock)

    @command(PutPlaceContacts)
    def put_place_contacts(self, session: Session, actor: Actor, asked: PutPlaceContacts) -> PlaceContacts:
        return commands.put_place_contacts(session, actor, asked, clock=self.clock)

    @command(PutPlaceHardware)
    def put_place_hardware(self, session: Session, actor: Actor, asked: PutPlaceHardware) -> PlaceHardware:
        return commands.put_place_hardware(session, actor, asked, clock=self.clock)

    @command(RevokePlaceQr)
    def revoke_place_qr(self, session: Session, actor: Actor, asked: RevokePlaceQr) -> PlaceQr:
        return commands.revoke_place_qr(session, actor, asked, clock=self.clock)

    @command(PutAlliance)
    def put_alliance(self, session: Session, actor: Actor, asked: PutAlliance) -> Alliance:
        return commands.put_alliance(session, actor, asked, clock=self.clock)

    @command(Announce, alone=True)
    def announce(self, session: Session, actor: Actor, asked: Announce) -> Announced:
        return commands.announce(session, actor, asked, clock=self.clock)

    @every(seconds=30)
    def fail_abandoned_imports(self, session: Session) -> None:
        commands.fail_abandoned_imports(session)

    @every(seconds=10)
    def tell_due_filings(self, session: Session) -> bool:
        return commands.tell_due_filings(session, clock=self.clock)
