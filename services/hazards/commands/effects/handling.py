"""Handling, and opening again."""

from __future__ import annotations

from uuid import UUID

from contracts.hazards.commands.stages import Amount
from services.hazards import clocks, placing
from services.hazards.commands.effects.agencies import agencies_of, undispatched
from services.hazards.commands.effects.parts import Changes, Moving


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


def settle(moving: Moving) -> Changes:
    """Removed by whoever found it, there and then: their agency leads and is done, another one checks."""
    return {
        "return_by": None,
        **finish(moving),
        **agencies_of(moving.row, moving.actor.agency_id, []),
    }


NO_RECHECK: Changes = {"recheck_due_at": None, "recheck_missed_at": None}


def close(moving: Moving) -> Changes:
    """With the time by which the place is looked at again, where the category says so."""
    again = placing.any_category(moving.session, moving.row["category"]).recheck
    changes: Changes = {"closed_at": moving.now, **NO_RECHECK}
    if again is not None:
        amount = Amount.model_validate(again)
        days = clocks.calendar(moving.session)
        changes["recheck_due_at"] = days.add(moving.now, amount.amount, amount.unit)
    return changes


def reopen(moving: Moving) -> Changes:
    return {
        "reopenings": moving.row["reopenings"] + 1,
        "closed_at": None,
        "reviewed_at": None,
        **NO_RECHECK,
        "rating": None,
        "handler_account_id": None,
        "handler_account_ids": [],
        **undispatched(moving.row),
    }
