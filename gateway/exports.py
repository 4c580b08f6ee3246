"""A whole list as a file: GeoJSON and CSV as a stream, GeoPackage from a temporary file. All in WGS84 degrees.

The rows are those of the list itself, page after page, so that an export shows what its list shows: filters and scope.
"""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Callable
from enum import StrEnum
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response, StreamingResponse

from backbone.statements import Query
from gateway.reads import Reads

PAGE = 500
Row = dict[str, Any]


class ExportFormat(StrEnum):
    """What a list can be taken home as."""

    GEOJSON = "geojson"
    CSV = "csv"
    GEOPACKAGE = "gpkg"


_TYPES = {
    ExportFormat.GEOJSON: "application/geo+json",
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.GEOPACKAGE: "application/geopackage+sqlite3",
}


async def export(
    reads: Reads, service: str, query: Callable[..., Query], form: ExportFormat, name: str, fields: tuple[str, ...]
) -> Response:
    """The file `name`.<format>. `query` is a list that lacks only `after` and `limit`; its rows have `geometry`
    (GeoJSON) or `lon`, `lat`. `fields` are the attributes, in their order."""
    pages = _pages(reads, service, query)
    # The first page is read before the answer begins: a refusal or an outage is still told as such.
    first: list[Row] = await anext(pages, [])
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    if form is ExportFormat.GEOPACKAGE:
        return await _geopackage(first, pages, name, fields, headers)
    write = _geojson if form is ExportFormat.GEOJSON else _csv
    return StreamingResponse(write(first, pages, fields), media_type=_TYPES[form], headers=headers)


async def _pages(reads: Reads, service: str, query: Callable[..., Query]) -> AsyncIterator[list[Row]]:
    after = None
    while True:
        rows = await reads.rows(service, query(after=after, limit=PAGE))
        if rows:
            yield await asyncio.to_thread(_parsed, rows)
        if len(rows) < PAGE:
            return
        after = tuple(rows[-1])[1:]


def _parsed(rows: list[Any]) -> list[Row]:
    return [orjson.loads(row[0]) for row in rows]


def _geometry(row: Row) -> Any:
    return row.get("geometry") or {"type": "Point", "coordinates": [row["lon"], row["lat"]]}


async def _geojson(first: list[Row], pages: AsyncIterator[list[Row]], fields: tuple[str, ...]) -> AsyncIterator[bytes]:
    def rendered(rows: list[Row]) -> bytes:
        return b",\n".join(
            orjson.dumps(
                {
                    "type": "Feature",
                    "geometry": _geometry(row),
                    "properties": {field: row.get(field) for field in fields},
                }
            )
            for row in rows
        )

    yield b'{"type":"FeatureCollection","features":[\n'
    yield await asyncio.to_thread(rendered, first)
    async for rows in pages:
        yield b",\n" + await asyncio.to_thread(rendered, rows)
    yield b"\n]}\n"


async def _csv(first: list[Row], pages: AsyncIterator[list[Row]], fields: tuple[str, ...]) -> AsyncIterator[bytes]:
    def rendered(rows: list[Row]) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text)
        for row, shape in zip(rows, _shapes(rows), strict=True):
            writer.writerow([*(_cell(row.get(field)) for field in fields), shapely.to_wkt(shape, 7)])
        return text.getvalue().encode()

    # The mark tells spreadsheets that the text is UTF-8.
    yield ("\ufeff" + ",".join((*fields, "wkt")) + "\r\n").encode()
    yield await asyncio.to_thread(rendered, first)
    async for rows in pages:
        yield await asyncio.to_thread(rendered, rows)


def _cell(value: Any) -> Any:
    """A spreadsheet would run what begins like a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "@", "-", "\t") else value


def _shapes(rows: list[Row]) -> Any:
    return shapely.from_geojson([orjson.dumps(_geometry(row)) for row in rows])


async def _geopackage(
    first: list[Row], pages: AsyncIterator[list[Row]], name: str, fields: tuple[str, ...], headers: dict[str, str]
) -> Response:
    rows = list(first)
    async for more in pages:
        rows += more
    place = tempfile.TemporaryDirectory(prefix="pingan-export-")
    path = f"{place.name}/{name}.gpkg"
    try:
        await asyncio.to_thread(_write_geopackage, rows, path, name, fields)
    except BaseException:
        place.cleanup()
        raise
    done = BackgroundTask(place.cleanup)
    return FileResponse(path, media_type=_TYPES[ExportFormat.GEOPACKAGE], headers=headers, background=done)


def _write_geopackage(rows: list[Row], path: str, name: str, fields: tuple[str, ...]) -> None:
    from pyogrio.raw import write  # GDAL: loaded by the one who asks for it

    shapes = np.asarray(_shapes(rows), dtype=object)
    kinds = set(shapely.get_type_id(shapes).tolist())
    several = shapely.GeometryType.MULTIPOLYGON.value
    if several in kinds:
        shapes = np.array([each if each.geom_type[:5] == "Multi" else shapely.MultiPolygon([each]) for each in shapes])
    columns = [_column([row.get(field) for row in rows]) for field in fields]
    write(
        path,
        geometry=shapely.to_wkb(shapes),
        field_data=[values for values, _ in columns],
        field_mask=[absent for _, absent in columns],
        fields=list(fields),
        geometry_type=shapes[0].geom_type if len(shapes) else "Unknown",
        crs="EPSG:4326",
        layer=name,
        driver="GPKG",
    )


def _column(values: list[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """A column in the narrowest type that holds it, and where it is empty."""
    absent = np.array([value is None for value in values], bool)
    kinds = {type(value) for value in values if value is not None}
    for known, dtype in ((bool, np.bool_), (int, np.int64), (float, np.float64)):
        if kinds == {known}:
            return np.array([known() if value is None else value for value in values], dtype), absent
    if kinds == {int, float}:
        return np.array([0.0 if value is None else value for value in values], np.float64), absent
    return np.array([None if value is None else str(value) for value in values], dtype=object), absent
