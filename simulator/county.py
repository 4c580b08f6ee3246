"""A demo county: 10 towns, 160 villages and communities, about 2,240 grids, in one true partition.

`python -m simulator.county [--seed N] [--code 330499] > county.geojson` writes it as the import wants it.
Every border is one line shared by both sides; parents are unions of their cells, so nothing is missing
and nothing overlaps. Special grids (schools, markets ...) are holes of the grid around them, filled.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import shapely

from simulator import mesh as meshes
from simulator import names

TOWNS, VILLAGES, ORDINARY_GRIDS, SPECIAL_GRIDS, PLACES = 10, 160, 2160, 80, 200
RADIUS_M = 21_000.0
CENTRE_LON, CENTRE_LAT = 119.62, 29.31
_M_PER_DEGREE = 111_320.0
SPECIAL_KINDS = ("school", "school", "school", "hospital", "market", "market", "firm", "firm", "park")


@dataclass(frozen=True, slots=True)
class Area:
    """One administrative area or grid; `geometry` in WGS84 lon/lat, `parent` its parent's code."""

    code: str
    name: str
    level: str
    parent: str | None
    kind: str
    geometry: shapely.Polygon


@dataclass(frozen=True, slots=True)
class Place:
    """A key place inside one grid, WGS84."""

    name: str
    category: str
    grid: str
    lon: float
    lat: float


@dataclass(slots=True)
class County:
    """What the generator made, in the order county, towns, villages, grids."""

    code: str
    seed: int
    areas: list[Area] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    def at(self, level: str) -> list[Area]:
        return [area for area in self.areas if area.level == level]

    def children(self, code: str) -> list[Area]:
        return [area for area in self.areas if area.parent == code]

    def path(self, code: str) -> str:
        """The area path of a code: its codes from the county down, each ended by `/`."""
        cuts = {"county": (6,), "town": (6, 9), "village": (6, 9, 12), "grid": (6, 9, 12, 15)}
        level = {6: "county", 9: "town", 12: "village", 15: "grid"}[len(code)]
        return "".join(f"{code[:cut]}/" for cut in cuts[level])

    def feature_collection(self) -> dict[str, Any]:
        """GeoJSON as POST /v1/areas/imports takes it (crs wgs84)."""
        return {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {
                        "code": area.code,
                        "name": area.name,
                        "level": area.level,
                        "parent": area.parent,
                        "kind": area.kind,
                    },
                    "geometry": shapely.geometry.mapping(area.geometry),
                }
                for area in self.areas
            ],
        }


def generate(seed: int = 20260302, code: str = "330499") -> County:
    """The county of this seed: the same polygons, codes and names on every machine."""
    random = Random(f"county:{seed}")
    mesh = meshes.make(random, ORDINARY_GRIDS, RADIUS_M)
    village_of, town_of = _divide(random, mesh)
    cells = _polygons(seed, mesh, village_of, town_of)
    county = County(code, seed)
    _name_areas(random, county, mesh, village_of, town_of, cells)
    _add_places(random, county)
    return county


def _divide(random: Random, mesh: meshes.Mesh) -> tuple[list[int], list[int]]:
    """The village of each cell and the town of each cell; every group in one piece."""
    beside = [pair for pair in mesh.owners().values() if len(pair) == 2]
    neighbours: list[set[int]] = [set() for _ in mesh.rings]
    for left, right in beside:
        neighbours[left].add(right)
        neighbours[right].add(left)
    village = meshes.clusters(random, mesh.even, VILLAGES)
    meshes.connect(village, neighbours)
    around: list[set[int]] = [set() for _ in range(VILLAGES)]
    for left, right in beside:
        around[village[left]].add(int(village[right]))
        around[village[right]].add(int(village[left]))
    centres = np.array([mesh.even[village == number].mean(axis=0) for number in range(VILLAGES)])
    town = meshes.clusters(random, centres, TOWNS, rounds=30)
    meshes.connect(town, [near - {number} for number, near in enumerate(around)])
    return village.tolist(), [int(town[number]) for number in village]


