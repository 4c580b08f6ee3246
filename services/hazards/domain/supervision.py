"""The ladder of supervision, and what a visit's day means. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType

from contracts.hazards.states import Supervision

_STEP: Mapping[Supervision | None, int] = MappingProxyType({None: 0, Supervision.YELLOW: 1, Supervision.RED: 2})
FARTHEST = timedelta(days=366)
"""How far ahead a visit may be planned."""


def is_higher(asked: Supervision, known: Supervision | None) -> bool:
    """Whether a step goes up; a repeat does not."""
    return _STEP[asked] > _STEP[known]


def may_plan(visit_on: date, today: date) -> bool:
    """Today, or within a year."""
    return today <= visit_on <= today + FARTHEST


def may_record(visit_on: date, reported_on: date, today: date) -> bool:
    """A visit lies between the report and today."""
    return reported_on <= visit_on <= today
