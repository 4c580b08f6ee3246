"""A year of a county's cases, seeded: where, what, when, from whom, how far each has come. Pure: writes nothing.

Mornings and working days bring more, some grids and categories far more than others; most cases are closed within some
days, a few are stuck, and what was reported lately is still on its way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from contracts.areas import ancestors
from simulator import case_texts

TRUSTED = frozenset({"grid_worker", "patrol", "inspection", "visit", "device", "superior"})
SOURCES = {
    "hazard": (("grid_worker", 46), ("patrol", 14), ("inspection", 9), ("visit", 5), ("public", 9), ("qr", 5),
               ("phone", 5), ("device", 4), ("platform", 2), ("superior", 1)),
    "dispute": (("grid_worker", 40), ("visit", 25), ("phone", 20), ("public", 10), ("platform", 5)),
    "request": (("public", 35), ("phone", 30), ("qr", 15), ("grid_worker", 15), ("platform", 5)),
}  # fmt: skip
HOURS = {"hazard": 72.0, "dispute": 720.0, "request": 120.0}
"""Allowed for handling: near the categories' own, which a county may have changed."""
TAKES_H = {"hazard": 30.0, "dispute": 200.0, "request": 48.0}
"""Half of the cases are closed within so many hours."""
HOURLY = (2, 1, 1, 1, 1, 3, 8, 22, 40, 46, 42, 30, 20, 28, 40, 42, 38, 30, 22, 18, 14, 10, 6, 3)
"""Reports by the hour of the county's day."""
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# What happens on the way: move, state after it, which share of the time has passed, whose move it is.
_STEPS = {
    "report": ("report", "reported", 0.0, "reporter"),
    "verify": ("verify", "verified", 0.02, "centre"),
    "register": ("register", "registered", 0.05, "centre"),
    "dispatch": ("dispatch", "dispatched", 0.08, "centre"),
    "return": ("return", "registered", 0.12, "lead"),
    "again": ("dispatch", "dispatched", 0.15, "centre"),
    "accept": ("accept", "accepted", 0.2, "lead"),
    "start": ("start", "handling", 0.25, "lead"),
    "suspend": ("suspend", "suspended", 0.3, "centre"),
    "resume": ("resume", "handling", 0.5, "lead"),
    "finish": ("finish", "handled", 0.8, "lead"),
    "fail": ("fail_check", "handling", 0.85, "centre"),
    "repeat": ("finish", "handled", 0.9, "lead"),
    "check": ("pass_check", "checked", 0.95, "centre"),
    "close": ("close", "closed", 1.0, "centre"),
    "refuse": ("refuse", "refused", 0.06, "centre"),
    "void": ("void", "voided", 0.1, "centre"),
}
_WAYS: tuple[tuple[float, str], ...] = (
    (0.83, "dispatch accept start finish check close"),
    (0.05, "dispatch accept start finish fail repeat check close"),
    (0.04, "dispatch return again accept start finish check close"),
    (0.02, "dispatch accept start suspend resume finish check close"),
    (0.04, "refuse"),
    (0.02, "void"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One move of a way; `at` is the share of the case's whole time that has passed."""

    move: str
    from_state: str | None
    to_state: str
    at: float
    by: str


def _way(words: str, *, verified: bool) -> tuple[Step, ...]:
    middle = {"refuse": "", "void": "register "}.get(words, "register ")
    names = f"report {'verify ' if verified else ''}{middle}{words}".split()
    state, found = None, []
    for name in names:
        move, after, at, by = _STEPS[name]
        found.append(Step(move, state, after, at, by))
        state = after
    return tuple(found)


WAYS: tuple[tuple[Step, ...], ...] = tuple(_way(words, verified=each) for _, words in _WAYS for each in (False, True))
"""Every way that a case can go: the kinds above, from a trusted source and from one that is verified first."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A narrowest area: path and polygon (WGS84)."""

    path: str
    polygon: Any


@dataclass(frozen=True, slots=True)
class Category:
    code: str
    kind: str
    sensitivity: int


@dataclass(frozen=True, slots=True)
class County:
    """What is reported where, and who there is. Agencies by kind and path; `answering` as (agency, path, category)."""

    code: str
    grids: Sequence[Grid]
    categories: Sequence[Category]
    agencies: Mapping[tuple[str, str], str]
    answering: Sequence[tuple[str, str, str | None]]
    boundary_version: int

    def agency_of(self, kind: str, path: str) -> str | None:
        return self.agencies.get((kind, path))

    def lead(self, path: str, category: str) -> str | None:
        """Who answers: the longest category first, then the narrowest area."""
        fitting = [
            (len(prefix or ""), len(root), agency)
            for agency, root, prefix in self.answering
            if path.startswith(root) and (prefix is None or f"{category}.".startswith(f"{prefix}."))
        ]
        return max(fitting)[2] if fitting else None


@dataclass(slots=True)
class Simulated:
    """Cases as columns, oldest first; whoever asks for rows takes slices."""

    county: County
    seed: int
    until: datetime
    grid: Integers
    category: Integers
    source: list[str]
    seconds: Integers
    """Of the report, before `until`."""
    way: Integers
    steps: Integers
    """How many moves of the way have been made."""
    lasts: Floats
    """Seconds from the report to the way's end."""
    lon: Floats
    lat: Floats
    luck: Floats

    def __len__(self) -> int:
        return len(self.grid)

    def rows(self, start: int, stop: int) -> Iterator[dict[str, Any]]:
        """What is known of each case before it has an id."""
        texts: dict[int, list[str]] = {}
        people: dict[tuple[int, str], tuple[str | None, str | None, str | None]] = {}
        for n in range(start, min(stop, len(self))):
            grid, kind = int(self.grid[n]), int(self.category[n])
            category, path = self.county.categories[kind], self.county.grids[grid].path
            if kind not in texts:
                texts[kind] = case_texts.sentences(str(self.seed), category.code, 4000)
            parties = people.get((grid, category.code))
            if parties is None:
                parties = people[grid, category.code] = self._parties(path, category.code)
            community, centre, lead = parties
            reported = self.until - timedelta(seconds=int(self.seconds[n]))
            luck = float(self.luck[n])
            yield {
                "n": n,
                "category": category,
                "source": self.source[n],
                "grade": "major" if luck < 0.012 and category.kind == "hazard" else "general",
                "description": texts[kind][int(luck * 1e9) % 4000],
                "lon": round(float(self.lon[n]), 6),
                "lat": round(float(self.lat[n]), 6),
                "area_path": path,
                "reporting": (community if self.source[n] in TRUSTED else centre) or centre or lead,
                "centre": centre or community,
                "lead": lead,
                "assisting": community if 0.5 < luck < 0.6 else None,
                "supervision": ("red" if luck < 0.301 else "yellow") if 0.3 < luck < 0.304 else None,
                "way": int(self.way[n]),
                "steps": int(self.steps[n]),
                "reported_at": reported,
                "lasts": float(self.lasts[n]),
                "due_at": reported + timedelta(hours=HOURS[category.kind]),
            }

    def _parties(self, path: str, category: str) -> tuple[str | None, str | None, str | None]:
        above = ancestors(path)
        community = self.county.agency_of("community", above[2]) if len(above) > 2 else None
        town = self.county.agency_of("town_centre", above[1]) if len(above) > 1 else None
        centre = town or self.county.agency_of("county_centre", above[0])
        return community, centre, self.county.lead(path, category) or centre


def simulate(county: County, count: int, *, seed: int, days: int, until: datetime | None = None) -> Simulated:
    """`count` cases of the last `days` days before `until` (aware; now). The same arguments give the same cases."""
    until = until or datetime.now(UTC)
    random = np.random.default_rng([seed, count, days])
    seconds = _moments(random, count, days, until)
    weights = random.lognormal(0, 0.8, len(county.grids))
    grid = random.choice(len(county.grids), count, p=weights / weights.sum())
    ranks = random.permutation(len(county.categories)) + 3
    category = random.choice(len(county.categories), count, p=(1 / ranks) / (1 / ranks).sum())
    kinds = [each.kind for each in county.categories]
    source = _sources(random, [kinds[each] for each in category])
    typical = np.array([TAKES_H[kind] for kind in kinds])[category]
    lasts = np.maximum(random.lognormal(np.log(typical), 0.7), 1.0) * 3600
    lasts = np.where(random.random(count) < 0.002, lasts * 60, lasts)  # some are stuck
    kind_of_way = random.choice(len(_WAYS), count, p=[share for share, _ in _WAYS])
    way = kind_of_way * 2 + np.array([each not in TRUSTED for each in source], np.int64)
    lon, lat = _points(random, county.grids, grid)
    steps = np.ones(count, np.int64)
    passed = seconds / lasts
    for number, each in enumerate(WAYS):
        chosen = way == number
        steps[chosen] = np.searchsorted([step.at for step in each], passed[chosen], side="right")
    return Simulated(
        county, seed, until, grid, category, source, seconds, way, np.maximum(steps, 1), lasts, lon, lat,
        random.random(count),
    )  # fmt: skip


def _moments(random: np.random.Generator, count: int, days: int, until: datetime) -> Integers:
    """Seconds before `until`, the greatest first: by the hour of the day, two thirds as many at weekends."""
    day = random.integers(0, days, count)
    hour = random.choice(24, count, p=np.array(HOURLY) / sum(HOURLY))
    start = int(until.timestamp())
    east = 8 * 3600
    midnight = start - (start + east) % 86_400
    at = midnight - day * 86_400 + hour * 3600 + random.integers(0, 3600, count)
    weekend = ((at + east) // 86_400 + 3) % 7 >= 5
    at = np.where(weekend & (random.random(count) < 1 / 3), at - 2 * 86_400, at)
    # What would be later than now today was yesterday.
    at = np.where(at >= start, at - 86_400, at)
    return np.sort(start - at)[::-1].astype(np.int64)


def _sources(random: np.random.Generator, kinds: Sequence[str]) -> list[str]:
    found = np.empty(len(kinds), object)
    of = np.array(kinds)
    for kind, shares in SOURCES.items():
        chosen = np.flatnonzero(of == kind)
        weights = np.array([weight for _, weight in shares], float)
        drawn = random.choice(len(shares), len(chosen), p=weights / weights.sum())
        found[chosen] = np.array([name for name, _ in shares], object)[drawn]
    return [str(each) for each in found]


def _points(random: np.random.Generator, grids: Sequence[Grid], of: Integers) -> tuple[Floats, Floats]:
    """A point inside its grid for each case."""
    lon, lat = np.empty(len(of)), np.empty(len(of))
    order = np.argsort(of, kind="stable")
    starts = np.searchsorted(of[order], np.arange(len(grids) + 1))
    for number, grid in enumerate(grids):
        mine = order[starts[number] : starts[number + 1]]
        if len(mine):
            lon[mine], lat[mine] = _inside(random, grid.polygon, len(mine))
    return lon, lat


def _inside(random: np.random.Generator, polygon: Any, count: int) -> tuple[Floats, Floats]:
    west, south, east, north = polygon.bounds
    shapely.prepare(polygon)
    found_lon, found_lat = np.empty(0), np.empty(0)
    for _ in range(50):
        lon, lat = random.uniform(west, east, count * 3 + 8), random.uniform(south, north, count * 3 + 8)
        inside = shapely.contains_xy(polygon, lon, lat)
        found_lon, found_lat = np.append(found_lon, lon[inside]), np.append(found_lat, lat[inside])
        if len(found_lon) >= count:
            return found_lon[:count], found_lat[:count]
    point = polygon.representative_point()  # a sliver: everything at one place
    return np.full(count, point.x), np.full(count, point.y)
