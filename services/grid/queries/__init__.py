"""grid's read side, run by the gateway: SELECT only, JSON built by PostgreSQL.

A reader sees areas, places, devices, posts, agencies and jurisdictions inside its area subtrees (an agency its own
facts wherever they lie). Lists give `body` and their keyset `cursor_1`, `cursor_2`; single rows `body` and `version`.
"""

from services.grid.queries.alliances import alliance_by_id, alliance_list
from services.grid.queries.areas import area_by_code, area_list, boundary_version, cells, owner
from services.grid.queries.codes import code_list, code_lists, place_category_list, risk_colour
from services.grid.queries.device_tiles import device_tile
from services.grid.queries.devices import camera_views, device_by_id, device_list, devices_nearest
from services.grid.queries.history import area_history, successor_list, successors_since, version_list
from services.grid.queries.imports import import_by_id, import_list, import_state
from services.grid.queries.nearest import MOST as MOST_NEAREST
from services.grid.queries.overlays import overlay_by_id, overlay_list
from services.grid.queries.parts import MAX_LIMIT
from services.grid.queries.place_cards import place_by_id, place_card
from services.grid.queries.place_tiles import place_tile
from services.grid.queries.places import place_list, place_nearest
from services.grid.queries.posts import duty_at, duty_at_place, post_list
from services.grid.queries.quarantine import quarantine_entry, quarantine_page
from services.grid.queries.registry import agency_by_id, agency_list, jurisdiction_list
from services.grid.queries.staff import leave_list, staff_list
from services.grid.queries.tiles import area_tile

__all__ = [
    "MAX_LIMIT",
    "MOST_NEAREST",
    "agency_by_id",
    "agency_list",
    "alliance_by_id",
    "alliance_list",
    "area_by_code",
    "area_history",
    "area_list",
    "area_tile",
    "boundary_version",
    "camera_views",
    "cells",
    "code_list",
    "code_lists",
    "device_by_id",
    "device_list",
    "device_tile",
    "devices_nearest",
    "duty_at",
    "duty_at_place",
    "import_by_id",
    "import_list",
    "import_state",
    "jurisdiction_list",
    "leave_list",
    "overlay_by_id",
    "overlay_list",
    "owner",
    "place_by_id",
    "place_card",
    "place_category_list",
    "place_list",
    "place_nearest",
    "place_tile",
    "post_list",
    "quarantine_entry",
    "quarantine_page",
    "risk_colour",
    "staff_list",
    "successor_list",
    "successors_since",
    "version_list",
]
