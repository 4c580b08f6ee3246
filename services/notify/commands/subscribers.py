"""What an account may see now, as `access` last said; every delivery is checked against it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from backbone.database import Session
from contracts.notify.commands import SetSubscriberScope, SubscriberScopeSet
from contracts.refusals import NotAllowed
from contracts.scope import Actor, Role, Scope, Sensitivity
from services.notify.domain.subscription import Status
from services.notify.tables import subscribers, subscriptions


def scope_to_json(scope: Scope) -> dict[str, Any]:
    """The stored form. A system scope is nobody's right: it is stored as one that sees nothing."""
    return {
        "areas": list(scope.areas),
        "categories": None if scope.categories is None else sorted(scope.categories),
        "ceiling": int(scope.ceiling),
        "purposes": sorted(scope.purposes),
        "agency_id": str(scope.agency_id) if scope.agency_id else None,
    }


def scope_from_json(value: dict[str, Any]) -> Scope:
    """Inverse of `scope_to_json`."""
    categories = value["categories"]
    return Scope(
        areas=tuple(value["areas"]),
        categories=None if categories is None else frozenset(categories),
        ceiling=Sensitivity(value["ceiling"]),
        purposes=frozenset(value["purposes"]),
        agency_id=UUID(value["agency_id"]) if value["agency_id"] else None,
    )


def set_scope(session: Session, actor: Actor, command: SetSubscriberScope) -> SubscriberScopeSet:
    """An account's rights changed; what is queued for it is judged by the new ones. Raises NotAllowed."""
    if not (actor.scope.unrestricted or actor.has(Role.COUNTY_ADMIN)):
        raise NotAllowed()
    scope = command.scope.model_dump(mode="json")
    # Kept for accounts without a subscription too: one may be on its way with rights of a moment ago.
    statement = insert(subscribers).values(account_id=command.account_id, scope=scope, active=command.active)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[subscribers.c.account_id],
            set_={"scope": scope, "active": command.active, "changed_at": func.now()},
        )
    )
    count = session.execute(
        select(func.count()).where(
            subscriptions.c.account_id == command.account_id, subscriptions.c.status != Status.DELETED.value
        )
    ).scalar_one()
    return SubscriberScopeSet(account_id=command.account_id, subscriptions=count)


def register(session: Session, actor: Actor) -> None:
    """Note the rights of an account that subscribes. Raises NotAllowed when they were taken away.

    The actor comes from a cache of seconds: what `set_scope` said in the last ten is newer.
    """
    scope = scope_to_json(actor.scope)
    statement = insert(subscribers).values(account_id=actor.account_id, scope=scope, active=True)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[subscribers.c.account_id],
            set_={"scope": scope, "changed_at": func.now()},
            where=subscribers.c.active & (subscribers.c.changed_at < func.now() - text("interval '10 seconds'")),
        )
    )
    active = session.execute(select(subscribers.c.active).where(subscribers.c.account_id == actor.account_id))
    if not active.scalar_one():
        raise NotAllowed()
