"""Posts: who answers for an area or a key place, from and until which day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, cast, exists, func, select, update

from backbone.clock import Clock
from backbone.database import Session
from backbone.outbox import append
from backbone.policy import visible
from contracts.grid import errors
from contracts.grid.commands import Post, PutPost
from contracts.refusals import InvalidField
from contracts.scope import Actor
from services.grid import boundary
from services.grid.commands import facts, links, references, rights, upserts
from services.grid.domain import posts as rules
from services.grid.tables import persons, places, posts

_PERSON_EXISTS = select(exists().where(persons.c.person_id == bindparam("person_id")))
_PLACE = select(places.c.area_path, places.c.active).where(places.c.place_id == bindparam("place_id"))
_STANDING = select(posts.c.kind, posts.c.place_id, posts.c.area_path).where(posts.c.post_id == bindparam("post_id"))


def put_post(session: Session, actor: Actor, command: PutPost, *, clock: Clock) -> Post:
    """Fill, change or end a post. Raises NotAllowed, NotVisible, UnknownArea, VoidedArea, UnknownPlace, PlaceElsewhere,
    PostKindMisplaced, UnknownAgency, UnknownPerson, InvalidPeriod, DuplicateExternalRef."""
    rights.require_county_role(actor)
    boundary.keep(session)
    # The place's row before the post's: whoever moves a place locks them in this order too.
    area_path = _area_path(session, actor, command)
    present = links.present_path(session, posts, command.post_id)
    rights.require_may_write(actor, area_path, *present)
    if command.valid_until is not None and command.valid_until < command.valid_from:
        raise errors.InvalidPeriod(field="valid_until")
    _require_fitting(session, command, area_path)
    if command.place_id is None:
        links.require_area(session, present, area_path)
    links.require_agency(session, command.agency_id)
    if not session.execute(_PERSON_EXISTS, {"person_id": command.person_id}).scalar_one():
        raise errors.UnknownPerson(field="person_id")
    values = command.model_dump(exclude={"post_id", "external_refs"}) | {"area_path": area_path}
    now = clock()
    version, changed = upserts.put(session, posts, command.post_id, values, now)
    references.put(session, "post", command.post_id, command.external_refs, now)
    reply = Post(post_id=command.post_id, version=version, **values)
    if changed:
        append(session, *facts.post_events([reply], now))
    return reply


def follow_places(session: Session, place_ids: Sequence[UUID], now: datetime) -> None:
    """Posts of these places lie where their place lies; set-based, each tells its new state."""
    moved = session.execute(
        update(posts)
        .where(
            posts.c.place_id == places.c.place_id,
            places.c.place_id == func.any(cast(list(place_ids), ARRAY(Uuid))),
            posts.c.area_path != places.c.area_path,
        )
        .values(area_path=places.c.area_path, version=posts.c.version + 1, updated_at=now)
        .returning(*posts.c)
    ).all()
    append(session, *facts.post_events(moved, now))


def _area_path(session: Session, actor: Actor, command: PutPost) -> str:
    """The area said, or the place's. A place that is out of sight does not exist; a closed one keeps its posts."""
    if command.place_id is None:
        if command.area_path is None:
            raise InvalidField(field="area_path", expected="the path of an area, or place_id")
        return command.area_path
    # Share: it may not move away while its post is being written.
    statement = _PLACE.with_for_update(read=True)
    place = session.execute(statement, {"place_id": command.place_id}).one_or_none()
    if place is None or not _in_sight(actor, place.area_path):
        raise errors.UnknownPlace(field="place_id")
    if not place.active:
        standing = session.execute(_STANDING, {"post_id": command.post_id}).one_or_none()
        if standing is None or standing.place_id != command.place_id:
            raise errors.UnknownPlace(field="place_id")
    if command.area_path not in (None, place.area_path):
        raise errors.PlaceElsewhere(field="area_path", expected=place.area_path)
    return str(place.area_path)


def _in_sight(actor: Actor, area_path: str) -> bool:
    return rights.sets_up_the_county(actor) or visible(actor.scope, area_path=area_path)


def _require_fitting(session: Session, command: PutPost, area_path: str) -> None:
    """The kind may stand there; what stands may stay where it is, so that it can still be ended."""
    standing = session.execute(_STANDING, {"post_id": command.post_id}).one_or_none()
    if standing is not None and tuple(standing) == (command.kind, command.place_id, area_path):
        return
    if command.place_id is not None and not rules.may_stand_at_a_place(command.kind):
        expected = f"no place, an area: {rules.levels_of(command.kind)}"
        raise errors.PostKindMisplaced(field="place_id", expected=expected)
    if command.place_id is None and not rules.may_stand_in(command.kind, area_path):
        raise errors.PostKindMisplaced(field="area_path", expected=f"a {rules.levels_of(command.kind)}")
