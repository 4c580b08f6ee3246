"""What a registry row points to: the area it lies in now, areas in force, agencies that exist."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Table, bindparam, select

from backbone.database import Session
from contracts.grid import errors
from services.grid import boundary
from services.grid.tables import agencies

# Built once: a county's registry is thousands of commands.
_AGENCY_PATH = select(agencies.c.area_path).where(agencies.c.agency_id == bindparam("agency_id"))


def present_path(session: Session, table: Table, row_id: UUID) -> tuple[str, ...]:
    """The area a row lies in now, locked: who moves it must be in charge of both ends."""
    path = session.execute(_area_path_of(table), {"row_id": row_id}).scalar_one_or_none()
    return () if path is None else (str(path),)


@cache
def _area_path_of(table: Table) -> Select[Any]:
    key = next(iter(table.primary_key.columns))
    return select(table.c.area_path).where(key == bindparam("row_id")).with_for_update()


def require_area(session: Session, present: tuple[str, ...], path: str) -> None:
    """A link to an area must be to one in force; a link that stands may stay, so that it can still be ended."""
    if present != (path,):
        boundary.require_area(session, path)


def agency_path(session: Session, agency_id: UUID) -> str:
    path = session.execute(_AGENCY_PATH, {"agency_id": agency_id}).scalar_one_or_none()
    if path is None:
        raise errors.UnknownAgency(field="agency_id")
    return str(path)


def require_agency(session: Session, agency_id: UUID) -> None:
    agency_path(session, agency_id)
