"""grid's read side, run by the gateway: SELECT only, JSON built by PostgreSQL.

A reader sees areas, places, posts, agencies and jurisdictions inside its area subtrees (an agency its own facts
wherever they lie). Lists give `body` and their keyset `cursor_1`, `cursor_2`; single rows `body` and `version`.
"""

from services.grid.queries.areas import area_by_code, area_list, boundary_version, cells
from services.grid.queries.imports import import_by_id, import_list
from services.grid.queries.parts import MAX_LIMIT
from services.grid.queries.places import place_by_id, place_list
from services.grid.queries.posts import duty_at, duty_at_place, post_list
from services.grid.queries.quarantine import quarantine_entry, quarantine_page
from services.grid.queries.registry import agency_by_id, agency_list, jurisdiction_list
from services.grid.queries.staff import leave_list, staff_list
from services.grid.queries.tiles import area_tile

__all__ = [
    "MAX_LIMIT",
    "agency_by_id",
    "agency_list",
    "area_by_code",
    "area_list",
    "area_tile",
    "boundary_version",
    "cells",
    "duty_at",
    "duty_at_place",
    "import_by_id",
    "import_list",
    "jurisdiction_list",
    "leave_list",
    "place_by_id",
    "place_list",
    "post_list",
    "quarantine_entry",
    "quarantine_page",
    "staff_list",
]
