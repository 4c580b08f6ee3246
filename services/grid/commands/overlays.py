"""Zones for a purpose, and what other systems call an area."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from datetime import datetime
from typing import Any

import shapely
from geoalchemy2 import WKBElement
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from backbone.clock import Clock
from backbone.database import Session
from contracts.grid import errors
from contracts.grid.commands import AreaAliases, Overlay, PutAreaAliases, PutOverlay
from contracts.grid.commands.overlays import MOST_VERTICES
from contracts.scope import Actor
from geo.measure import area_m2
from services.grid import boundary
from services.grid.commands import links, rights, settling, upserts
from services.grid.tables import area_aliases, areas, overlays


def put_overlay(session: Session, actor: Actor, command: PutOverlay, *, clock: Clock) -> Overlay:
    """Draw or redraw a zone. Raises NotAllowed, NotVisible, NoBoundary, OutsideCounty, InvalidShape.

    Who draws it must be in charge of the area that holds it, before and after.
    """
    rights.require_county_role(actor)
    boundary.keep(session)
    wkb = b64decode(command.geometry)
    shape = _shape(wkb)
    current = boundary.required(session)
    element = WKBElement(wkb, srid=4326)
    path = _holder(session, current, element)
    rights.require_may_write(actor, path, *links.present_path(session, overlays, command.overlay_id))
    values = {
        "name": command.name,
        "kind": command.kind,
        "geom": element,
        "wkb_sha256": hashlib.sha256(wkb).hexdigest(),
        "original_crs": command.crs.value,
        "area_m2": round(area_m2(shape), 1),
        "area_path": path,
        "active": command.active,
    }
    version, _ = upserts.put(session, overlays, command.overlay_id, values, clock())
    shown = {name: values[name] for name in ("name", "kind", "area_path", "area_m2", "active")}
    return Overlay(overlay_id=command.overlay_id, version=version, **shown)


def settle_overlays(session: Session, version: int, county_path: str, now: datetime) -> None:
    """Zones keep their shape; which area holds them may be another one in a new boundary version."""
    settling.settle(session, overlays, version, county_path, now, holder=settling.NARROWEST_AROUND)


def put_area_aliases(session: Session, actor: Actor, command: PutAreaAliases, *, clock: Clock) -> AreaAliases:
    """Replace an area's list of other systems' codes. Raises NotAllowed, NotVisible, NoBoundary, UnknownArea,
    AliasTaken."""
    current = boundary.required(session)
    a, alias = areas.c, area_aliases.c
    path = session.execute(
        select(a.path).where(a.boundary_version == current.version, a.code == command.code)
    ).scalar_one_or_none()
    rights.require_county_role(actor)
    if path is None:
        raise errors.UnknownArea(field="code")
    rights.require_may_write(actor, path)
    wanted = {(each.system, each.alias) for each in command.aliases}
    rows = session.execute(select(alias.system, alias.alias).where(alias.code == command.code).with_for_update())
    present = {(system, value) for system, value in rows}
    for system, value in sorted(present - wanted):
        session.execute(delete(area_aliases).where(alias.system == system, alias.alias == value))
    now = clock()
    for system, value in sorted(wanted - present):
        row = {"system": system, "alias": value, "code": command.code, "created_at": now}
        made = insert(area_aliases).values(row).on_conflict_do_nothing().returning(alias.code)
        if session.execute(made).scalar_one_or_none() is None:
            raise errors.AliasTaken(field="aliases", expected="an alias that no other area has")
    return AreaAliases(code=command.code, aliases=command.aliases)


def _shape(wkb: bytes) -> Any:
    try:
        shape = shapely.from_wkb(wkb)
    except shapely.errors.GEOSException:
        raise errors.InvalidShape(field="geometry") from None
    if shape.geom_type not in ("Polygon", "MultiPolygon") or shape.is_empty or not shape.is_valid:
        raise errors.InvalidShape(field="geometry", expected="a valid polygon")
    if shapely.get_num_coordinates(shape) > MOST_VERTICES:
        raise errors.InvalidShape(field="geometry", expected=f"{MOST_VERTICES} vertices at most")
    return shape


def _holder(session: Session, current: boundary.Boundary, element: WKBElement) -> str:
    """The narrowest area that holds all of it; the county where it crosses its border. Raises OutsideCounty."""
    a = areas.c
    met = session.execute(
        select(a.path, a.geom.ST_Covers(element).label("whole"))
        .where(a.boundary_version == current.version, a.geom.ST_Intersects(element))
        .order_by(func.length(a.path).desc(), a.path)
    ).all()
    if not met:
        raise errors.OutsideCounty(field="geometry")
    return next((str(row.path) for row in met if row.whole), current.county_path)
