"""Files of every kind that a county has: what they are is seen, what they say is read, what is wrong is named."""

from __future__ import annotations

import io
import pathlib
import zipfile
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely

from geo.coordinates import from_wgs84
from geo.topology import Feature
from services.grid.jobs import opening
from services.grid.jobs.reading import Reading, in_wgs84, read
from tests.partitions import partition

COLUMNS = ("CODE", "NAME", "LEVEL", "PARENT")
Write = Callable[..., bytes]


def columns_of(features: list[Feature], names: Iterable[str]) -> list[Any]:
    values = {
        "CODE": [each.code for each in features],
        "NAME": [f"青枫网格{each.code[-3:]}" for each in features],
        "LEVEL": [each.level for each in features],
        "PARENT": [each.parent or "" for each in features],
    }
    return [np.array(values[name], dtype=object) for name in names]


def write(
    place: pathlib.Path,
    features: list[Feature],
    *,
    crs: str = "EPSG:4490",
    encoding: str | None = None,
    columns: dict[str, str] | None = None,
    layer: str | None = None,
) -> pathlib.Path:
    """`columns`: our name -> the file's."""
    names = columns or {name: name for name in COLUMNS}
    pyogrio.raw.write(
        place,
        geometry=shapely.to_wkb(np.array([each.geometry for each in features], dtype=object)),
        field_data=columns_of(features, names),
        fields=list(names.values()),
        geometry_type="Polygon",
        crs=crs,
        encoding=encoding,
        layer=layer,
        append=place.exists(),
    )
    return place


