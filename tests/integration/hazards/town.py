"""A small county for hazards' tests: two towns, a village each, two square grids each, and who works there."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

import shapely
from shapely import box
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text

from backbone.areas_projection import digest, wkb_sha256
from backbone.database import Session, from_json, new_id
from backbone.outbox import Event
from contracts.areas import Level, ancestors, code_of
from contracts.grid.events import AgencyChanged, AreaChanged, BoundaryPublished, JurisdictionChanged
from contracts.hazards.commands import Case, MoveCase, ReportCase
from contracts.scope import Actor, Role, Scope, Sensitivity
from services.hazards import commands, reactions

NAMESPACE = UUID("00000000-0000-7000-8000-000000000000")
COUNTY = "330499/"
NORTH, SOUTH = "330499/330499101/", "330499/330499102/"
# Grids by their square: west edge, south edge; each 0.1 degree wide. North lies above 30.1.
GRIDS = {
    f"{NORTH}330499101201/330499101201001/": box(120.0, 30.1, 120.1, 30.2),
    f"{NORTH}330499101201/330499101201002/": box(120.1, 30.1, 120.2, 30.2),
    f"{SOUTH}330499102201/330499102201001/": box(120.0, 30.0, 120.1, 30.1),
    f"{SOUTH}330499102201/330499102201002/": box(120.1, 30.0, 120.2, 30.1),
}
NORTH_WEST, NORTH_EAST, SOUTH_WEST, SOUTH_EAST = ((120.05, 30.15), (120.15, 30.15), (120.05, 30.05), (120.15, 30.05))
OUTSIDE = (121.0, 31.0)
PHOTO = {"blob": "0" * 64, "media_type": "image/jpeg", "size_bytes": 1}
LEVELS = (Level.COUNTY, Level.TOWN, Level.VILLAGE, Level.GRID)


class Clock:
    """Time that passes only when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 15, 59, tzinfo=UTC)  # one minute before midnight in the county

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **step: float) -> None:
        self.now += timedelta(**step)


def agency_id(code: str) -> UUID:
    return uuid5(NAMESPACE, code)


def position(lon: float, lat: float, accuracy_m: float | None = None) -> dict[str, Any]:
    """Where somebody stands, as a move takes it."""
    original = {"crs": "wgs84", "lon": lon, "lat": lat}
    return {"lon": lon, "lat": lat, "original": original, "accuracy_m": accuracy_m}


def actor(role: Role, agency: str, *areas: str, ceiling: Sensitivity = Sensitivity.RESTRICTED) -> Actor:
    """A new account of an agency, with that agency's sight."""
    scope = Scope(areas=areas or (COUNTY,), ceiling=ceiling, agency_id=agency_id(agency))
    return Actor(uuid4(), agency_id(agency), frozenset({role}), scope)


