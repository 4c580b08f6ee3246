"""Maps: vector tiles of each layer, what they hold (TileJSON), and how they look (a MapLibre style)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.hazards.commands import CaseFilter
from contracts.scope import Actor
from gateway import documents, map_style
from gateway.auth.signed_in import CurrentActor
from gateway.case_filters import Asked
from gateway.layers import LAYERS, Layer
from gateway.parts import Parts, Platform
from gateway.problems import Problem
from gateway.rendering import rendered
from gateway.routing import Route
from gateway.tiles import DEEPEST, MEDIA_TYPE, exists, scope_digest, sent

router = APIRouter(prefix="/v1/tiles", tags=["maps"], route_class=Route)
_TILE = (
    documents.file(MEDIA_TYPE)
    | {304: {"description": "Unchanged"}}
    | documents.problems("unauthenticated", "not_found", "invalid_request", "service_unavailable")
)
_EXAMPLE_BOX = (120.0, 30.0, 121.0, 31.0)


@router.get(
    "/style.json",
    summary="How the map looks",
    description="A MapLibre style (specification 8) over every layer: borders and names of areas, places by risk "
    "colour, open cases by state. Its sources are the TileJSON documents below; send the same token with each request "
    "(`transformRequest`). Text is drawn with the viewer's own fonts.",
    responses=documents.answer(map_style.style("https://pingan.example.gov.cn", _EXAMPLE_BOX), "The style")
    | documents.problems("unauthenticated"),
)
async def style(request: Request, platform: Platform, actor: CurrentActor) -> Response:
    return rendered(map_style.style(_origin(request), platform.cells.current.box))


@router.get(
    "/{layer}.json",
    summary="What a layer's tiles hold",
    description=f"TileJSON 3.0.0 of one of: {', '.join(LAYERS)}. `bounds` is the county's box, for every caller.",
    responses=documents.answer(
        map_style.tilejson(LAYERS["areas"], "https://pingan.example.gov.cn", _EXAMPLE_BOX), "The layer"
    )
    | documents.problems("unauthenticated", "not_found", "invalid_request"),
)
async def tilejson(layer: str, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    return rendered(map_style.tilejson(_layer(layer), _origin(request), platform.cells.current.box))


def _tile_route(layer: Layer) -> Callable[..., Awaitable[Response]]:
    async def tile(z: int, x: int, y: int, request: Request, platform: Platform, actor: CurrentActor) -> Response:
        return await _answer(layer, request, platform, actor, _known_tile(z, x, y))

    async def filtered(
        z: int, x: int, y: int, request: Request, platform: Platform, actor: CurrentActor, asked: Asked
    ) -> Response:
        return await _answer(layer, request, platform, actor, _known_tile(z, x, y), asked)

    if layer.filtered is not None:
        filtered.__name__ = f"{layer.name}_tile"
        return filtered
    tile.__name__ = f"{layer.name}_tile"
    return tile


for each in LAYERS.values():
    router.get(
        f"/{each.name}/{{z}}/{{x}}/{{y}}.mvt",
        summary=f"A vector tile of {each.name}",
        description=f"{each.description} Only what the caller may see. Send the `ETag` back as `If-None-Match`; 304 "
        "while nothing that you see has changed.",
        responses=_TILE,
    )(_tile_route(each))


@router.get("/{layer}/{z}/{x}/{y}.mvt", include_in_schema=False)
async def no_tile(layer: str, z: str, x: str, y: str, actor: CurrentActor) -> Response:
    raise _no_layer()


def _known_tile(z: int, x: int, y: int) -> tuple[int, int, int]:
    if not exists(z, x, y):
        raise Problem("not_found", expected=f"z up to {DEEPEST}, x and y below 2^z")
    return z, x, y


async def _answer(
    layer: Layer,
    request: Request,
    platform: Parts,
    actor: Actor,
    of: tuple[int, int, int],
    asked: CaseFilter | None = None,
) -> Response:
    z, x, y = of
    version = platform.cells.current.version or None
    scope, digest = actor.scope, scope_digest(actor.scope)

    async def make() -> bytes:
        if layer.filtered is not None and asked is not None:
            query = layer.filtered(scope, z, x, y, asked, actor.account_id)
        else:
            query = layer.tile(scope, z, x, y, version)
        rows = await platform.reads.rows(layer.service, query)
        return bytes(rows[0]["tile"])

    # Kept by browsers and asked for again each time: whoever signs in next on that machine has other rights.
    headers = {"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding, Authorization"}
    if layer.by_boundary:
        # Before the tile is looked for: nothing has changed while the version stands.
        headers["ETag"] = f'W/"{version or 0}-{digest}"'
        if _known(request, headers):
            return Response(status_code=304, headers=headers)
        tile = await platform.tiles.get((layer.name, version, digest, z, x, y), make, lasting=version is not None)
        return sent(request, tile, headers)
    # A tile is shared by who sees the same, unless it is asked for what is one's own.
    own = actor.account_id if asked is not None and asked.mine is not None else None
    key = (layer.name, digest, z, x, y, asked.model_dump_json() if asked is not None else None, own)
    tile = await platform.tiles.get(key, make, lasting=False)
    headers["ETag"] = f'W/"{tile.digest}"'
    return Response(status_code=304, headers=headers) if _known(request, headers) else sent(request, tile, headers)


def _known(request: Request, headers: dict[str, str]) -> bool:
    return headers["ETag"].removeprefix("W/") in request.headers.get("if-none-match", "")


def _layer(name: str) -> Layer:
    if name not in LAYERS:
        raise _no_layer()
    return LAYERS[name]


def _no_layer() -> Problem:
    return Problem(
        "not_found", "There is no such layer.", zh="没有这个图层", field="layer", expected=" | ".join(LAYERS)
    )


def _origin(request: Request) -> str:
    """As the caller reached us: MapLibre wants whole addresses. A proxy that ended TLS says so."""
    secure = request.headers.get("x-forwarded-proto") == "https"
    return f"{'https' if secure else request.url.scheme}://{request.url.netloc}"
