"""Imports of boundaries: upload, watch the checks, publish."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from functools import partial
from typing import IO, Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from backbone import files
from backbone.database import new_id
from contracts.grid.commands import (
    AreaProperty,
    Attribute,
    ImportCrs,
    Numbering,
    PublishAreaImport,
    SnapWidth,
    StartAreaImport,
)
from contracts.scope import Role
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor, claims_of, require
from gateway.cursors import After
from gateway.parts import Platform
from gateway.problems import Problem
from gateway.progress import ImportStream
from gateway.reads import etag, single
from gateway.rendering import rendered
from gateway.routing import Route
from gateway.writes import media_type_of
from services.grid import queries

router = APIRouter(prefix="/v1/areas/imports", tags=["areas"], route_class=Route)
_IN_MEMORY = 1024 * 1024
_TYPES = (
    *("application/geo+json", "application/json", "application/zip", "application/x-zip-compressed"),
    *("application/geopackage+sqlite3", "application/vnd.sqlite3", "text/csv", "application/octet-stream"),
)
Named = Annotated[
    Attribute | None, Query(description="The file's attribute that holds it; guessed from the names if absent")
]


@router.post(
    "",
    status_code=202,
    summary="Import boundaries",
    description="GeoJSON, zipped Shapefiles, a GeoPackage (a layer for each level, if you like) or a CSV with a column "
    "of WKT, as the body or as the one file of a multipart form, up to 64 MiB; text in UTF-8 or GBK. Each feature has "
    "`code`, `name`, `level` (county, town, village, grid) and `parent`, under these names or others that you say or "
    "that can be guessed; `level` and `parent` are made from the code where the file has neither. `crs` names the "
    "coordinate system of the whole file. A worker checks it: look at `Location`, whose report shows the format and "
    "the mapping too.",
    responses=documents.answer({**examples.IMPORT, "state": "received", "progress": 0.0, "report": None}, "Taken", 202)
    | documents.WRITTEN
    | documents.problems("crs_required", "unsupported_media_type"),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/geo+json": {
                    "schema": {"type": "object", "properties": {"type": {"const": "FeatureCollection"}}},
                    "example": {
                        "type": "FeatureCollection",
                        "features": [
                            {
                                "type": "Feature",
                                "properties": {
                                    "code": "330499101", "name": "青枫镇", "level": "town", "parent": "330499",
                                },
                                "geometry": {
                                    "type": "Polygon",
                                    "coordinates": [[[120.6, 30.7], [120.8, 30.7], [120.8, 30.9], [120.6, 30.7]]],
                                },
                            }
                        ],
                    },
                },
                "application/zip": {"schema": {"type": "string", "format": "binary"}},
                "application/geopackage+sqlite3": {"schema": {"type": "string", "format": "binary"}},
                "text/csv": {"schema": {"type": "string"}},
                "multipart/form-data": {
                    "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
                },
            },
        }
    },
)  # fmt: skip
async def start(
    request: Request,
    platform: Platform,
    actor: CurrentActor,
    crs: Annotated[ImportCrs, Query(description="Of every coordinate: wgs84, cgcs2000, gcj02, bd09, or EPSG:4549 …")],
    code: Named = None,
    name: Named = None,
    level: Named = None,
    parent: Named = None,
    kind: Named = None,
    numbering: Annotated[
        Numbering | None,
        Query(
            description="Give grids without a code one: `15` village + 3 digits, `20:` and 6 digits of an object "
            "class: that + village + 2 digits"
        ),
    ] = None,
    snap_m: Annotated[
        SnapWidth | None,
        Query(
            description="Close gaps and overlaps of at most this mean width in metres; the report shows each, and "
            "in `checks.closed_by_snap_m` what a width would close"
        ),
    ] = None,
) -> Response:
    # Asked again by grid; asked here too, before 64 MiB are taken in for nothing.
    require(actor, Role.COUNTY_ADMIN)
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
        digest, size = await _receive(request, spool)
        if not size:
            raise Problem("invalid_request", field="body", expected="a file of areas")
        spool.seek(0)
        blob = await asyncio.to_thread(files.put, spool)
    said = {"code": code, "name": name, "level": level, "parent": parent, "kind": kind}
    mapping = cast(dict[AreaProperty, str], {each: attribute for each, attribute in said.items() if attribute})
    command = StartAreaImport(
        import_id=new_id(),
        blob=blob.sha256,
        size_bytes=size,
        crs=crs,
        mapping=mapping,
        numbering=numbering,
        snap_m=snap_m,
    )
    reply = await platform.writes.send(request, actor, command, body_digest=digest)
    return rendered(reply, 202, {"Location": f"/v1/areas/imports/{reply['import_id']}", **etag(reply.get("version"))})


async def _receive(request: Request, spool: Any) -> tuple[str, int]:
    """The body, or its one file, into `spool`; its SHA-256 and size in bytes."""
    media_type = media_type_of(request)
    if media_type in _TYPES:
        whole, size = hashlib.sha256(), 0
        async for chunk in request.stream():
            whole.update(chunk)
            size += len(chunk)
            spool.write(chunk)
        return whole.hexdigest(), size
    if media_type != "multipart/form-data":
        raise Problem("unsupported_media_type", expected=", ".join((*_TYPES, "multipart/form-data")))
    async with request.form(max_files=1, max_fields=4) as form:
        uploads = [value for value in form.values() if isinstance(value, UploadFile)]
        if not uploads:
            raise Problem("invalid_request", field="file", expected="one file part")
        return await asyncio.to_thread(_copy, uploads[0].file, spool)


def _copy(source: IO[bytes], target: Any) -> tuple[str, int]:
    whole, size = hashlib.sha256(), 0
    while chunk := source.read(_IN_MEMORY):
        whole.update(chunk)
        size += len(chunk)
        target.write(chunk)
    return whole.hexdigest(), size


@router.get(
    "",
    summary="List imports",
    description="Newest first, without their reports.",
    responses=documents.listing(examples.IMPORT, "A page of imports") | documents.GUARDED,
)
async def imports(
    platform: Platform,
    actor: CurrentActor,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: After = None,
) -> Response:
    return await platform.reads.page(
        "grid",
        partial(queries.import_list, actor.scope, importer=actor.account_id),
        kind="imports",
        types="tu",
        limit=limit,
        after=after,
    )


@router.get(
    "/{import_id}",
    summary="How an import stands",
    description="State, progress and report; what offends comes as GeoJSON with its square metres.",
    responses=documents.answer(examples.IMPORT, "The import") | documents.GUARDED,
)
async def one(import_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    query = queries.import_by_id(actor.scope, import_id, importer=actor.account_id)
    return single(await platform.reads.row("grid", query))


@router.get(
    "/{import_id}/progress",
    summary="Follow an import",
    description="Server-sent events: `event: progress` with `state`, `progress` (0 to 1), `errors`, `warnings` "
    "whenever they change, and a last `event: done`; then the stream ends.",
    responses=documents.answer(
        'event: progress\ndata: {"state": "validating", "progress": 0.5}\n\n',
        "The stream",
        media_type="text/event-stream",
    )
    | documents.GUARDED,
)
async def progress(import_id: UUID, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    await platform.reads.row("grid", queries.import_by_id(actor.scope, import_id, importer=actor.account_id))
    scope_now = partial(platform.scope_now, claims_of(request))
    return ImportStream(platform.reads, scope_now, import_id, actor.account_id)


@router.post(
    "/{import_id}/publish",
    summary="Publish an import",
    description="Makes it the county's next boundary version; 422 with the report while it has errors.",
    responses=documents.answer({**examples.IMPORT, "state": "published", "boundary_version": 1}, "Published")
    | documents.WRITTEN,
)
async def publish(import_id: UUID, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    reply = await platform.writes.send(request, actor, PublishAreaImport(import_id=import_id), deadline=30.0)
    return rendered(reply, headers=etag(reply.get("version")))
