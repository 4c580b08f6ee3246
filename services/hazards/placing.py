"""Where a point lies and who answers there: hazards' own projections of grid's facts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from backbone.areas_projection import Located
from backbone.database import Session
from contracts.areas import ancestors
from contracts.hazards.errors import NoBoundary, UnknownAgency, UnknownCategory
from geo.cells import CellsHolder
from services.hazards.domain.routing import Jurisdiction, RoutingRule, prefixes, responsible_agency
from services.hazards.tables import agencies, categories, jurisdictions, projection, routing_rules

_CATEGORY = select(categories).where(categories.c.code == bindparam("code"))


def locate(session: Session, cells: CellsHolder | None, lon: float, lat: float) -> Located:
    """The current area of a WGS84 point; outside every area the county's path, unassigned.

    Raises NoBoundary before the first boundary version is in force.
    """
    current = projection.current(session)
    if current is None:
        raise NoBoundary()
    return locate_in(session, *current, cells, lon, lat)


def locate_in(
    session: Session, version: int, county: str, cells: CellsHolder | None, lon: float, lat: float
) -> Located:
    """The same where the version in force and its county's path are known."""
    held = cells.current if cells is not None else None
    if held is not None and held.version == version:
        path = held.locate(lon, lat)
        return Located(path or county, version, path is None)
    # A new version is in force and this process still builds its cells: PostGIS knows.
    located = projection.locate(session, lon, lat)
    if located is None:
        raise NoBoundary()
    return located


def category(session: Session, code: str) -> Any:
    """An active category's row. Raises UnknownCategory."""
    row = session.execute(_CATEGORY, {"code": code}).one_or_none()
    if row is None or not row.active:
        raise unknown_category(code)
    return row


def unknown_category(code: str) -> UnknownCategory:
    """The refusal of a category that is not there or not active."""
    return UnknownCategory(f"No active category '{code}'.", field="category", expected="a code of GET /v1/categories")


def any_category(session: Session, code: str) -> Any:
    """A category's row, active or not: a case's own category always has one."""
    return session.execute(_CATEGORY, {"code": code}).one()


def require_agency(session: Session, agency_id: UUID, field: str) -> UUID:
    """The id itself, once an active agency is known to have it. Raises UnknownAgency."""
    known = session.execute(
        select(agencies.c.id).where(agencies.c.id == agency_id, agencies.c.active)
    ).scalar_one_or_none()
    if known is None:
        raise UnknownAgency(field=field)
    return agency_id


def responsible(session: Session, code: str, area_path: str) -> UUID | None:
    """The active agency that rules or jurisdictions name for a category in an area; None when nobody is named."""
    roots, patterns = list(ancestors(area_path)), prefixes(code)
    rule, law = routing_rules.c, jurisdictions.c
    rules = session.execute(
        select(rule.id, rule.position, rule.category, rule.area_path, rule.agency_id)
        .join(agencies, agencies.c.id == rule.agency_id)
        .where(
            rule.active,
            agencies.c.active,
            rule.area_path.in_(roots),
            rule.category.is_(None) | rule.category.in_(patterns),
        )
    )
    named = session.execute(
        select(law.agency_id, law.category, law.area_path)
        .join(agencies, agencies.c.id == law.agency_id)
        .where(
            law.active, agencies.c.active, law.area_path.in_(roots), law.category.is_(None) | law.category.in_(patterns)
        )
    )
    return responsible_agency(
        code, area_path, (RoutingRule(*row) for row in rules), (Jurisdiction(*row) for row in named)
    )
