"""Cases that may be the same thing: asked before a report, or of a case that is there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from contracts.codes import Code
from contracts.grid.commands import Crs
from gateway import documents
from gateway.auth.signed_in import CurrentActor
from gateway.examples import supervision as examples
from gateway.parts import Platform
from gateway.positions import position
from gateway.reads import page
from gateway.routing import Route
from gateway.times import Moment
from services.hazards import queries

router = APIRouter(prefix="/v1/cases", tags=["cases"], route_class=Route)


class SimilarTo(BaseModel):
    """What somebody is about to report."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    category: Code
    lon: float = Field(description="Degrees in `crs`, longitude first")
    lat: float
    crs: Crs
    at: Moment | None = Field(default=None, description="Now when absent")


Asked = Annotated[SimilarTo, Body(openapi_examples={"default": {"value": examples.SIMILAR_TO}})]


@router.post(
    "/similar",
    summary="Is it reported already?",
    description="Ask before a report: open and lately closed cases that you see, of the category, below it or above "
    "it, within the category's radius and hours, the nearest first, at most 20. Changes nothing.",
    responses=documents.listing(examples.SIMILAR, "Cases with their distance")
    | documents.GUARDED
    | documents.problems("crs_required", "coordinates_swapped"),
)
async def similar(body: Asked, platform: Platform, actor: CurrentActor) -> Response:
    place = position(body.lon, body.lat, body.crs, platform.cells.current)
    at = body.at or datetime.now(UTC)
    asked = queries.similar_cases(actor.scope, body.category, place.lon, place.lat, at)
    return _page(await platform.reads.rows("hazards", asked))


@router.get(
    "/{case_id}/similar",
    summary="Cases that may be the same as this one",
    description="As POST /v1/cases/similar, for a case that is there; merge the one into the other by a move.",
    responses=documents.listing(examples.SIMILAR, "Cases with their distance") | documents.GUARDED,
)
async def similar_to(case_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    this = await platform.reads.row("hazards", queries.similar_asked(actor.scope, case_id))
    asked = queries.similar_cases(actor.scope, this["category"], this["lon"], this["lat"], this["at"], apart=case_id)
    return _page(await platform.reads.rows("hazards", asked))


def _page(rows: list[Any]) -> Response:
    return page(rows, kind="similar", limit=max(1, len(rows)))