def _polygons(seed: int, mesh: meshes.Mesh, village_of: list[int], town_of: list[int]) -> list[shapely.Polygon]:
    """Every cell with its borders drawn: streets straight, village and town borders winding."""
    beside = mesh.owners()
    straight: set[meshes.Edge] = set()
    while True:
        lines = {edge: _line(seed, edge, cells, village_of, town_of, straight) for edge, cells in beside.items()}
        polygons = [shapely.Polygon([_lonlat(vertex) for vertex in _drawn(ring, lines)]) for ring in mesh.rings]
        crossing = [cell for cell, valid in enumerate(shapely.is_valid(polygons)) if not valid]
        if not crossing:
            # A line can leave its two cells only by crossing their rings, so valid rings mean a true partition.
            return polygons
        before = len(straight)
        straight.update(edge for cell in crossing for edge in meshes.edges(mesh.rings[cell]))
        if len(straight) == before:
            raise ValueError(f"seed {seed} gives cells that cross themselves: {crossing[:5]}")


def _line(
    seed: int,
    edge: meshes.Edge,
    cells: list[int],
    village_of: list[int],
    town_of: list[int],
    straight: set[meshes.Edge],
) -> list[meshes.Vertex]:
    depth = 0
    if edge not in straight:
        if len(cells) == 1 or town_of[cells[0]] != town_of[cells[1]]:
            depth = 4
        elif village_of[cells[0]] != village_of[cells[1]]:
            depth = 2
    return meshes.winding(Random(f"{seed}:{edge}"), edge, depth)


def _drawn(ring: list[meshes.Vertex], lines: dict[meshes.Edge, list[meshes.Vertex]]) -> Iterator[meshes.Vertex]:
    for start, edge in zip(ring, meshes.edges(ring), strict=True):
        line = lines[edge]
        yield from (line if line[0] == start else line[::-1])[:-1]


def _lonlat(vertex: meshes.Vertex) -> tuple[float, float]:
    """Centimetres around the centre -> degrees to 1e-7 (a centimetre), the same for every user of the vertex."""
    x, y = vertex[0] / meshes.CM, vertex[1] / meshes.CM
    lon = CENTRE_LON + x / (_M_PER_DEGREE * math.cos(math.radians(CENTRE_LAT)))
    return round(lon, 7), round(CENTRE_LAT + y / _M_PER_DEGREE, 7)


def _name_areas(
    random: Random,
    county: County,
    mesh: meshes.Mesh,
    village_of: list[int],
    town_of: list[int],
    cells: list[shapely.Polygon],
) -> None:
    members: dict[int, dict[int, list[int]]] = {}
    for cell, (town, village) in enumerate(zip(town_of, village_of, strict=True)):
        members.setdefault(town, {}).setdefault(village, []).append(cell)
    distance = np.hypot(mesh.sites[:, 0], mesh.sites[:, 1])

    def centrality(group: list[int]) -> float:
        return float(distance[group].mean())

    by_centrality = sorted(members, key=lambda town: centrality([c for group in members[town].values() for c in group]))
    town_names = [*names.STREETS, *names.TOWNS, *names.TOWNSHIPS]
    numbers = [
        *range(1, 1 + len(names.STREETS)),
        *range(100, 100 + len(names.TOWNS)),
        *range(200, 200 + len(names.TOWNSHIPS)),
    ]
    community_names, village_names = names.communities(random, 100), names.villages(random, VILLAGES)
    hosts, taken = set(random.sample(range(len(cells)), SPECIAL_GRIDS)), set[str]()
    towns, villages, grids = [], [], []
    for town, town_name, number in zip(by_centrality, town_names, numbers, strict=True):
        town_code = f"{county.code}{number:03d}"
        groups = sorted(members[town].values(), key=centrality)
        urban = len(groups) - 2 if number < 100 else 3 if number < 200 else 1
        for place, group in enumerate(groups):
            is_community = place < urban
            serial = 1 + place if is_community else 200 + place - urban
            village_code = f"{town_code}{serial:03d}"
            name = (community_names if is_community else village_names).pop()
            villages.append(Area(village_code, name, "village", town_code, "ordinary", _union(cells, group)))
            grids += _grids(random, village_code, name, [(cells[cell], cell in hosts) for cell in group], taken)
        whole = [cell for group in groups for cell in group]
        towns.append(Area(town_code, town_name, "town", county.code, "ordinary", _union(cells, whole)))
    outline = Area(county.code, names.COUNTY, "county", None, "ordinary", _union(cells, list(range(len(cells)))))
    county.areas = [outline, *towns, *villages, *grids]


