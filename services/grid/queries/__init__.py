"""grid's read side, run by the gateway: SELECT only, JSON built by PostgreSQL.

A reader sees areas, places, posts, agencies and jurisdictions inside its area subtrees (an agency its own facts
wherever they lie). Lists give `body` and their keyset `cursor_1`, `cursor_2`; single rows `body` and `version`.
"""

from services.grid.queries.alliances import alliance_by_id, alliance_list
from services.grid.queries.areas import area_by_code, area_list, boundary_version, cells
from services.grid.queries.codes import code_list, code_lists, place_category_list, risk_colour
from services.grid.queries.imports import import_by_id, import_list
from services.grid.queries.parts import MAX_LIMIT
from services.grid.queries.place_cards import place_by_id, place_card
from services.grid.queries.places import MAX_NEAREST, place_list, place_nearest
from services.grid.queries.posts import duty_at, post_list
from services.grid.queries.quarantine import quarantine_entry, quarantine_page
from services.grid.queries.registry import agency_by_id, agency_list, jurisdiction_list
from services.grid.queries.tiles import area_tile

__all__ = [
    "MAX_LIMIT",
    "MAX_NEAREST",
    "agency_by_id",
    "agency_list",
    "alliance_by_id",
    "alliance_list",
    "area_by_code",
    "area_list",
    "area_tile",
    "boundary_version",
    "cells",
    "code_list",
    "code_lists",
    "duty_at",
    "import_by_id",
    "import_list",
    "jurisdiction_list",
    "place_by_id",
    "place_card",
    "place_category_list",
    "place_list",
    "place_nearest",
    "post_list",
    "quarantine_entry",
    "quarantine_page",
    "risk_colour",
]