def zipped(place: pathlib.Path, *, without: tuple[str, ...] = (), inside: str = "") -> bytes:
    """Every file of a folder in one archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(place.iterdir()):
            if file.suffix not in without:
                archive.write(file, f"{inside}{file.name}")
    return packed.getvalue()


def judged(reading: Reading) -> set[str]:
    return {finding.problem.code for finding in reading.findings}


@pytest.mark.parametrize("encoding", ["GBK", "UTF-8"])
@pytest.mark.parametrize("without", [(".cpg",), ()])
def test_a_zipped_shapefile_is_read_whatever_its_text_is_written_in(
    tmp_path: pathlib.Path, encoding: str, without: tuple[str, ...]
) -> None:
    features = partition()
    write(tmp_path / "grids.shp", features, encoding=encoding)
    reading = read(zipped(tmp_path, without=without, inside="网格/"))
    assert (reading.format, judged(reading)) == ("shapefile", set())
    assert [area.code for area in reading.areas] == [each.code for each in features]
    assert reading.areas[-1].name == f"青枫网格{features[-1].code[-3:]}"
    areas, report, _ = in_wgs84(reading.areas, "cgcs2000")
    assert report.ok
    assert areas[0].geometry.equals(features[0].geometry)


def test_a_geopackage_may_have_a_layer_for_every_level(tmp_path: pathlib.Path) -> None:
    features = partition()
    for level in ("county", "town", "village", "grid"):
        write(tmp_path / "areas.gpkg", [each for each in features if each.level == level], layer=level)
    reading = read((tmp_path / "areas.gpkg").read_bytes())
    assert (reading.format, judged(reading)) == ("geopackage", set())
    assert {area.code for area in reading.areas} == {each.code for each in features}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_a_csv_with_wkt_is_read_whatever_its_text_is_written_in(encoding: str) -> None:
    features = partition()
    lines = ["网格编码;网格名称;层级;上级编码;WKT"]
    words = {"county": "县", "town": "街道", "village": "社区", "grid": "网格"}
    for each in features:
        lines.append(f"{each.code};青枫;{words[each.level]};{each.parent or ''};SRID=4490;{each.geometry.wkt}")
    text = "\n".join(line.replace("SRID=4490;", "") for line in lines)
    reading = read(text.encode(encoding))
    assert (reading.format, judged(reading)) == ("csv", set())
    assert reading.attributes.names == {
        "code": "网格编码", "name": "网格名称", "level": "层级", "parent": "上级编码"
    }  # fmt: skip
    assert [area.level.value for area in reading.areas] == [each.level for each in features]


def test_level_and_parent_are_made_from_the_code_where_no_attribute_says_them(tmp_path: pathlib.Path) -> None:
    features = partition()
    write(tmp_path / "grids.shp", features, columns={"CODE": "WGBM", "NAME": "WGMC"}, encoding="GBK")
    reading = read(zipped(tmp_path))
    assert judged(reading) == {"made_from_code"}
    assert [(area.level.value, area.parent) for area in reading.areas] == [
        (each.level, each.parent) for each in features
    ]


def test_the_importer_says_which_attribute_is_which(tmp_path: pathlib.Path) -> None:
    write(tmp_path / "grids.shp", partition(), columns={"CODE": "F1", "NAME": "F2"})
    assert judged(read(zipped(tmp_path))) == {"missing_property"}
    reading = read(zipped(tmp_path), given={"code": "F1", "name": "F2"})
    assert judged(reading) == {"made_from_code"}
    assert judged(read(zipped(tmp_path), given={"code": "F1", "name": "F9"})) >= {"unknown_attribute"}


def test_a_plane_systems_metres_are_taken_when_they_are_called_so(tmp_path: pathlib.Path) -> None:
    features = partition()
    plane = [
        Feature(
            each.code,
            each.level,
            each.parent,
            shapely.transform(each.geometry, lambda p: np.column_stack(from_wgs84(*p.T, "EPSG:4549"))),
        )
        for each in features
    ]
    write(tmp_path / "areas.gpkg", plane, crs="EPSG:4549")
    data = (tmp_path / "areas.gpkg").read_bytes()
    reading = read(data, "EPSG:4549")
    assert judged(reading) == set()
    areas, report, _ = in_wgs84(reading.areas, "EPSG:4549")
    assert report.ok
    assert shapely.hausdorff_distance(areas[0].geometry, features[0].geometry) < 1e-6
    assert judged(read(data, "wgs84")) == {"wrong_crs"}
    assert judged(read(data, "EPSG:4547")) == {"wrong_crs"}


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for suffix in (".shp", ".shx", ".dbf"):
            with archive.open(f"a{suffix}", "w", force_zip64=True) as file:
                for _ in range(200):
                    file.write(b"\0" * 2**20)
    return packed.getvalue()


def archive(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name in names:
            file.writestr(name, b"x")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "unknown_format"),
        (b"%PDF-1.7 and so on", "unknown_format"),
        (b"name only", "unknown_format"),
        (b"PK\x03\x04 damaged", "bad_archive"),
        (archive("a.txt"), "unknown_format"),
        (archive("a.shp"), "incomplete_shapefile"),
        (archive("a.shp", "a.shx", "a.dbf"), "bad_file"),
        (archive(*(f"{n}.txt" for n in range(opening.MOST_ENTRIES + 1))), "bad_archive"),
        (archive("../../a.shp", "../../a.shx", "../../a.dbf"), "bad_file"),
        (b"SQLite format 3\x00 and nothing more", "bad_file"),
        (b"code,name\n330411,x\n", "missing_geometry"),
        (b"code,wkt\n", "empty_collection"),
        (b'code,wkt\n"330411,x\n', "bad_file"),
    ],
)
def test_what_is_no_file_of_areas_is_named(data: bytes, code: str) -> None:
    reading = read(data)
    assert not reading.areas
    assert judged(reading) == {code}


def test_a_zip_bomb_is_not_unpacked() -> None:
    data = bomb()
    assert len(data) < 2**20
    assert judged(read(data)) == {"too_large"}


def test_a_geometry_that_is_none_keeps_its_area_and_is_named() -> None:
    text = "code,name,wkt\n330411,县,POLYGON((120 30\n330411101,镇,POINT(120 30)\n330411102,镇,POLYGON EMPTY\n"
    reading = read(text.replace("POLYGON((120 30\n", '"POLYGON((120 30"\n').encode())
    assert judged(reading) >= {"missing_geometry", "not_a_polygon", "empty_geometry"}
    assert len(reading.areas) == 3