def _union(cells: list[shapely.Polygon], group: list[int]) -> shapely.Polygon:
    union = shapely.coverage_union_all([cells[cell] for cell in group])
    if isinstance(union, shapely.Polygon):
        return union
    (only,) = shapely.get_parts(union)
    return shapely.Polygon(only)


def _grids(
    random: Random, village: str, village_name: str, group: list[tuple[shapely.Polygon, bool]], taken: set[str]
) -> list[Area]:
    """The grids of one village, special ones carved out, numbered in rows: west to east, then north to south."""
    pieces: list[tuple[shapely.Polygon, str]] = []
    for cell, is_host in group:
        polygon = cell
        if is_host:
            inner = _compound(random, polygon)
            pieces.append((inner, f"special.{random.choice(SPECIAL_KINDS)}"))
            polygon = shapely.Polygon(polygon.exterior, [inner.exterior.coords[::-1]])
        pieces.append((polygon, "ordinary"))
    rows = max(1, round(math.sqrt(len(pieces))))
    middle = [shapely.centroid(polygon) for polygon, _ in pieces]
    south, north = min(point.y for point in middle), max(point.y for point in middle)
    height = (north - south) / rows or 1.0

    def reading_order(index: int) -> tuple[int, float]:
        return min(rows - 1, int((north - middle[index].y) / height)), middle[index].x

    made = []
    for number, index in enumerate(sorted(range(len(pieces)), key=reading_order), start=1):
        polygon, kind = pieces[index]
        name = f"{village_name}第{number}网格"
        if kind != "ordinary":
            name = f"{names.place(random, kind.removeprefix('special.'), village_name, taken)}专属网格"
        made.append(Area(f"{village}{number:03d}", name, "grid", village, kind, polygon))
    return made


def _compound(random: Random, host: shapely.Polygon) -> shapely.Polygon:
    """A walled compound well inside its host: a turned rectangle, corners to 1e-7 degrees."""
    circle = shapely.maximum_inscribed_circle(host)
    (x, y), (edge_x, edge_y) = circle.coords
    reach = math.hypot(edge_x - x, edge_y - y) * random.uniform(0.25, 0.55)
    turn, flat = random.uniform(0, math.pi), random.uniform(0.5, 1.0)
    corners = []
    for side in (0.0, 1.0, 2.0, 3.0):
        angle = math.atan2(flat, 1.0) * (1 if side in (0.0, 2.0) else -1) + (math.pi if side in (1.0, 2.0) else 0.0)
        corners.append((round(x + reach * math.cos(angle + turn), 7), round(y + reach * math.sin(angle + turn), 7)))
    return shapely.Polygon(corners)


def _add_places(random: Random, county: County) -> None:
    """Key places: one in every special grid, the others in ordinary ones, most of them in town."""
    grids = county.at("grid")
    for grid in grids:
        if grid.kind != "ordinary":
            county.places.append(_place(grid, grid.kind.removeprefix("special."), grid.name.removesuffix("专属网格")))
    ordinary = [grid for grid in grids if grid.kind == "ordinary"]
    ordinary.sort(key=lambda grid: grid.geometry.area)
    taken = {place.name for place in county.places}
    village_names = {area.code: area.name for area in county.at("village")}
    while len(county.places) < PLACES:
        grid = ordinary[int(len(ordinary) * random.random() ** 2)]
        category = random.choice(list(names.PLACES))
        near = village_names[grid.parent or ""]
        county.places.append(_place(grid, category, names.place(random, category, near, taken)))


def _place(grid: Area, category: str, name: str) -> Place:
    point = grid.geometry.representative_point()
    return Place(name, category, grid.code, round(point.x, 6), round(point.y, 6))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m simulator.county", description=__doc__)
    parser.add_argument("--seed", type=int, default=20260302)
    parser.add_argument("--code", default="330499")
    chosen = parser.parse_args()
    json.dump(
        generate(chosen.seed, chosen.code).feature_collection(), sys.stdout, ensure_ascii=False, separators=(",", ":")
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
