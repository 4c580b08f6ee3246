"""More time, and time that stands still: extensions asked for and decided, suspension with or without an end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update

from contracts.hazards.commands.stages import Amount, StageName, Unit
from contracts.hazards.errors import ExtensionOver, MissingMoveField, NoExtensionLeft
from contracts.refusals import InvalidField
from services.hazards import clocks, placing
from services.hazards.commands.effects.parts import Changes, Moving
from services.hazards.domain import clocks as rules
from services.hazards.domain.clocks import Clock
from services.hazards.tables import case_extensions

LONGEST = timedelta(days=2 * 366)
X = case_extensions.c


def request_extension(moving: Moving) -> Changes:
    """Raises MissingMoveField, InvalidField, NoExtensionLeft."""
    command, row, base = moving.command, moving.row, _measured(_running(moving))
    allowed = min(base.policy.extensions, placing.any_category(moving.session, row["category"]).max_extensions)
    if row["extensions"] >= allowed:
        raise NoExtensionLeft(allowed=allowed)
    if command.until is None and command.working_days is None:
        text = "Say until when, or how many working days."
        raise MissingMoveField(text, field="until", expected="until | working_days")
    if command.until is not None and command.working_days is not None:
        raise InvalidField("Say one of both.", field="working_days", expected="until | working_days")
    if command.until is not None:
        _require_between(command.until, base.due_at, moving.now, "The case is due then anyway.")
    moving.session.execute(
        insert(case_extensions).values(
            case_id=row["id"],
            seq=row["version"] + 1,
            requested_at=moving.now,
            requested_by=moving.actor.account_id,
            agency_id=moving.actor.agency_id,
            reason=command.reason,
            working_days=command.working_days,
            until=command.until,
        )
    )
    return {"extension_pending": True}


def grant_extension(moving: Moving) -> Changes:
    """The handling and the whole are due later. Raises ExtensionOver."""
    row, session = moving.row, moving.session
    asked = session.execute(select(case_extensions).where(X.case_id == row["id"], X.decision.is_(None))).one()
    if asked.until is not None and asked.until <= moving.now:
        raise ExtensionOver()
    running = _running(moving)
    days = clocks.calendar(session)
    after = [
        rules.extend(days, clock, more, moving.now)
        for clock in running
        if (more := _more(clock, asked.working_days, asked.until)) is not None
    ]
    extended = {clock.stage: clock for clock in after}
    base = _measured(running)
    _decide(moving, "granted", due_before=base.due_at, due_after=extended.get(base.stage, base).due_at)
    told = clocks.change(session, row, running, after, moving.now)
    return told | {"extension_pending": False, "extensions": row["extensions"] + 1}


def refuse_extension(moving: Moving) -> Changes:
    _decide(moving, "refused")
    return {"extension_pending": False}


def suspend(moving: Moving) -> Changes:
    """Raises InvalidField."""
    until = moving.command.until
    if until is not None:
        _require_between(until, moving.now, moving.now, "That time has passed.")
    return {"suspended_until": until}


def resume(moving: Moving) -> Changes:
    return {"suspended_until": None}


def _running(moving: Moving) -> list[Clock]:
    return clocks.live(moving.session, moving.row["id"], StageName.HANDLE, StageName.TOTAL)


def _measured(running: list[Clock]) -> Clock:
    """The clock that an extension is of: the handling's, where the category has one."""
    return min(running, key=lambda clock: clock.stage is StageName.TOTAL)


def _more(clock: Clock, working_days: float | None, until: datetime | None) -> Amount | None:
    """What an extension adds to a clock; None when it is due later anyway."""
    if working_days is not None:
        return Amount(amount=working_days, unit=Unit.WORKING_DAYS)
    if until is None or until <= clock.due_at:
        return None
    # As hours from what is due now, so that a pause that comes later moves it like the rest.
    return Amount(amount=(until - clock.due_at) / timedelta(hours=1), unit=Unit.HOURS)


def _require_between(until: datetime, after: datetime, now: datetime, text: str) -> None:
    if not after < until <= now + LONGEST:
        raise InvalidField(text, field="until", expected=f"after {clocks.text_of(after)}, within two years")


def _decide(moving: Moving, decision: str, **more: Any) -> None:
    moving.session.execute(
        update(case_extensions)
        .where(X.case_id == moving.row["id"], X.decision.is_(None))
        .values(
            decision=decision,
            decided_at=moving.now,
            decided_by=moving.actor.account_id,
            decided_agency_id=moving.actor.agency_id,
            **more,
        )
    )
