"""A planar mesh of cells that share every vertex and edge: what a county's grids are cut from.

Cells are Voronoi cells of relaxed seeds, denser in the middle, as a county seat is. Borders are kept as
edges with one line each, so whatever is built of cells covers its parts exactly. Pure, metres, seeded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import numpy as np
import shapely
from numpy.typing import NDArray

Vertex = tuple[int, int]
"""A mesh vertex in centimetres: integers, so that equal means equal."""

Edge = tuple[Vertex, Vertex]
Points = NDArray[np.float64]

CM = 100.0


@dataclass(frozen=True, slots=True)
class Mesh:
    """`rings[i]` are the vertices of cell i, closed implicitly; `sites` its seeds; `even` the same before warping."""

    rings: list[list[Vertex]]
    sites: Points
    even: Points

    def owners(self) -> dict[Edge, list[int]]:
        """Edge (ends in order) -> the one or two cells beside it."""
        beside: dict[Edge, list[int]] = {}
        for cell, ring in enumerate(self.rings):
            for edge in edges(ring):
                beside.setdefault(edge, []).append(cell)
        return beside


def edges(ring: list[Vertex]) -> list[Edge]:
    """The ring's edges, each with its ends in order, so that both neighbours name it alike."""
    following = [*ring[1:], ring[0]]
    return [(a, b) if a < b else (b, a) for a, b in zip(ring, following, strict=True)]


def make(random: Random, cells: int, radius_m: float) -> Mesh:
    """A connected mesh of exactly `cells` cells with a natural outline of about `radius_m`."""
    even = _lattice(random, cells)
    lobes = [(k, random.uniform(0.03, 0.09), random.uniform(0, 2 * math.pi)) for k in (2, 3, 5, 7)]
    angle, distance = np.arctan2(even[:, 1], even[:, 0]), np.hypot(even[:, 0], even[:, 1])
    reach = 1.0 + sum(size * np.cos(k * angle + phase) for k, size, phase in lobes)
    inside = np.argsort(distance / reach, kind="stable")[:cells]
    sites = _warped(even, radius_m)
    polygons = _voronoi(sites)
    for _ in range(2):  # Lloyd: rounder cells, no slivers
        sites = shapely.get_coordinates(shapely.centroid(polygons))
        polygons = _voronoi(sites)
    return Mesh([_ring(polygon) for polygon in polygons[inside]], sites[inside], even[inside])


def _lattice(random: Random, cells: int) -> Points:
    """A jittered hexagonal lattice around the origin, unit disc = `cells` points, with a rim of spare ones."""
    step = math.sqrt(math.pi / cells / (math.sqrt(3) / 2))
    reach = int(1.45 / step) + 1
    rows = [
        ((column + row % 2 / 2) * step, row * step * math.sqrt(3) / 2)
        for row in range(-reach, reach + 1)
        for column in range(-reach, reach + 1)
    ]
    points = [(x, y) for x, y in rows if math.hypot(x, y) < 1.45]
    return np.array([(x + random.gauss(0, 0.22) * step, y + random.gauss(0, 0.22) * step) for x, y in points])


def _warped(even: Points, radius_m: float) -> Points:
    """Draws the middle together: small cells in the county seat, large ones in the country."""
    distance = np.hypot(even[:, 0], even[:, 1])
    pull = 0.35 + 0.65 * np.minimum(distance, 1.0) ** 1.2
    return np.asarray(even * (pull * radius_m)[:, None])


def _voronoi(sites: Points) -> NDArray[np.object_]:
    extent = shapely.box(*(sites.min(axis=0) - 3000), *(sites.max(axis=0) + 3000))
    collection = shapely.voronoi_polygons(shapely.multipoints(sites), extend_to=extent, ordered=True)
    return np.asarray(shapely.get_parts(collection))


def _ring(polygon: shapely.Polygon) -> list[Vertex]:
    """Vertices to the centimetre, without repeats (an edge shorter than that vanishes for both neighbours)."""
    ring: list[Vertex] = []
    for x, y in shapely.get_coordinates(polygon)[:-1]:
        vertex = (round(x * CM), round(y * CM))
        if not ring or vertex != ring[-1]:
            ring.append(vertex)
    return ring[:-1] if ring[0] == ring[-1] else ring


def clusters(random: Random, points: Points, count: int, rounds: int = 12) -> NDArray[np.int64]:
    """Groups points around `count` moving centres (k-means); the group of each point."""
    centres = points[sorted(random.sample(range(len(points)), count))]
    group = np.zeros(len(points), dtype=np.int64)
    for _ in range(rounds):
        group = ((points[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
        for number in range(count):
            if (group == number).any():
                centres[number] = points[group == number].mean(axis=0)
    return group


def connect(group: NDArray[np.int64], neighbours: list[set[int]]) -> None:
    """Gives every stray piece of a group to the group it touches most, in place, until each is in one piece."""
    while True:
        strays = [piece for number in sorted(set(group.tolist())) for piece in _pieces(number, group, neighbours)[1:]]
        if not strays:
            return
        for piece in strays:
            touching = [int(group[other]) for member in piece for other in neighbours[member] if other not in piece]
            group[list(piece)] = max(sorted(set(touching)), key=touching.count)


def _pieces(number: int, group: NDArray[np.int64], neighbours: list[set[int]]) -> list[set[int]]:
    """The connected pieces of one group, largest first."""
    left = set(np.flatnonzero(group == number).tolist())
    pieces = []
    while left:
        piece, frontier = set(), [min(left)]
        while frontier:
            member = frontier.pop()
            if member not in piece:
                piece.add(member)
                frontier += [other for other in neighbours[member] if group[other] == number]
        pieces.append(piece)
        left -= piece
    return sorted(pieces, key=lambda piece: (-len(piece), min(piece)))


def winding(random: Random, edge: Edge, depth: int, roughness: float = 0.09) -> list[Vertex]:
    """The edge as a line that winds like a stream: midpoints displaced `depth` times."""
    (ax, ay), (bx, by) = edge
    if depth == 0 or math.hypot(bx - ax, by - ay) < 60 * CM:
        return [edge[0], edge[1]]
    push = random.uniform(-roughness, roughness)
    middle = (round((ax + bx) / 2 - (by - ay) * push), round((ay + by) / 2 + (bx - ax) * push))
    first = winding(random, (edge[0], middle), depth - 1, roughness)
    return first[:-1] + winding(random, (middle, edge[1]), depth - 1, roughness)
