"""Where a point lies and who answers there: hazards' own projections of grid's facts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, bindparam, cast, func, select, text

from backbone.areas_projection import Located
from backbone.clock import COUNTY_TIME
from backbone.database import Session, from_json, to_json
from backbone.prepared import Prepared
from contracts.areas import ancestors
from contracts.hazards.errors import NoBoundary, UnknownAgency, UnknownCategory
from geo.cells import CellsHolder
from services.hazards.domain.routing import Answer, Asked, Book, prefixes
from services.hazards.queries.routing_book import book_json, book_of
from services.hazards.tables import agencies, categories, projection

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


def _candidates(category: ColumnElement[Any], area_path: ColumnElement[Any]) -> ColumnElement[bool]:
    return (area_path == func.any(cast(bindparam("roots"), ARRAY(Text)))) & (
        category.is_(None) | (category == func.any(cast(bindparam("prefixes"), ARRAY(Text))))
    )


# One statement names everybody who could answer for a case; built once.
_CANDIDATES = Prepared(select(cast(book_json(_candidates), Text)))
_EVERYBODY = select(cast(book_json(), Text))
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('hazards.routing_rules'))")
_NOTE_SHADOWS = text("""
UPDATE hazards.routing_rules SET shadowed_by = CAST(CAST(:shadows AS jsonb) ->> id::text AS uuid)
WHERE shadowed_by IS DISTINCT FROM CAST(CAST(:shadows AS jsonb) ->> id::text AS uuid)
""")


def responsible(session: Session, case: Mapping[Any, Any], now: datetime) -> Answer:
    """Who answers for a case (category, area_path, source, grade) that is dispatched now, who assists, and what says
    so: a rule, a jurisdiction, the category's default, or nobody."""
    asked = asked_of(case, now)
    body = _CANDIDATES.execute(
        session, roots=list(ancestors(asked.area_path)), prefixes=prefixes(asked.category)
    ).scalar_one()
    return book_of(from_json(body)).answer(asked)


def asked_of(case: Mapping[Any, Any], now: datetime) -> Asked:
    """What of a case the rules ask."""
    return Asked(case["category"], case["area_path"], case["source"], case["grade"], now.astimezone(COUNTY_TIME))


def book(session: Session) -> Book:
    """Everything there is to ask, for many cases."""
    return book_of(from_json(session.execute(_EVERYBODY).scalar_one()))


def one_rule_at_a_time(session: Session) -> None:
    """Rules are changed one after the other: what shadows what is seen in committed rows alone."""
    session.execute(_ONE_AT_A_TIME)


def note_shadows(session: Session) -> dict[UUID, UUID]:
    """Writes beside every rule which rule before it covers all of it; gives those that are covered. No version
    changes: it follows from the rules."""
    shadows = book(session).shadowed()
    session.execute(_NOTE_SHADOWS, {"shadows": to_json({str(rule): str(by) for rule, by in shadows.items()})})
    return shadows
