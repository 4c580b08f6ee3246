"""Whether somebody was at the place: the rule of checks. Pure.

A position is a disc, not a point: its accuracy says how far off it may be. Only who was inside the radius wherever in
that disc they stood was at the place, so the accuracy counts against them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

SKEW = timedelta(minutes=5)
"""How far a device's clock may be ahead of ours, or behind."""


@dataclass(frozen=True, slots=True)
class CheckRule:
    """What passing a check of a category takes."""

    on_site: bool
    radius_m: float
    photo: bool


def check_rule(category: Any) -> CheckRule:
    """The rule of a category's row."""
    return CheckRule(on_site=category.check_on_site, radius_m=category.check_radius_m, photo=category.check_photo)


def is_on_site(distance_m: float, accuracy_m: float, radius_m: float) -> bool:
    """Whether all places that a position may mean lie within the radius."""
    return distance_m + accuracy_m <= radius_m


def is_plausible(device_at: datetime, since: datetime, now: datetime) -> bool:
    """Whether a device's time lies between what it was there to look at and now, give or take the skew."""
    return since - SKEW <= device_at <= now + SKEW
