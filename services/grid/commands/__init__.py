"""grid's use cases: `f(session, actor, command, *, clock) -> reply`, each inside the caller's transaction."""

from services.grid.commands.alliances import put_alliance
from services.grid.commands.announcements import announce
from services.grid.commands.changes import restore_boundary, review_plan, start_boundary_change, undo_boundary_change
from services.grid.commands.devices import put_device, tell_due_filings
from services.grid.commands.imports import fail_abandoned_imports, publish_area_import, start_area_import
from services.grid.commands.leaves import KEPT, put_leave
from services.grid.commands.overlays import put_area_aliases, put_overlay
from services.grid.commands.place_cards import put_place_contacts, put_place_hardware, revoke_place_qr
from services.grid.commands.place_categories import put_place_category
from services.grid.commands.places import put_place
from services.grid.commands.posts import put_post
from services.grid.commands.registry import put_agency, put_jurisdiction, put_person

__all__ = [
    "KEPT",
    "announce",
    "fail_abandoned_imports",
    "publish_area_import",
    "put_agency",
    "put_alliance",
    "put_area_aliases",
    "put_device",
    "put_jurisdiction",
    "put_leave",
    "put_overlay",
    "put_person",
    "put_place",
    "put_place_category",
    "put_place_contacts",
    "put_place_hardware",
    "put_post",
    "restore_boundary",
    "review_plan",
    "revoke_place_qr",
    "start_area_import",
    "start_boundary_change",
    "tell_due_filings",
    "undo_boundary_change",
]
