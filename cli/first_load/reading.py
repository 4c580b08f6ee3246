"""A county's own tables as rows: CSV in UTF-8 or GBK, spreadsheets, GeoJSON; told apart by their bytes."""

from __future__ import annotations

import csv
import io
import json
import pathlib
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import python_calamine

LARGEST_BYTES = 64 * 1024 * 1024
LARGEST_UNPACKED_BYTES = 512 * 1024 * 1024
MOST_ROWS = 500_000
HEADER_AMONG = 10
"""Above the line of column names there may be a title: it is looked for among the first lines."""
_BLANKS = "\ufeff\u00a0\u3000 \t\r\n"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


class Unreadable(Exception):
    """The file cannot be read as a table; the message says why, and what would be right."""


@dataclass(frozen=True, slots=True)
class Row:
    """`line` as an editor counts it (of a GeoJSON file: the feature's number); values by column, None where empty."""

    line: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """`how` says what the file was taken for."""

    columns: list[str]
    rows: list[Row]
    how: str


def read(file: pathlib.Path, sheet: str | None = None) -> Sheet:
    """The file's rows. Raises Unreadable, OSError."""
    if file.stat().st_size > LARGEST_BYTES:
        raise Unreadable(f"the file is larger than {LARGEST_BYTES // 2**20} MiB: cut it into several")
    data = file.read_bytes()
    if data.startswith((b"PK\x03\x04", _OLD_EXCEL)):
        return _spreadsheet(data, sheet)
    text, encoding = _decoded(data)
    if text.lstrip(_BLANKS).startswith("{"):
        return _geojson(text)
    return _csv(text, encoding)


def _decoded(data: bytes) -> tuple[str, str]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, encoding.removesuffix("-sig").upper()
    raise Unreadable("neither text in UTF-8 or GBK, nor a spreadsheet (.xlsx, .xls, .ods), nor GeoJSON")


def _csv(text: str, encoding: str) -> Sheet:
    head = text.splitlines()[:HEADER_AMONG]
    # What stands in most lines, then most often: a cell's own semicolons are not in every line. Else the comma.
    separator = max(",\t;，", key=lambda sign: (sum(sign in line for line in head), "".join(head).count(sign)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        sheet = _table(_numbered(reader))
    except csv.Error as error:
        raise Unreadable(f"line {reader.line_num}: {error}") from None
    return Sheet(sheet.columns, sheet.rows, f"CSV, {encoding}, {'tab' if separator == chr(9) else separator!r}")


def _numbered(reader: Any) -> Iterator[tuple[int, list[Any]]]:
    """A row's line is its first: a cell may hold line breaks."""
    begins = 1
    for cells in reader:
        yield begins, cells
        begins = reader.line_num + 1


def _spreadsheet(data: bytes, name: str | None) -> Sheet:
    if data.startswith(b"PK"):
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                unpacked = sum(each.file_size for each in archive.infolist())
        except zipfile.BadZipFile:
            raise Unreadable("a damaged spreadsheet") from None
        if unpacked > LARGEST_UNPACKED_BYTES:
            raise Unreadable(f"the spreadsheet unpacks to more than {LARGEST_UNPACKED_BYTES // 2**20} MiB")
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = book.sheet_names
        if not names or (name is not None and name not in names):
            raise Unreadable(f"there is no sheet {name!r}, but: {', '.join(names)}")
        chosen = names[0] if name is None else name
        # Empty rows above the first one count too: the line is what the spreadsheet shows.
        cells = book.get_sheet_by_name(chosen).to_python(skip_empty_area=False)
    except python_calamine.CalamineError as error:
        raise Unreadable(f"a spreadsheet that cannot be read: {error}") from None
    sheet = _table(enumerate(cells, start=1))
    others = f", of {len(names)}: --sheet chooses" if len(names) > 1 else ""
    return Sheet(sheet.columns, sheet.rows, f"spreadsheet, sheet {chosen!r}{others}")


def _geojson(text: str) -> Sheet:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from None
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or not features:
        raise Unreadable("JSON, but no FeatureCollection with features")
    rows = [Row(number, _of_feature(feature, number)) for number, feature in enumerate(features, start=1)]
    columns = list(dict.fromkeys(name for row in rows for name in row.values))
    return Sheet(columns, rows, "GeoJSON")


def _of_feature(feature: Any, number: int) -> dict[str, Any]:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        raise Unreadable(f"feature {number} has no properties")
    values = {_text(name): _cell(value) for name, value in properties.items()}
    geometry = feature.get("geometry")
    if isinstance(geometry, dict) and geometry.get("type") == "Point":
        point = geometry.get("coordinates")
        if not isinstance(point, list) or len(point) < 2:
            raise Unreadable(f"feature {number}: a point has two numbers")
        values |= {"lon": point[0], "lat": point[1]}
    return values


def _table(lines: Iterable[tuple[int, list[Any]]]) -> Sheet:
    """The first line with two filled cells names the columns; a line without a filled cell is none."""
    columns: list[str] | None = None
    rows: list[Row] = []
    for seen, (line, cells) in enumerate(lines):
        values = [_cell(cell) for cell in cells]
        if columns is None:
            if sum(value is not None for value in values) >= 2:
                columns = [_text(value) for value in values]
            elif seen >= HEADER_AMONG:
                break
            continue
        if any(value is not None for value in values):
            if len(rows) >= MOST_ROWS:
                raise Unreadable(f"more than {MOST_ROWS} rows: cut the file into several")
            if any(value is not None for value in values[len(columns) :]):
                raise Unreadable(f"line {line} has more cells than there are columns")
            rows.append(Row(line, {name: value for name, value in zip(columns, values, strict=False) if name}))
    if columns is None:
        raise Unreadable(f"no line of column names among the first {HEADER_AMONG}")
    named = [name for name in columns if name]
    if twice := sorted({name for name in named if named.count(name) > 1}):
        raise Unreadable(f"two columns are called {twice[0]!r}")
    return Sheet(named, rows, "")


def _cell(value: Any) -> Any:
    """Text without blanks around, whole numbers whole, days as ISO text; None for nothing."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    if isinstance(value, str):
        return value.strip(_BLANKS) or None
    return value


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip(_BLANKS)
