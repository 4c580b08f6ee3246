"""Zones for a purpose: patrol zones, school zones. They own nothing and may cross every border."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import numpy as np
import shapely
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from contracts.codes import Code
from contracts.grid.commands import Crs, PutOverlay
from contracts.grid.commands.fields import Name as OverlayName
from contracts.grid.commands.overlays import MOST_VERTICES
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.cursors import After
from gateway.parts import Platform
from gateway.positions import position
from gateway.problems import Problem
from gateway.reads import etag, single
from gateway.rendering import rendered
from gateway.routes.listing import Limit, Name, Within
from gateway.routing import Route
from geo import shapes
from geo.linework import convert
from services.grid import queries

router = APIRouter(prefix="/v1/overlays", tags=["areas"], route_class=Route)
Degrees = Annotated[float | None, Query(allow_inf_nan=False, description="With lat and crs: zones over this point")]


class OverlayBody(BaseModel):
    """A zone; `geometry` is a GeoJSON Polygon or MultiPolygon whose coordinates are in `crs`."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"example": examples.OVERLAY_BODY})
    name: OverlayName
    kind: Code
    geometry: dict[str, Any]
    crs: Crs
    active: bool = True


@router.get(
    "",
    summary="List zones",
    description="Patrol zones, school zones …, by the narrowest area that holds each; with `lon`, `lat`, `crs` those "
    "over a point.",
    responses=documents.listing(examples.OVERLAY, "A page of zones")
    | documents.GUARDED
    | documents.problems("crs_required", "coordinates_swapped"),
)
async def overlays(
    platform: Platform,
    actor: CurrentActor,
    kind: Code | None = None,
    within: Within = None,
    name: Name = None,
    active: bool | None = None,
    lon: Degrees = None,
    lat: Degrees = None,
    crs: Crs | None = None,
    geometry: Annotated[bool, Query(description="With polygons")] = False,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    over = None
    if lon is not None or lat is not None:
        if lon is None or lat is None:
            raise Problem("invalid_request", field="lat" if lat is None else "lon", expected="both lon and lat")
        if crs is None:
            raise Problem("crs_required", field="crs", expected="wgs84 | cgcs2000 | gcj02 | bd09")
        place = position(lon, lat, crs, platform.cells.current)
        over = (place.lon, place.lat)
    filters: dict[str, Any] = {
        "kind": kind,
        "within": within,
        "name": name,
        "active": active,
        "over": over,
    }
    return await platform.reads.page(
        "grid",
        partial(queries.overlay_list, actor.scope, geometry=geometry, **filters),
        kind="overlays",
        types="su",
        limit=limit,
        after=after,
    )


@router.get(
    "/{overlay_id}",
    summary="One zone",
    description="With its polygon in WGS84.",
    responses=documents.answer(examples.OVERLAY, "The zone") | documents.GUARDED,
)
async def overlay(overlay_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    return single(await platform.reads.row("grid", queries.overlay_by_id(actor.scope, overlay_id)))


@router.put(
    "/{overlay_id}",
    summary="Put a zone",
    description="It owns nothing: whose a point is, the grids say. Create or replace: a repeat changes nothing.",
    responses=documents.answer(examples.OVERLAY, "As it now stands")
    | documents.WRITTEN
    | documents.problems("invalid_geometry", "coordinates_swapped"),
)
async def put_overlay(
    overlay_id: UUID, body: OverlayBody, request: Request, platform: Platform, actor: CurrentActor
) -> Response:
    wkb = await asyncio.to_thread(_in_wgs84, body.geometry, body.crs)
    command = PutOverlay(
        overlay_id=overlay_id, name=body.name, kind=body.kind, geometry=wkb, crs=body.crs, active=body.active
    )
    reply = await platform.writes.send(request, actor, command)
    return rendered(reply, headers=etag(reply.get("version")))


def _in_wgs84(geometry: dict[str, Any], crs: Crs) -> str:
    """base64 of its WKB. Raises Problem invalid_geometry, coordinates_swapped."""
    try:
        shape = shapes.polygons(geometry)
        shapes.judge_box(shape, crs)
    except shapes.Bad as bad:
        code = "coordinates_swapped" if bad.code == "swapped_lon_lat" else "invalid_geometry"
        raise Problem(code, bad.message, field="geometry", expected="a Polygon or MultiPolygon, [lon, lat]") from None
    if shapely.get_num_coordinates(shape) > MOST_VERTICES:
        raise Problem("invalid_geometry", field="geometry", expected=f"{MOST_VERTICES} vertices at most")
    if not shape.is_valid:
        raise Problem(
            "invalid_geometry", shapely.is_valid_reason(shape), field="geometry", expected="rings that do not cross"
        )
    moved = convert(np.array([shape], dtype=object), crs.value)[0]
    return b64encode(shapely.to_wkb(moved, byte_order=1)).decode()
