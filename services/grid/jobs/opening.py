"""A file of areas as somebody sent it -> layers of features: zipped Shapefiles, GeoPackage, CSV with WKT.

What it is, its bytes tell, not its name. GeoJSON has a reader of its own (`reading`), which knows its rings' faults.
Text comes as UTF-8 or GBK: dBase files seldom say which, and say it wrongly when they do.
"""

from __future__ import annotations

import csv
import io
import pathlib
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

Format = Literal["geojson", "shapefile", "geopackage", "csv"]
MOST_UNPACKED = 512 * 1024 * 1024
MOST_ENTRIES = 500
MOST_FEATURES = 100_000
MOST_VERTICES = 5_000_000
_OF_A_SHAPEFILE = (".shp", ".shx", ".dbf", ".prj")
_WKT_COLUMNS = ("wkt", "geometry", "geom", "the_geom", "shape")
_CHUNK = 1024 * 1024


class Unreadable(Exception):
    """Nothing of the file can be used: its finding's code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One table of features: `geometries[i]` (None where there is none, or none that can be read) of `rows[i]`."""

    name: str
    crs: str | None
    rows: list[dict[str, Any]]
    geometries: list[Any]


def format_of(data: bytes) -> Format:
    """What the bytes are. Raises Unreadable `unknown_format`."""
    start = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if data.startswith(b"PK\x03\x04"):
        return "shapefile"
    if data.startswith(b"SQLite format 3\x00"):
        return "geopackage"
    if start[:1] in (b"{", b"["):
        return "geojson"
    first = start.partition(b"\n")[0]
    if b"\x00" not in start and any(sign in first for sign in (b",", b";", b"\t")):
        return "csv"
    raise Unreadable("unknown_format", "the file is no GeoJSON, zipped Shapefile, GeoPackage or CSV with WKT")


def layers(data: bytes, kind: Format) -> list[Layer]:
    """Every layer with features, geometries without Z. Raises Unreadable."""
    read = {"shapefile": _shapefiles, "geopackage": _geopackage, "csv": _csv}[kind]
    found = [layer for layer in read(data) if layer.rows]
    if not found:
        raise Unreadable("empty_collection", "the file holds no feature")
    if (features := sum(len(layer.rows) for layer in found)) > MOST_FEATURES:
        raise Unreadable("too_many_features", f"the file holds {features} features; the most are {MOST_FEATURES}")
    return found


# Shapefile ------------------------------------------------------------------------------------------


def _shapefiles(data: bytes) -> Iterator[Layer]:
    with tempfile.TemporaryDirectory(prefix="pingan-import-") as place:
        stems = _unpack(data, pathlib.Path(place))
        for stem, name in stems:
            yield _layer(pathlib.Path(place) / f"{stem}.shp", None, name)


