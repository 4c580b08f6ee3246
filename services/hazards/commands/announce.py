"""Announcing: the current state of cases, in chunks, for one consumer's queue alone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from backbone import outbox
from backbone.clock import Clock
from backbone.database import Session
from contracts.commands import Announce, Announced
from contracts.refusals import InvalidField, NotAllowed
from contracts.scope import Actor, Role
from services.hazards import records
from services.hazards.tables import case_history, cases


def announce(session: Session, actor: Actor, command: Announce, *, clock: Clock) -> Announced:
    """One chunk of cases by id, each as the event of what last happened to it. Raises NotAllowed, InvalidField."""
    if not (actor.has(Role.COUNTY_ADMIN) or actor.scope.unrestricted):
        raise NotAllowed(expected=Role.COUNTY_ADMIN.value)
    if command.entity != "case":
        raise InvalidField(f"hazards owns no '{command.entity}'.", field="entity", expected="case")
    # Shared locks: a case that moves meanwhile waits, so no announced state is older than a sent one.
    wanted = (
        select(*records.COLUMNS, case_history.c.move)
        .join(case_history, (case_history.c.case_id == cases.c.id) & (case_history.c.seq == cases.c.version))
        .order_by(cases.c.id)
        .limit(command.limit)
        .with_for_update(read=True, of=cases)
    )
    if command.after is not None:
        wanted = wanted.where(cases.c.id > UUID(command.after))
    if command.since is not None:
        wanted = wanted.where(cases.c.updated_at >= _time(command.since))
    rows = session.execute(wanted).mappings().all()
    events = [records.current_event(row, row["move"], row["updated_at"]) for row in rows]
    outbox.append(session, *events, only_for=command.consumer)
    return Announced(count=len(rows), next=str(rows[-1]["id"]) if len(rows) == command.limit else None)


def _time(since: str) -> datetime:
    try:
        time = datetime.fromisoformat(since)
    except ValueError:
        raise InvalidField(field="since", expected="RFC 3339 with a time zone") from None
    if time.tzinfo is None:
        raise InvalidField(field="since", expected="RFC 3339 with a time zone")
    return time
