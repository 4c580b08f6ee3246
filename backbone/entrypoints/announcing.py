"""`Announce`: the owner says the current state of an entity again, to one consumer's queue alone.

A service class gives `announcers = {"area": f}` with `f(session, since, after, limit) -> list[Event]`: current
states in order of entity id, after the id `after`, changed since `since` (both may be None).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from backbone import outbox, topology
from backbone.database import Session
from backbone.outbox import Event
from contracts.commands import Announce, Announced
from contracts.refusals import InvalidField, NotAllowed, NotAnnounceable
from contracts.scope import Actor, Role

Announcer = Callable[[Session, datetime | None, UUID | None, int], Sequence[Event[Any]]]


def announce(announcers: Mapping[str, Announcer], session: Session, actor: Actor, command: Announce) -> Announced:
    """One chunk. Refuses an unknown entity, a queue that does not hear it, and one that keeps every event."""
    if not (actor.has(Role.COUNTY_ADMIN) or actor.scope.unrestricted):
        raise NotAllowed()
    announcer = announcers.get(command.entity)
    if announcer is None:
        raise InvalidField(field="entity", expected=", ".join(sorted(announcers)))
    if topology.keeps_every_event(command.consumer):
        raise NotAnnounceable(field="consumer", expected="scripts/pingan events redrive")
    keys = topology.keys_of(command.consumer)
    since = datetime.fromisoformat(command.since) if command.since else None
    events = announcer(session, since, UUID(command.after) if command.after else None, command.limit)
    for event in events:
        key = event.data.routing_key()
        if not any(topology.matches(pattern, key) for pattern in keys):
            raise InvalidField(field="consumer", expected=f"a queue bound to {key}")
    outbox.append(session, *events, only_for=command.consumer)
    more = len(events) >= command.limit
    return Announced(count=len(events), next=str(events[-1].entity_id) if more else None)