@dataclass
class Town:
    """A county at work in one transaction: shorthand for commands, and looks at what they left behind."""

    session: Session
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.centre = actor(Role.COUNTY_OPERATOR, "county_centre")
        self.north = actor(Role.TOWN_OPERATOR, "north_centre", NORTH)
        self.south = actor(Role.TOWN_OPERATOR, "south_centre", SOUTH)
        self.worker = actor(Role.GRID_WORKER, "north_village", f"{NORTH}330499101201/")
        self.police = actor(Role.AGENCY_OFFICER, "north_police", NORTH)
        self.fire = actor(Role.AGENCY_OFFICER, "fire_brigade")

    def publish(self, version: int, grids: Mapping[str, BaseGeometry] | None = None) -> None:
        """A boundary version arrives whole and comes into force."""
        for event in self.boundary(version, grids or GRIDS):
            if isinstance(event.data, AreaChanged):
                reactions.areas_changed(self.session, [event])
            else:
                reactions.boundary_published(self.session, event)

    def boundary(self, version: int, grids: Mapping[str, BaseGeometry]) -> list[Event[Any]]:
        """Its events: the areas, then the publication."""
        shapes: dict[str, BaseGeometry] = {}
        for path, shape in grids.items():
            for above in ancestors(path):
                shapes[above] = shapely.union(shapes[above], shape) if above in shapes else shape
        events: list[Event[Any]] = []
        for path, shape in sorted(shapes.items()):
            chain = ancestors(path)
            data = AreaChanged(
                code=code_of(path),
                level=LEVELS[len(chain) - 1],
                parent_code=code_of(chain[-2]) if len(chain) > 1 else None,
                path=path,
                boundary_version=version,
                geometry=b64encode(shapely.to_wkb(shape)).decode(),
                lon=shape.centroid.x,
                lat=shape.centroid.y,
            )
            events.append(self.event(data, uuid5(NAMESPACE, data.code), version, path))
        lines = [(code_of(path), wkb_sha256(shapely.to_wkb(shape))) for path, shape in shapes.items()]
        published = BoundaryPublished(
            boundary_version=version, areas=len(shapes), digest=digest(lines), valid_from=self.clock()
        )
        return [*events, self.event(published, uuid5(NAMESPACE, "boundary"), version, COUNTY)]

    def event(self, data: Any, entity_id: UUID, version: int, path: str) -> Event[Any]:
        return Event(data, entity_id=entity_id, entity_version=version, area_path=path, occurred_at=self.clock())

    def agency(self, code: str, path: str = COUNTY, *, active: bool = True, version: int = 1) -> UUID:
        data = AgencyChanged(
            agency_id=agency_id(code), code=code, kind="office", parent_id=None, area_path=path, active=active
        )
        reactions.agencies_changed(self.session, [self.event(data, data.agency_id, version, path)])
        return data.agency_id

    def jurisdiction(self, agency: str, path: str, category: str | None = None, *, version: int = 1) -> None:
        data = JurisdictionChanged(
            jurisdiction_id=uuid5(NAMESPACE, f"{agency} {path} {category}"),
            agency_id=agency_id(agency),
            area_path=path,
            category=category,
            active=True,
        )
        reactions.jurisdictions_changed(self.session, [self.event(data, data.jurisdiction_id, version, path)])

    def staffed(self) -> None:
        """The agencies and who answers for what: fire everywhere, the police in the north, the centres else.

        Categories have their two hours alone, so that these tests hear one warning and one miss; checks need nothing
        until `strict`.
        """
        self.session.execute(
            text("UPDATE hazards.categories SET stages = '[]', check_on_site = false, check_photo = false")
        )
        for code in ("county_centre", "north_centre", "south_centre", "north_village", "north_police", "fire_brigade"):
            self.agency(code)
        self.jurisdiction("fire_brigade", COUNTY, "fire")
        self.jurisdiction("north_police", NORTH, "traffic")
        self.jurisdiction("south_centre", SOUTH)

    def report(self, by: Actor | None = None, at: tuple[float, float] = NORTH_WEST, **fields: Any) -> Case:
        by = by or self.worker
        return commands.report_case(self.session, by, self.asked(at, **fields), clock=self.clock, county_code="330499")

    def asked(self, at: tuple[float, float] = NORTH_WEST, **fields: Any) -> ReportCase:
        given: dict[str, Any] = {
            "case_id": new_id(),
            "category": "fire.charging",
            "source": "grid_worker",
            "description": "楼道内有电动车充电",
            "lon": at[0],
            "lat": at[1],
            "original": {"crs": "wgs84", "lon": at[0], "lat": at[1]},
            "occurred_at": self.clock(),
        }
        return ReportCase(**given | fields)

    def move(self, case: Case, move: str, by: Actor | None = None, **fields: Any) -> Case:
        asked = MoveCase(**{"case_id": case.case_id, "expected_version": case.version, "move": move} | fields)
        return commands.move_case(self.session, by or self.centre, asked, clock=self.clock)

    def strict(self) -> None:
        """The county has hazards checked at the place with a picture, and lets reporters appeal for 15 days."""
        self.session.execute(
            text(
                "UPDATE hazards.categories SET check_on_site = true, check_photo = true, check_radius_m = 100, "
                "reopen_days = 15 WHERE kind = 'hazard'"
            )
        )

    def dispatched(self, by: Actor | None = None, **fields: Any) -> Case:
        """A case with its lead agency: by the rules, the fire brigade."""
        case = self.report(by, **fields)
        for move in ("verify", "register", "dispatch"):
            case = self.move(case, move)
        return case

    def handled(self, by: Actor) -> Case:
        case = self.dispatched()
        for move in ("accept", "start", "finish"):
            case = self.move(case, move, by)
        return case

    def checked(self, case: Case, by: Actor | None = None, **fields: Any) -> Case:
        """A check that passes: at the place, with a picture."""
        there = position(case.body["lon"], case.body["lat"], 10)
        return self.move(case, "pass_check", by or self.north, **{"photo": PHOTO, **there, **fields})

    def closed(self) -> Case:
        return self.move(self.checked(self.handled(self.fire)), "close")

    def history(self, case: Case) -> list[Any]:
        found = self.session.execute(
            text("SELECT * FROM hazards.case_history WHERE case_id = :id ORDER BY seq"), {"id": case.case_id}
        )
        return list(found.mappings())

    def events(self, case: Case | None = None) -> list[dict[str, Any]]:
        """Envelopes in the outbox, in order."""
        found = self.session.execute(
            text("SELECT body FROM outbox WHERE entity = 'case' AND (:id IS NULL OR entity_id = :id) ORDER BY seq"),
            {"id": case.case_id if case else None},
        )
        return [from_json(body) for body in found.scalars()]

    def now(self, case: Case) -> Any:
        """The case's row."""
        found = self.session.execute(text("SELECT * FROM hazards.cases WHERE id = :id"), {"id": case.case_id})
        return found.mappings().one()
