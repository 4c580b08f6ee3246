"""Wrong place, wrong category: corrected, and re-routed where that changes who is responsible."""

from __future__ import annotations

from typing import Any

from contracts.hazards.events import Source
from contracts.refusals import InvalidField
from services.hazards import placing
from services.hazards.commands.effects.agencies import reroute
from services.hazards.commands.effects.parts import Changes, Moving
from services.hazards.commands.reporting import point
from services.hazards.domain.answers import check, fitting
from services.hazards.domain.questions import questions_of


def relocate(moving: Moving) -> Changes:
    command = moving.command
    if command.lon is None or command.lat is None:
        raise TypeError("decide() lets no relocate pass without a position")
    located = placing.locate(moving.session, moving.cells, command.lon, command.lat)
    original = command.original
    return {
        "geom": point(command.lon, command.lat),
        "original_crs": original.crs if original else "wgs84",
        "original_lon": original.lon if original else command.lon,
        "original_lat": original.lat if original else command.lat,
        "area_path": located.area_path,
        "boundary_version": located.boundary_version,
        "located_version": located.boundary_version,
        "unassigned": located.unassigned,
        **reroute(moving, moving.row["category"], located.area_path),
    }


def _answers(moving: Moving, category: Any) -> dict[str, Any] | None:
    """Those given, else of the earlier ones what the new category asks too; history keeps them all. A correction
    never waits for required ones."""
    questions = questions_of(category)
    given = moving.command.answers
    if given is not None:
        optional = [question.model_copy(update={"required": False}) for question in questions]
        return check(optional, given, Source(moving.row["source"])) or None
    return fitting(questions, moving.row["answers"] or {}) or None


def recategorise(moving: Moving) -> Changes:
    row = moving.row
    category = placing.category(moving.session, str(moving.command.category))
    if category.code == row["category"]:
        raise InvalidField("The case has this category already.", field="category", expected="another category")
    return {
        "category": category.code,
        "kind": category.kind,
        "sensitivity": category.sensitivity,
        "category_version": category.version,
        "answers": _answers(moving, category),
        **reroute(moving, category.code, row["area_path"]),
    }
