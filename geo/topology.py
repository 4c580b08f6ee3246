"""Whether areas partition their parents: the shapely half of the two checks (the other is PostGIS, in services/grid).

Works in the lon/lat plane on the linework as given; every offending piece is measured geodesically and only pieces
above `PIECE_M2` offend. What is measured is the area of the difference, never the difference of areas: an equal gap and
overlap do not cancel, and an edge noded on one side only (a T-junction) is no offence.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.measure import area_m2

PIECE_M2: Final = 1.0
"""The largest gap, overlap or excess that is forgiven, in square metres."""

NESTING: Final = ("county", "town", "village", "grid")

LISTED_M2: Final = 0.01
"""Forgiven pieces from this size are listed, so that their author sees them; smaller ones are digits of coordinates."""

GEOMETRY_CODES: Final = ("invalid_geometry", "gap", "overlap", "outside_parent")
"""The problems both checks look for, and must agree on."""


@dataclass(frozen=True, slots=True, eq=False)
class Feature:
    """One area as handed over: `parent` is None for the county; `geometry`: (multi)polygon, WGS84 lon/lat, or empty."""

    code: str
    level: str
    parent: str | None
    geometry: BaseGeometry


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What is wrong, with whom and where; `geometry` and `area_m2` (geodesic) are the offending piece, if any."""

    code: str
    codes: tuple[str, ...]
    message: str
    geometry: BaseGeometry | None = None
    area_m2: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Every problem, largest piece first within each code; forgiven slivers are counted and measured, and those above
    `LISTED_M2` listed as `forgiven`, largest first."""

    problems: tuple[Problem, ...] = ()
    forgiven: tuple[Problem, ...] = ()
    families: int = 0
    slivers: int = 0
    largest_sliver_m2: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.problems


def check(features: Sequence[Feature]) -> Report:
    """Structure (duplicates, orphans, nesting, childless parents) and, per parent, validity, gaps, overlaps, excess."""
    structural = check_structure(features)
    shapes = np.array([feature.geometry for feature in features], dtype=object)
    invalid = _invalid(features, shapes)
    shapes = repaired(shapes)
    pieces = _Pieces()
    families = families_of(features)
    for parent, children in families.items():
        pieces.add_family(features, shapes, parent, children)
    problems = [*structural, *invalid, *pieces.problems]
    problems.sort(key=lambda problem: (problem.code, -(problem.area_m2 or 0.0), problem.codes))
    return Report(
        problems=tuple(problems),
        forgiven=tuple(sorted(pieces.forgiven, key=lambda piece: (-(piece.area_m2 or 0.0), piece.codes))),
        families=len(families),
        slivers=pieces.slivers,
        largest_sliver_m2=pieces.largest_sliver_m2,
        counts=dict(sorted(Counter(problem.code for problem in problems).items())),
    )


def check_structure(features: Sequence[Feature]) -> list[Problem]:
    """Duplicate codes, orphans, wrong nesting, parents without children, no county or several."""
    problems: list[Problem] = []
    first: dict[str, Feature] = {}
    for feature in features:
        if feature.code in first:
            problems.append(
                Problem(
                    "duplicate_code", (feature.code,), f"code {feature.code} appears more than once", feature.geometry
                )
            )
        first.setdefault(feature.code, feature)
    roots = [feature for feature in first.values() if feature.level == NESTING[0]]
    if not roots:
        problems.append(Problem("no_county", (), "no area has level county"))
    if len(roots) > 1:
        codes = tuple(root.code for root in roots)
        problems.append(
            Problem("several_counties", codes, f"one county per import, found {len(roots)}: {', '.join(codes[:5])}")
        )
    with_children = {feature.parent for feature in first.values()}
    for feature in first.values():
        problems.extend(_place_in_tree(feature, first))
        if feature.level in NESTING[:-1] and feature.code not in with_children:
            message = f"{feature.level} {feature.code} has no {NESTING[NESTING.index(feature.level) + 1]} under it"
            problems.append(
                Problem("missing_children", (feature.code,), message, feature.geometry, area_m2(feature.geometry))
            )
    return problems


def _place_in_tree(feature: Feature, first: dict[str, Feature]) -> list[Problem]:
    if feature.level not in NESTING:
        return [
            Problem(
                "unknown_level",
                (feature.code,),
                f"level of {feature.code} is none of {', '.join(NESTING)}",
                feature.geometry,
            )
        ]
    depth = NESTING.index(feature.level)
    if feature.parent is None:
        if depth == 0:
            return []
        return [Problem("orphan", (feature.code,), f"{feature.level} {feature.code} names no parent", feature.geometry)]
    parent = first.get(feature.parent)
    if parent is None:
        return [
            Problem(
                "orphan",
                (feature.code,),
                f"parent {feature.parent} of {feature.code} is not in the collection",
                feature.geometry,
            )
        ]
    if depth == 0 or parent.level != NESTING[depth - 1]:
        message = (
            f"{feature.level} {feature.code} lies under {parent.level} {parent.code}; levels nest {' > '.join(NESTING)}"
        )
        return [Problem("wrong_nesting", (feature.code, parent.code), message, feature.geometry)]
    return []


def families_of(features: Sequence[Feature]) -> dict[int, list[int]]:
    """Index of each parent -> indexes of its children; both checks compare the same families.

    The first holder of a duplicate code is the parent; later copies are children like any other (and so overlap).
    A family with an empty geometry (one that could not be read) is left out: its gap would say nothing.
    """
    index: dict[str, int] = {}
    for i, feature in enumerate(features):
        index.setdefault(feature.code, i)
    families: dict[int, list[int]] = defaultdict(list)
    for i, feature in enumerate(features):
        if feature.parent is not None and feature.parent in index and index[feature.parent] != i:
            families[index[feature.parent]].append(i)
    return {
        parent: children
        for parent, children in families.items()
        if not any(features[i].geometry.is_empty for i in (parent, *children))
    }


def repaired(shapes: NDArray[Any]) -> NDArray[Any]:
    """Polygons made valid where they are not (a self-crossing ring falls into its lobes), the others untouched.

    Both checks measure this linework, so that one bad ring is one problem and its neighbours can still be judged.
    """
    bad = ~shapely.is_valid(shapes)
    if not bad.any():
        return shapes
    shapes = shapes.copy()
    for i in np.flatnonzero(bad).tolist():
        parts = [part for part in shapely.get_parts(shapely.make_valid(shapes[i])) for part in shapely.get_parts(part)]
        shapes[i] = shapely.MultiPolygon([part for part in parts if part.geom_type == "Polygon"])
    return shapes


def _invalid(features: Sequence[Feature], shapes: NDArray[Any]) -> list[Problem]:
    problems = []
    for i in np.flatnonzero(~shapely.is_valid(shapes)).tolist():
        reason = shapely.is_valid_reason(shapes[i])
        piece = _lobes(shapes[i])
        problems.append(
            Problem("invalid_geometry", (features[i].code,), f"{features[i].code}: {reason}", piece, area_m2(piece))
        )
    return problems


def _lobes(shape: BaseGeometry) -> BaseGeometry:
    """What a bad ring encloses beside its main body; the spot of the error when that is nothing."""
    faces = shapely.get_parts(shapely.polygonize([shapely.node(shapely.boundary(shape))]))
    areas = shapely.area(faces)
    if len(faces) > 1:
        return shapely.MultiPolygon([face for i, face in enumerate(faces) if i != int(np.argmax(areas))])
    _, _, spot = shapely.is_valid_reason(shape).partition("[")
    try:
        return shapely.Point([float(number) for number in spot.rstrip("]").split()])
    except ValueError:
        return shapely.Point()


class _Pieces:
    """Collects the offending pieces of family after family, and counts what is forgiven."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.forgiven: list[Problem] = []
        self.slivers = 0
        self.largest_sliver_m2 = 0.0

    def add_family(self, features: Sequence[Feature], shapes: NDArray[Any], parent: int, children: list[int]) -> None:
        own, code = shapes[children], features[parent].code
        union = shapely.union_all(own)
        for piece, area in self._offending(shapely.difference(shapes[parent], union), "gap", code):
            near = self._touching(features, own, children, piece)
            message = f"{area:.1f} m2 of {code} belong to none of its areas"
            self.problems.append(Problem("gap", (code, *near), message, piece, area))
        for piece, area in self._offending(shapely.difference(union, shapes[parent]), "excess", code):
            near = self._holding(features, own, children, piece)
            message = f"{area:.1f} m2 of {', '.join(near[:3])} lie outside {code}"
            self.problems.append(Problem("outside_parent", (code, *near), message, piece, area))
        left, right = shapely.STRtree(own).query(own, predicate="intersects")
        once = left < right
        left, right = left[once], right[once]
        for a, b, common in zip(
            left.tolist(), right.tolist(), shapely.intersection(own[left], own[right]), strict=True
        ):
            pair = tuple(sorted((features[children[a]].code, features[children[b]].code)))
            for piece, area in self._offending(common, "overlap", *pair):
                message = f"{area:.1f} m2 belong to both {pair[0]} and {pair[1]}"
                self.problems.append(Problem("overlap", pair, message, piece, area))

    def _offending(self, geometry: BaseGeometry, what: str, *codes: str) -> list[tuple[BaseGeometry, float]]:
        offending = []
        for part in shapely.get_parts(geometry):
            if part.geom_type != "Polygon":
                continue
            area = area_m2(part)
            if area > PIECE_M2:
                offending.append((part, area))
            elif area > 0.0:
                self.slivers += 1
                self.largest_sliver_m2 = max(self.largest_sliver_m2, area)
                if area >= LISTED_M2:
                    message = f"{area:.3f} m2 of {what} in {', '.join(codes)} are forgiven"
                    self.forgiven.append(Problem("sliver", codes, message, part, area))
        return offending

    @staticmethod
    def _holding(
        features: Sequence[Feature], own: NDArray[Any], children: list[int], piece: BaseGeometry
    ) -> tuple[str, ...]:
        shared = shapely.area(shapely.intersection(own, piece))
        return tuple(sorted({features[children[i]].code for i in np.flatnonzero(shared > 0.0).tolist()}))

    @staticmethod
    def _touching(
        features: Sequence[Feature], own: NDArray[Any], children: list[int], piece: BaseGeometry
    ) -> tuple[str, ...]:
        hits = shapely.dwithin(own, piece, 1e-9)
        return tuple(sorted({features[children[i]].code for i in np.flatnonzero(hits).tolist()}))
