"""grid's read side, run by the gateway: SELECT only, JSON built by PostgreSQL.

A reader sees areas, places, devices, posts, agencies and jurisdictions inside its area subtrees (an agency its own
facts wherever they lie). Lists give `body` and their keyset `cursor_1`, `cursor_2`; single rows `body` and `version`.
"""

from services.grid.queries.areas import area_by_code, area_list, boundary_version, cells, owner
from services.grid.queries.devices import camera_views, device_by_id, device_list, devices_nearest
from services.grid.queries.history import area_history, successor_list, successors_since, version_list
from services.grid.queries.imports import import_by_id, import_list, import_state
from services.grid.queries.overlays import overlay_by_id, overlay_list
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
    "area_history",
    "area_list",
    "area_tile",
    "boundary_version",
    "camera_views",
    "cells",
    "device_by_id",
    "device_list",
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
    "place_list",
    "post_list",
    "quarantine_entry",
    "quarantine_page",
    "staff_list",
    "successor_list",
    "successors_since",
    "version_list",
]
