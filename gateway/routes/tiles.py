"""Vector tiles for maps."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway import documents
from gateway.auth.signed_in import CurrentActor
from gateway.parts import Platform
from gateway.problems import Problem
from gateway.routing import Route
from gateway.tiles import DEEPEST, MEDIA_TYPE, exists, scope_digest
from services.grid import queries

router = APIRouter(prefix="/v1/tiles", tags=["areas"], route_class=Route)


@router.get(
    "/areas/{z}/{x}/{y}.mvt",
    summary="A vector tile of areas",
    description="Mapbox Vector Tile, Web Mercator: layer `areas` with polygons, `labels` with a point inside each; "
    "properties code, name, level, kind, path. Only what the caller may see. Send the `ETag` back as "
    "`If-None-Match`: 304 until the boundary or the caller's rights change.",
    responses=documents.file(MEDIA_TYPE)
    | {304: {"description": "Unchanged"}}
    | documents.problems("unauthenticated", "not_found", "invalid_request", "service_unavailable"),
)
async def areas(z: int, x: int, y: int, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    if not exists(z, x, y):
        raise Problem("not_found", expected=f"z up to {DEEPEST}, x and y below 2^z")
    version, digest = platform.cells.current.version, scope_digest(actor.scope)
    headers = {"ETag": f'"{version}-{digest}"', "Cache-Control": "private, no-cache"}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)

    async def make() -> bytes:
        rows = await platform.reads.rows("grid", queries.area_tile(actor.scope, z, x, y))
        return bytes(rows[0]["tile"])

    tile = await platform.tiles.get((version, digest, z, x, y), make)
    return Response(tile, headers=headers, media_type=MEDIA_TYPE)
