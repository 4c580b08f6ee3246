"""Registry rows as events: the public state, without names, phones and persons."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from backbone.outbox import Event
from contracts.grid.events import AgencyChanged, JurisdictionChanged, PostChanged


def agency_events(rows: Iterable[Any], occurred_at: datetime) -> list[Event[AgencyChanged]]:
    """From rows of `agencies` or replies."""
    return [
        Event(
            AgencyChanged(
                agency_id=row.agency_id,
                code=row.code,
                kind=row.kind,
                parent_id=row.parent_id,
                area_path=row.area_path,
                active=row.active,
            ),
            entity_id=row.agency_id,
            entity_version=row.version,
            area_path=row.area_path,
            occurred_at=occurred_at,
        )
        for row in rows
    ]


def jurisdiction_events(rows: Iterable[Any], occurred_at: datetime) -> list[Event[JurisdictionChanged]]:
    """From rows of `jurisdictions` or replies."""
    return [
        Event(
            JurisdictionChanged(
                jurisdiction_id=row.jurisdiction_id,
                agency_id=row.agency_id,
                area_path=row.area_path,
                category=row.category,
                active=row.active,
            ),
            entity_id=row.jurisdiction_id,
            entity_version=row.version,
            area_path=row.area_path,
            occurred_at=occurred_at,
        )
        for row in rows
    ]


def post_events(rows: Iterable[Any], occurred_at: datetime) -> list[Event[PostChanged]]:
    """From rows of `posts` or replies."""
    return [
        Event(
            PostChanged(
                post_id=row.post_id,
                person_id=row.person_id,
                agency_id=row.agency_id,
                kind=row.kind,
                area_path=row.area_path,
                valid_from=row.valid_from,
                valid_until=row.valid_until,
                place_id=row.place_id,
            ),
            entity_id=row.post_id,
            entity_version=row.version,
            area_path=row.area_path,
            occurred_at=occurred_at,
        )
        for row in rows
    ]
