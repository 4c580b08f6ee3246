"""grid's read side, run by the gateway: SELECT only, JSON built by PostgreSQL.

A reader sees areas, places, posts, agencies and jurisdictions inside its area subtrees (an agency its own facts
wherever they lie). Lists give `body` and their keyset `cursor_1`, `cursor_2`; single rows `body` and `version`.
"""

from services.grid.queries.areas import area_by_code, area_list, boundary_version, cells
from services.grid.queries.imports import import_by_id, import_list
from services.grid.queries.parts import MAX_LIMIT
from services.grid.queries.place_tiles import place_tile
from services.grid.queries.places import place_by_id, place_list
from services.grid.queries.posts import duty_at, post_list
from services.grid.queries.quarantine import quarantine_entry, quarantine_page
from services.grid.queries.registry import agency_by_id, agency_list, jurisdiction_list
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
    "import_by_id",
    "import_list",
    "jurisdiction_list",
    "place_by_id",
    "place_list",
    "place_tile",
    "post_list",
    "quarantine_entry",
    "quarantine_page",
]
