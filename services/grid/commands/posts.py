"""Posts: who answers for an area, from and until which day."""

from __future__ import annotations

from sqlalchemy import bindparam, exists, select

from backbone.clock import Clock
from backbone.database import Session
from backbone.outbox import append
from contracts.grid import errors
from contracts.grid.commands import Post, PutPost
from contracts.scope import Actor
from services.grid.commands import facts, links, rights, upserts
from services.grid.tables import persons, posts

_PERSON_EXISTS = select(exists().where(persons.c.person_id == bindparam("person_id")))


def put_post(session: Session, actor: Actor, command: PutPost, *, clock: Clock) -> Post:
    """Fill, change or end a post. Raises NotAllowed, NotVisible, UnknownArea, VoidedArea, UnknownAgency,
    UnknownPerson, InvalidPeriod."""
    present = links.present_path(session, posts, command.post_id)
    rights.require_may_write(actor, command.area_path, *present)
    if command.valid_until is not None and command.valid_until < command.valid_from:
        raise errors.InvalidPeriod(field="valid_until")
    links.require_area(session, present, command.area_path)
    links.require_agency(session, command.agency_id)
    if not session.execute(_PERSON_EXISTS, {"person_id": command.person_id}).scalar_one():
        raise errors.UnknownPerson(field="person_id")
    values = command.model_dump(exclude={"post_id"})
    now = clock()
    version, changed = upserts.put(session, posts, command.post_id, values, now)
    reply = Post(post_id=command.post_id, version=version, **values)
    if changed:
        append(session, *facts.post_events([reply], now))
    return reply
