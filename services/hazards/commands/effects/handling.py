"""Handling, and opening again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.hazards import placing, records
from services.hazards.commands.effects.agencies import undispatched
from services.hazards.commands.effects.parts import Changes, Moving
from services.hazards.domain.deadlines import deadline


def _handler(moving: Moving) -> list[UUID]:
    return list(dict.fromkeys([*moving.row["handler_account_ids"], moving.actor.account_id]))


def start(moving: Moving) -> Changes:
    return {"handler_account_ids": _handler(moving)}


def finish(moving: Moving) -> Changes:
    return {
        "handler_account_ids": _handler(moving),
        "handler_account_id": moving.actor.account_id,
        "handled_at": moving.now,
    }


def reopen(moving: Moving) -> Changes:
    category = placing.any_category(moving.session, moving.row["category"])
    return {
        "reopenings": moving.row["reopenings"] + 1,
        "closed_at": None,
        "reviewed_at": None,
        "rating": None,
        "handler_account_id": None,
        "handler_account_ids": [],
        **undispatched(moving.row),
        **new_deadline(moving.row, moving.now, category.handle_hours, moving.now, anew=True),
    }


def new_deadline(row: records.Row, since: datetime, hours: float, now: datetime, *, anew: bool = False) -> Changes:
    """A new deadline; what it has already said is said again only when its time is still to come."""
    due = deadline(since, hours)
    return {
        "due_since": due.since,
        "warn_at": due.warn_at,
        "due_at": due.due_at,
        "warned_at": None if anew or due.warn_at > now else row["warned_at"],
        "missed_at": None if anew or due.due_at > now else row["missed_at"],
    }