def _unpack(data: bytes, place: pathlib.Path) -> list[tuple[str, str]]:
    """Lays out each Shapefile's parts under names of ours; (stem there, name in the archive)."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    # What zipfile raises for a damaged directory, an unknown version, an offset before the file, a name's bytes.
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise Unreadable("bad_archive", "the zip file is damaged") from None
    if len(entries) > MOST_ENTRIES:
        raise Unreadable("bad_archive", f"the zip file holds {len(entries)} files; the most are {MOST_ENTRIES}")
    parts: dict[str, dict[str, zipfile.ZipInfo]] = {}
    for entry in entries:
        path = pathlib.PurePosixPath(entry.filename.replace("\\", "/"))
        if path.suffix.lower() in _OF_A_SHAPEFILE and "__MACOSX" not in path.parts:
            parts.setdefault(str(path.with_suffix("")), {})[path.suffix.lower()] = entry
    shapes = {stem: found for stem, found in parts.items() if ".shp" in found}
    if not shapes:
        raise Unreadable("unknown_format", "the zip file holds no Shapefile (.shp, .shx, .dbf)")
    left, stems = MOST_UNPACKED, []
    for number, (stem, found) in enumerate(sorted(shapes.items())):
        if missing := [suffix for suffix in (".shx", ".dbf") if suffix not in found]:
            raise Unreadable("incomplete_shapefile", f"{stem}.shp lacks its {' and '.join(missing)}")
        for suffix, entry in found.items():
            left -= _copy(archive, entry, place / f"{number}{suffix}", left)
        stems.append((str(number), pathlib.PurePosixPath(stem).name))
    return stems


def _copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: pathlib.Path, most: int) -> int:
    """Unpacks one entry; counts what comes out, whatever the archive says of it."""
    written = 0
    try:
        with archive.open(entry) as source, target.open("wb") as file:
            while chunk := source.read(_CHUNK):
                written += len(chunk)
                if written > most:
                    raise Unreadable("too_large", f"unpacked the files are over {MOST_UNPACKED // 2**20} MiB")
                file.write(chunk)
    # A wrong checksum, an unknown method, a password, an end too early, an offset outside; our own refusal passes.
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise Unreadable("bad_archive", f"{entry.filename[:80]} cannot be unpacked: {str(error)[:100]}") from None
    return written


# GeoPackage -----------------------------------------------------------------------------------------


def _geopackage(data: bytes) -> Iterator[Layer]:
    with tempfile.TemporaryDirectory(prefix="pingan-import-") as place:
        file = pathlib.Path(place) / "areas.gpkg"
        file.write_bytes(data)
        try:
            names = [str(name) for name, kind in pyogrio.list_layers(file) if kind is not None]
        except (DataSourceError, DataLayerError) as error:
            raise Unreadable("bad_file", f"the GeoPackage cannot be opened: {_words(error, file)}") from None
        for name in names:
            yield _layer(file, name, name)


def _layer(file: pathlib.Path, layer: str | None, name: str) -> Layer:
    try:
        # Each byte as a character: whether they are UTF-8 or GBK is for `_decoded` to find out.
        options: dict[str, Any] = {"encoding": "ISO-8859-1"} if file.suffix == ".shp" else {}
        meta, _, shapes, columns = pyogrio.raw.read(file, layer=layer, force_2d=True, **options)
    except (DataSourceError, DataLayerError, ValueError) as error:
        raise Unreadable("bad_file", f"{name} cannot be read: {_words(error, file)}") from None
    texts = [_decoded(column) if file.suffix == ".shp" else column.tolist() for column in columns]
    fields = [str(field) for field in meta["fields"]]
    if file.suffix == ".shp":
        fields = _decoded(np.array(fields, dtype=object))
    rows = [dict(zip(fields, values, strict=True)) for values in zip(*texts, strict=True)] if texts else []
    geometries = [None] * len(rows) if shapes is None else shapely.from_wkb(shapes, on_invalid="ignore").tolist()
    return Layer(name, meta["crs"], rows, geometries)


def _decoded(column: Any) -> list[Any]:
    """A column whose bytes were taken for Latin-1: UTF-8 where all of it is, else GBK (GB 18030)."""
    values = column.tolist()
    raw = [value.encode("latin-1", "replace") for value in values if isinstance(value, str)]
    encoding = "utf-8" if all(_is_utf8(each) for each in raw) else "gb18030"
    return [
        value.encode("latin-1", "replace").decode(encoding, "replace") if isinstance(value, str) else value
        for value in values
    ]


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _words(error: Exception, file: pathlib.Path) -> str:
    return str(error).replace(str(file), file.name)[:200]


# CSV ------------------------------------------------------------------------------------------------


def _csv(data: bytes) -> Iterator[Layer]:
    data = data.removeprefix(b"\xef\xbb\xbf")
    text = data.decode("utf-8" if _is_utf8(data) else "gb18030", "replace")
    sign = max(",;\t", key=text.partition("\n")[0].count)
    csv.field_size_limit(MOST_UNPACKED)
    try:
        rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=sign, strict=True))
    except csv.Error as error:
        raise Unreadable("bad_file", f"the CSV cannot be read: {error}") from None
    columns = {name.strip().lower(): name for name in (rows[0] if rows else {}) if name}
    column = next((columns[name] for name in _WKT_COLUMNS if name in columns), "")
    if rows and not column:
        raise Unreadable("missing_geometry", f"the CSV has no column of WKT ({', '.join(_WKT_COLUMNS)})")
    # An SRID before the text (EWKT) says nothing that `crs` does not.
    texts = [(row.pop(column) or "").rpartition(";")[2] or None for row in rows]
    geometries = [shapely.force_2d(each) for each in shapely.from_wkt(texts, on_invalid="ignore")] if rows else []
    yield Layer("csv", None, [{(k or "").strip(): v for k, v in row.items()} for row in rows], geometries)
