"""Absences of staff: who is away from and until which day, and who stands in; never why.

A substitute does not pass the duty on. Who goes away while standing in for somebody leaves that post without anyone:
the reply's `uncovered` says so at once, and look-ups show it as vacant, so that a person decides who is called.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, cast, func, select, text

from backbone.clock import Clock
from backbone.database import Session
from backbone.policy import visible
from backbone.retention import Deleting, Rule
from contracts.grid import errors
from contracts.grid.commands import Leave, PutLeave
from contracts.scope import Actor
from services.grid.commands import links, rights, upserts
from services.grid.tables import agencies, leaves, persons, posts

KEPT = (Rule("leaves", timedelta(days=730), Deleting("grid.leaves", "valid_until < CAST(:before AS date)"), "over"),)
"""Who was away is asked for as long as a case of those days is argued about, not for ever."""
_ONE_LEAVE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('grid.leaves'))")
_PEOPLE = (
    select(persons.c.person_id, persons.c.active, agencies.c.agency_id, agencies.c.area_path)
    .join(agencies, agencies.c.agency_id == persons.c.agency_id)
    .where(persons.c.person_id == func.any(cast(bindparam("people"), ARRAY(Uuid))))
)
_AWAY = (
    select(leaves.c.leave_id, leaves.c.person_id)
    .where(
        leaves.c.person_id == func.any(cast(bindparam("people"), ARRAY(Uuid))),
        leaves.c.active,
        leaves.c.leave_id != bindparam("leave_id"),
        leaves.c.valid_from <= bindparam("until"),
        leaves.c.valid_until >= bindparam("first"),
    )
    .order_by(leaves.c.valid_from, leaves.c.leave_id)
)
# Posts that this absence empties: the person's own without a substitute, and others' where the person stands in.
_UNCOVERED = text("""
SELECT p.post_id, p.area_path, p.agency_id
FROM grid.leaves AS l
JOIN grid.posts AS p ON p.person_id = l.person_id
WHERE l.active AND l.valid_from <= :until AND l.valid_until >= :first
    AND p.valid_from <= least(:until, l.valid_until)
    AND (p.valid_until IS NULL OR p.valid_until >= greatest(:first, l.valid_from))
    AND CASE WHEN l.leave_id = :leave_id
        THEN coalesce((l.substitutes ->> p.post_id::text)::uuid, l.substitute_id) IS NULL
        ELSE coalesce((l.substitutes ->> p.post_id::text)::uuid, l.substitute_id) = :person_id END
ORDER BY p.post_id
LIMIT 500
""")


def put_leave(session: Session, actor: Actor, command: PutLeave, *, clock: Clock) -> Leave:
    """Note, change or cancel an absence. Raises NotAllowed, NotVisible, UnknownPerson, UnknownPost, InvalidPeriod,
    LeaveIdReused, LeaveOverlaps, SubstituteIsHolder, SubstituteInactive, SubstituteAbsent."""
    rights.require_county_role(actor)
    if command.valid_until < command.valid_from:
        raise errors.InvalidPeriod(field="valid_until")
    # Two absences that clash are each right by themselves: they are judged one after the other.
    session.execute(_ONE_LEAVE_AT_A_TIME)
    _require_own(session, actor, command)
    if command.active:
        _require_posts(session, command)
        _require_free(session, actor, command)
    values = command.model_dump(exclude={"leave_id", "substitutes"})
    stored = {str(post): str(person) for post, person in command.substitutes.items()}
    version, _ = upserts.put(session, leaves, command.leave_id, values | {"substitutes": stored}, clock())
    return Leave(
        leave_id=command.leave_id,
        version=version,
        substitutes=command.substitutes,
        uncovered=_uncovered(session, actor, command) if command.active else (),
        **values,
    )


def _require_own(session: Session, actor: Actor, command: PutLeave) -> None:
    """The person exists, the actor is in charge of the agency, and the leave is no other person's."""
    agency_id = session.execute(
        select(persons.c.agency_id).where(persons.c.person_id == command.person_id)
    ).scalar_one_or_none()
    if agency_id is None:
        raise errors.UnknownPerson(field="person_id")
    rights.require_may_write(actor, links.agency_path(session, agency_id))
    owner = session.execute(
        select(leaves.c.person_id).where(leaves.c.leave_id == command.leave_id)
    ).scalar_one_or_none()
    if owner not in (None, command.person_id):
        raise errors.LeaveIdReused(field="leave_id")


def _require_posts(session: Session, command: PutLeave) -> None:
    if not command.substitutes:
        return
    held = set(session.execute(select(posts.c.post_id).where(posts.c.person_id == command.person_id)).scalars())
    for post_id in command.substitutes:
        if post_id not in held:
            raise errors.UnknownPost(field=f"substitutes.{post_id}")


def _require_free(session: Session, actor: Actor, command: PutLeave) -> None:
    """Nobody is away twice, and who stands in is somebody else, active, and there."""
    named = {} if command.substitute_id is None else {"substitute_id": command.substitute_id}
    named |= {f"substitutes.{post}": person for post, person in command.substitutes.items()}
    people = [command.person_id, *named.values()]
    known: dict[UUID, Any] = {row.person_id: row for row in session.execute(_PEOPLE, {"people": people})}
    period = {"first": command.valid_from, "until": command.valid_until, "leave_id": command.leave_id}
    away = {row.person_id: row.leave_id for row in session.execute(_AWAY, {"people": people, **period})}
    if command.person_id in away:
        raise errors.LeaveOverlaps(field="valid_from", leave_id=str(away[command.person_id]))
    for field, person in named.items():
        if person == command.person_id:
            raise errors.SubstituteIsHolder(field=field)
        if person not in known or not _in_sight(actor, known[person]):
            raise errors.UnknownPerson(field=field)
        if not known[person].active:
            raise errors.SubstituteInactive(field=field)
        if person in away:
            raise errors.SubstituteAbsent(field=field)


def _in_sight(actor: Actor, row: Any) -> bool:
    return rights.sets_up_the_county(actor) or visible(actor.scope, area_path=row.area_path, agencies=[row.agency_id])


def _uncovered(session: Session, actor: Actor, command: PutLeave) -> tuple[UUID, ...]:
    asked = {
        "first": command.valid_from,
        "until": command.valid_until,
        "leave_id": command.leave_id,
        "person_id": command.person_id,
    }
    rows = session.execute(_UNCOVERED, asked)
    return tuple(row.post_id for row in rows if _in_sight(actor, row))
