"""Subscriptions by command, and what the gateway reads of them."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import Engine

from backbone import database as db
from backbone.clock import system_clock
from backbone.statements import Query, compiled
from contracts.notify.commands import (
    ChangeSubscription,
    CreateSubscription,
    ReplaySubscription,
    ResendDelivery,
    SetSubscriberScope,
    SubscriberScope,
    Subscription,
)
from contracts.notify.errors import (
    ForbiddenTarget,
    HttpsRequired,
    IllegalSubscriptionMove,
    InvalidCursor,
    SubscriptionExists,
    TooManySubscriptions,
    UnknownEventPattern,
)
from contracts.refusals import NotAllowed, NotVisible, Refusal, StaleVersion
from contracts.scope import Actor, Role
from services.notify import queries
from services.notify.commands import subscribers, subscriptions
from services.notify.domain.targets import TargetPolicy
from services.notify.sender import dispatch
from tests.integration.notify.conftest import COUNTY, SEAL, TOWN, actor_of, case_event

Subscribe = Callable[..., Subscription]
Journal = Callable[..., int]
Rows = Callable[..., list[Any]]
URL = "https://hooks.example.com/pingan"


@pytest.fixture
def change(engine: Engine) -> Callable[..., Subscription]:
    def run(actor: Actor, subscription_id: UUID, move: str, version: int) -> Subscription:
        command = ChangeSubscription(subscription_id=subscription_id, move=move, expected_version=version)
        with db.transaction(engine) as session:
            return subscriptions.change(session, actor, command, seal=SEAL, clock=system_clock)

    return run


def test_the_secret_is_shown_on_creation_and_rotation_only(
    subscribe: Subscribe, change: Callable[..., Subscription]
) -> None:
    actor = actor_of()
    made = subscribe(URL, actor)
    assert (made.secret or "").startswith("whsec_")
    assert change(actor, made.subscription_id, "pause", 1).secret is None
    assert (change(actor, made.subscription_id, "rotate_secret", 2).secret or "").startswith("whsec_")


def test_a_subscription_moves_by_its_table(subscribe: Subscribe, change: Callable[..., Subscription]) -> None:
    actor = actor_of()
    made = subscribe(URL, actor)
    with pytest.raises(IllegalSubscriptionMove) as refusal:
        change(actor, made.subscription_id, "resume", 1)
    assert refusal.value.extra["legal_moves"] == ["pause", "delete", "rotate_secret"]
    assert change(actor, made.subscription_id, "pause", 1).status == "paused"
    with pytest.raises(StaleVersion) as stale:
        change(actor, made.subscription_id, "resume", 1)
    assert stale.value.extra["current"]["version"] == 2
    assert change(actor, made.subscription_id, "delete", 2).status == "deleted"
    with pytest.raises(NotVisible):
        change(actor, made.subscription_id, "resume", 3)


def test_another_agency_does_not_find_it(subscribe: Subscribe, change: Callable[..., Subscription]) -> None:
    made = subscribe(URL, actor_of())
    with pytest.raises(NotVisible):
        change(actor_of(), made.subscription_id, "delete", 1)


@pytest.mark.parametrize(
    ("refusal", "role", "given", "policy"),
    [
        (NotAllowed, Role.GRID_WORKER, {}, TargetPolicy()),
        (ForbiddenTarget, Role.INTEGRATOR, {"url": "http://169.254.169.254/latest"}, TargetPolicy()),
        (HttpsRequired, Role.INTEGRATOR, {"url": "http://hooks.example.com/"}, TargetPolicy(https_only=True)),
        (UnknownEventPattern, Role.INTEGRATOR, {"types": ("hazards.cases.*",)}, TargetPolicy()),
    ],
)
def test_what_cannot_be_is_refused(
    engine: Engine, refusal: type[Refusal], role: Role, given: dict[str, Any], policy: TargetPolicy
) -> None:
    command = CreateSubscription(subscription_id=uuid4(), **({"url": URL, "types": ("*",)} | given))
    with db.transaction(engine) as session, pytest.raises(refusal):
        subscriptions.create(session, actor_of(role=role), command, seal=SEAL, targets=policy)


def test_an_id_is_used_once_and_an_agency_has_a_limit(
    engine: Engine, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = actor_of()
    made = subscribe(URL, actor)
    again = CreateSubscription(subscription_id=made.subscription_id, url=URL, types=("*",))
    with db.transaction(engine) as session, pytest.raises(SubscriptionExists):
        subscriptions.create(session, actor, again, seal=SEAL, targets=TargetPolicy())
    monkeypatch.setattr(subscriptions, "MOST_OF_AN_AGENCY", 1)
    with pytest.raises(TooManySubscriptions):
        subscribe(URL, actor)


def test_rights_taken_away_a_moment_ago_do_not_come_back_with_a_cached_actor(
    engine: Engine, subscribe: Subscribe, rows: Rows
) -> None:
    actor = actor_of((COUNTY,))

    def say(areas: tuple[str, ...], active: bool, role: Role = Role.COUNTY_ADMIN) -> None:
        scope = SubscriberScope(areas=areas, ceiling=1)
        command = SetSubscriberScope(account_id=actor.account_id, scope=scope, active=active)
        with db.transaction(engine) as session:
            subscribers.set_scope(session, actor_of(role=role), command)

    with pytest.raises(NotAllowed):
        say((TOWN,), True, Role.INTEGRATOR)
    say((TOWN,), True)
    subscribe(URL, actor)
    assert rows("SELECT scope->'areas' FROM notify.subscribers") == [([TOWN],)]
    rows("UPDATE notify.subscribers SET changed_at = now() - interval '1 minute' RETURNING 1")
    subscribe(URL, actor)
    assert rows("SELECT scope->'areas' FROM notify.subscribers") == [([COUNTY],)]
    say((TOWN,), False)
    with pytest.raises(NotAllowed):
        subscribe(URL, actor)


def test_resend_and_replay_refuse_what_is_not_there_or_not_seen(
    engine: Engine, subscribe: Subscribe, journal: Journal
) -> None:
    actor = actor_of((TOWN,))
    made = subscribe(URL, actor)
    hidden = case_event(sensitivity=3)
    journal(hidden)
    for event_id in (hidden.id, uuid4()):
        command = ResendDelivery(subscription_id=made.subscription_id, event_id=event_id)
        with db.transaction(engine) as session, pytest.raises(NotVisible):
            subscriptions.resend(session, actor, command)
    replay = ReplaySubscription(subscription_id=made.subscription_id, after="AAAA")
    with db.transaction(engine) as session, pytest.raises(InvalidCursor):
        subscriptions.replay(session, actor, replay)


async def test_an_agency_reads_its_own_subscriptions_and_their_deliveries(
    subscribe: Subscribe, journal: Journal, settings_env: dict[str, str]
) -> None:
    actor, neighbour = actor_of(), actor_of()
    made = sorted((subscribe(URL, actor) for _ in range(3)), key=lambda each: each.subscription_id)
    subscribe(URL, neighbour)
    journal(*(case_event() for _ in range(5)))
    writer = await asyncpg.connect(settings_env["PINGAN_NOTIFY_DATABASE_URL"])
    assert not await dispatch.dispatch(writer)
    await writer.close()
    reader = await asyncpg.connect(settings_env["PINGAN_NOTIFY_READ_DATABASE_URL"])

    async def read(query: Query) -> list[Any]:
        sql, values = compiled(query)
        return [(json.loads(row["body"]), row["cursor_1"]) for row in await reader.fetch(sql, *values)]

    first = await read(queries.subscriptions_of_agency(actor.scope, limit=2))
    rest = await read(queries.subscriptions_of_agency(actor.scope, after=(first[-1][1],)))
    assert [cursor for _, cursor in first + rest] == [each.subscription_id for each in made]
    assert "secret" not in first[0][0]
    assert first[0][0]["created_at"].endswith("Z")
    chosen = made[0].subscription_id
    assert len(await read(queries.subscription(actor.scope, subscription_id=chosen))) == 1
    assert await read(queries.subscription(neighbour.scope, subscription_id=chosen)) == []
    page = await read(queries.subscription_deliveries(actor.scope, subscription_id=chosen, limit=3))
    assert [cursor for _, cursor in page] == [5, 4, 3]
    assert page[0][0]["state"] == "pending"
    later = await read(
        queries.subscription_deliveries(actor.scope, subscription_id=chosen, after=(3,), state="pending")
    )
    assert [cursor for _, cursor in later] == [2, 1]
    assert await read(queries.subscription_deliveries(neighbour.scope, subscription_id=chosen)) == []
    await reader.close()


def test_the_tables_are_what_the_migration_made(rows: Rows) -> None:
    from services.notify.tables import metadata

    found = rows(
        "SELECT table_name, column_name, is_nullable = 'YES' FROM information_schema.columns "
        "WHERE table_schema = 'notify' AND table_name = ANY(:tables)",
        tables=[table.name for table in metadata.tables.values()],
    )
    described = {(table.name, c.name, bool(c.nullable)) for table in metadata.tables.values() for c in table.columns}
    assert {tuple(row) for row in found} == described
    indexes = {row[0] for row in rows("SELECT indexname FROM pg_indexes WHERE schemaname = 'notify'")}
    assert {index.name for table in metadata.tables.values() for index in table.indexes} <= indexes


def test_accounts_without_an_agency_share_no_subscriptions(subscribe: Subscribe) -> None:
    nobodys = UUID(int=0)  # what an actor without an agency bears
    actor = actor_of((COUNTY,), agency_id=nobodys)
    actor = dataclasses.replace(actor, scope=dataclasses.replace(actor.scope, agency_id=None))
    with pytest.raises(NotAllowed) as refused:
        subscribe(URL, actor)
    assert "agency" in refused.value.detail
