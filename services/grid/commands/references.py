"""Other systems' ids of agencies, key places and posts: accepted when they are put, unique, good for look-up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, delete, not_, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from backbone.database import Session
from contracts.grid.commands import ExternalRef
from contracts.grid.errors import DuplicateExternalRef
from services.grid.tables import external_refs

_r = external_refs.c


def put(session: Session, entity: str, entity_id: UUID, refs: Sequence[ExternalRef] | None, now: datetime) -> None:
    """Make these, and no others, the entity's ids elsewhere; None leaves them as they are.

    The entity's version does not change: the ids are no part of what events tell. Raises DuplicateExternalRef.
    """
    if refs is None:
        return
    wanted = sorted({(ref.system, ref.id) for ref in refs})  # in one order: no deadlocks
    mine = and_(_r.entity == entity, _r.entity_id == entity_id)
    pairs = tuple_(_r.system, _r.id)
    session.execute(delete(external_refs).where(mine, *([not_(pairs.in_(wanted))] if wanted else [])))
    if not wanted:
        return
    rows = [
        {"system": system, "id": other, "entity": entity, "entity_id": entity_id, "linked_at": now}
        for system, other in wanted
    ]
    session.execute(insert(external_refs).values(rows).on_conflict_do_nothing())
    taken = session.execute(
        select(_r.system, _r.id)
        .where(_r.entity == entity, pairs.in_(wanted), _r.entity_id != entity_id)
        .order_by(_r.system, _r.id)
        .limit(1)
    ).one_or_none()
    if taken is not None:
        raise DuplicateExternalRef(f"'{taken.id}' of '{taken.system}' belongs to another.", field="external_refs")
