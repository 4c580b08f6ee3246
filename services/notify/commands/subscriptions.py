"""Use cases of subscriptions: f(session, actor, command) -> the subscription's new state, or a refusal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from backbone import outbox, policy
from backbone.clock import Clock
from backbone.database import Session
from backbone.settings import required
from contracts.notify.commands import (
    ChangeSubscription,
    CreateSubscription,
    ReplaySubscription,
    ResendDelivery,
    Subscription,
)
from contracts.notify.errors import SubscriptionExists, TooManySubscriptions, UnknownEventPattern
from contracts.notify.events import SubscriptionDisabled
from contracts.refusals import NotAllowed, NotVisible, StaleVersion
from contracts.registry import all_events
from contracts.scope import Actor, Role
from services.notify.commands import subscribers
from services.notify.commands.secrets import Seal, new_secret
from services.notify.domain.cursors import decode_cursor
from services.notify.domain.patterns import unmatchable
from services.notify.domain.subscription import DeliveryState, Status, after
from services.notify.domain.targets import TargetPolicy, check_url
from services.notify.tables import deliveries, journal, journal_head, subscriptions

MAY_SUBSCRIBE = (
    Role.COUNTY_ADMIN,
    Role.COUNTY_OPERATOR,
    Role.TOWN_OPERATOR,
    Role.AGENCY_OFFICER,
    Role.INTEGRATOR,
)
MOST_OF_AN_AGENCY = 100
BOTH_SECRETS_SIGN = timedelta(days=1)
PENDING = DeliveryState.PENDING.value
_ONE_OF_AN_AGENCY = text("SELECT pg_advisory_xact_lock(hashtext('notify.subscriptions'), hashtext(:agency))")


def create(
    session: Session, actor: Actor, command: CreateSubscription, *, seal: Seal, targets: TargetPolicy
) -> Subscription:
    """A new subscription, from this moment of the journal on; the reply shows the secret."""
    _may_subscribe(actor)
    check_url(command.url, targets)
    unknown = unmatchable(command.types, (event.routing_key() for event in all_events()))
    if unknown:
        raise UnknownEventPattern(field="types", patterns=unknown)
    _refuse_too_many(session, actor.agency_id)
    subscribers.register(session, actor)
    secret = new_secret()
    statement = insert(subscriptions).values(
        subscription_id=command.subscription_id,
        account_id=actor.account_id,
        agency_id=actor.agency_id,
        url=command.url,
        types=list(command.types),
        area_path=command.area_path,
        categories=None if command.categories is None else list(command.categories),
        status=Status.ACTIVE.value,
        secret=seal.close(secret, command.subscription_id),
        cursor_seq=select(journal_head.c.seq).scalar_subquery(),
    )
    made = session.execute(statement.on_conflict_do_nothing().returning(*subscriptions.c)).one_or_none()
    if made is None:
        raise SubscriptionExists(field="subscription_id")
    return _reply(made, secret)


def change(session: Session, actor: Actor, command: ChangeSubscription, *, seal: Seal, clock: Clock) -> Subscription:
    """Pause, resume, delete, or a new secret. What a pause held back is sent after resume."""
    found = _own(session, actor, command.subscription_id)
    if found.version != command.expected_version:
        raise StaleVersion(current=_reply(found).model_dump(mode="json"))
    status = after(command.move, Status(found.status))
    values: dict[str, Any] = {"status": status.value, "version": found.version + 1}
    secret: str | None = None
    if command.move == "rotate_secret":
        secret = new_secret()
        values["secret"] = seal.close(secret, found.subscription_id)
        values["previous_secret"] = found.secret
        values["previous_until"] = clock() + BOTH_SECRETS_SIGN
    elif command.move == "resume":
        values |= {"disabled_reason": None, "failures": 0, "not_before": None}
        _start_again(session, found.subscription_id)
    elif command.move == "delete":
        # The row stays for the delivery log; nothing that could sign does.
        values |= {"secret": b"", "previous_secret": None}
        _drop_pending(session, found.subscription_id, "deleted")
    return _reply(_changed(session, found.subscription_id, values), secret)


def replay(session: Session, actor: Actor, command: ReplaySubscription) -> Subscription:
    """Send all that matches after a cursor again; a cursor ahead of the subscription changes nothing."""
    start = decode_cursor(command.after)
    found = _own(session, actor, command.subscription_id)
    return _reply(_changed(session, found.subscription_id, {"cursor_seq": min(start, found.cursor_seq)}))


def resend(session: Session, actor: Actor, command: ResendDelivery) -> Subscription:
    """Send one event again. Raises NotVisible for an event that is not there or not for these eyes."""
    found = _own(session, actor, command.subscription_id)
    event = session.execute(
        select(
            journal.c.seq,
            journal.c.entity_id,
            journal.c.area_path,
            journal.c.category,
            journal.c.sensitivity,
            journal.c.agencies,
        ).where(journal.c.event_id == command.event_id)
    ).one_or_none()
    if event is None:
        raise NotVisible(field="event_id")
    policy.require_visible(
        actor.scope,
        area_path=event.area_path,
        category=event.category,
        sensitivity=event.sensitivity,
        agencies=event.agencies,
    )
    statement = insert(deliveries).values(
        subscription_id=found.subscription_id,
        seq=event.seq,
        event_id=command.event_id,
        entity_id=event.entity_id,
        state=PENDING,
        next_attempt_at=func.now(),
    )
    afresh = {"state": PENDING, "attempts": 0, "next_attempt_at": func.now(), "finished_at": None}
    session.execute(
        statement.on_conflict_do_update(index_elements=[deliveries.c.subscription_id, deliveries.c.seq], set_=afresh)
    )
    return _reply(found)


def disable(session: Session, subscription_id: UUID, reason: str, *, clock: Clock) -> bool:
    """The platform switches a subscription off (`gone`, `retries_exhausted`) and says so; False if it is not active.

    What is pending stays pending and goes out after `resume`. Called by the sender.
    """
    found = session.execute(
        select(subscriptions).where(subscriptions.c.subscription_id == subscription_id).with_for_update()
    ).one_or_none()
    if found is None or found.status != Status.ACTIVE.value:
        return False
    values = {
        "status": Status.DISABLED.value,
        "disabled_reason": reason,
        "version": found.version + 1,
        "events": found.events + 1,
    }
    _changed(session, subscription_id, values)
    outbox.append(
        session,
        outbox.Event(
            SubscriptionDisabled(subscription_id=subscription_id, agency_id=found.agency_id, reason=reason),
            entity_id=subscription_id,
            # Not the row's version: pauses and rotations are no events, and the journal demands +1.
            entity_version=found.events + 1,
            area_path=found.area_path or _county_path(),
            occurred_at=clock(),
        ),
    )
    return True


def _may_subscribe(actor: Actor) -> None:
    if not actor.has(*MAY_SUBSCRIBE):
        raise NotAllowed(expected=", ".join(sorted(MAY_SUBSCRIBE)))
    if actor.scope.agency_id is None:  # all accounts without an agency would share theirs
        raise NotAllowed("A subscription belongs to an agency, and this account has none.")


def _refuse_too_many(session: Session, agency_id: UUID) -> None:
    # One at a time for an agency: each of two at once would count without the other.
    session.execute(_ONE_OF_AN_AGENCY, {"agency": str(agency_id)})
    live = select(func.count()).where(
        subscriptions.c.agency_id == agency_id, subscriptions.c.status != Status.DELETED.value
    )
    if session.execute(live).scalar_one() >= MOST_OF_AN_AGENCY:
        raise TooManySubscriptions(most=MOST_OF_AN_AGENCY)


def _own(session: Session, actor: Actor, subscription_id: UUID) -> Row[Any]:
    _may_subscribe(actor)
    found = session.execute(
        select(subscriptions)
        .where(
            subscriptions.c.subscription_id == subscription_id,
            subscriptions.c.agency_id == actor.agency_id,
            subscriptions.c.status != Status.DELETED.value,
        )
        .with_for_update()
    ).one_or_none()
    if found is None:
        raise NotVisible(field="subscription_id")
    return found


def _changed(session: Session, subscription_id: UUID, values: dict[str, Any]) -> Row[Any]:
    statement = update(subscriptions).where(subscriptions.c.subscription_id == subscription_id).values(values)
    return session.execute(statement.returning(*subscriptions.c)).one()


def _start_again(session: Session, subscription_id: UUID) -> None:
    pending = (deliveries.c.subscription_id == subscription_id) & (deliveries.c.state == PENDING)
    session.execute(update(deliveries).where(pending).values(attempts=0, next_attempt_at=func.now(), leased_until=None))


def _drop_pending(session: Session, subscription_id: UUID, reason: str) -> None:
    pending = (deliveries.c.subscription_id == subscription_id) & (deliveries.c.state == PENDING)
    dropped = {"state": DeliveryState.DROPPED.value, "last_error": reason, "finished_at": func.now()}
    session.execute(update(deliveries).where(pending).values(dropped))


def _county_path() -> str:
    return f"{required('PINGAN_COUNTY_CODE')}/"


def _reply(row: Row[Any], secret: str | None = None) -> Subscription:
    return Subscription(
        subscription_id=row.subscription_id,
        agency_id=row.agency_id,
        url=row.url,
        types=tuple(row.types),
        area_path=row.area_path,
        categories=None if row.categories is None else tuple(row.categories),
        status=row.status,
        created_at=row.created_at,
        version=row.version,
        secret=secret,
    )
