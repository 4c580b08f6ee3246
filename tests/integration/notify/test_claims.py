"""The sender's claims by themselves: a lease is one sender's, rights are those of the moment, replay skips nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import Engine

from backbone import database as db
from contracts.notify.commands import ReplaySubscription, SetSubscriberScope, SubscriberScope
from contracts.scope import Role
from services.notify.commands import subscribers, subscriptions
from services.notify.domain.cursors import encode_cursor
from services.notify.sender import claims, dispatch
from services.notify.sender.claims import Claimed, Mark
from tests.integration.notify.conftest import COUNTY, TOWN, actor_of, case_event

Journal = Callable[..., int]
Subscribe = Callable[..., Any]
Rows = Callable[..., list[Any]]
URL = "http://127.0.0.1:9/hook"
A_MINUTE = timedelta(minutes=1)


@pytest.fixture
async def connection(settings_env: dict[str, str]) -> AsyncIterator[Any]:
    made = await asyncpg.connect(settings_env["PINGAN_NOTIFY_DATABASE_URL"])
    yield made
    await made.close()


async def claim(connection: Any) -> list[Claimed]:
    """What another sender, with nothing in hand, would be given now."""
    return await claims.claim(connection, {}, 8, uuid4(), A_MINUTE)


async def test_what_one_sender_holds_no_other_claims_until_the_lease_ends(
    connection: Any, journal: Journal, subscribe: Subscribe, rows: Rows
) -> None:
    subscribe(URL)
    journal(case_event(), case_event())
    await dispatch.dispatch(connection)
    assert [each.seq for each in await claim(connection)] == [1, 2]
    assert await claim(connection) == []
    rows("UPDATE notify.deliveries SET leased_until = now() - interval '1 second' WHERE seq = 2 RETURNING 1")
    assert [(each.seq, each.attempts) for each in await claim(connection)] == [(2, 2)]


async def test_a_sender_that_lost_its_lease_marks_nothing(
    connection: Any, journal: Journal, subscribe: Subscribe, rows: Rows
) -> None:
    subscribe(URL)
    journal(case_event())
    await dispatch.dispatch(connection)
    [slow] = await claim(connection)
    rows("UPDATE notify.deliveries SET leased_until = now() - interval '1 second' RETURNING 1")
    [quick] = await claim(connection)
    await claims.mark(connection, [Mark(slow, "failed", 500, 10)])
    assert rows("SELECT state, leased_by FROM notify.deliveries") == [("pending", quick.lease)]
    await claims.mark(connection, [Mark(quick, "delivered", 200, 10, healthy=True)])
    assert rows("SELECT state, last_status FROM notify.deliveries") == [("delivered", 200)]


async def test_a_case_that_became_more_sensitive_is_claimed_to_be_dropped(
    connection: Any, journal: Journal, subscribe: Subscribe
) -> None:
    subscribe(URL, actor_of((TOWN,)))
    case = uuid4()
    journal(case_event(case, 1), case_event())
    await dispatch.dispatch(connection)
    journal(case_event(case, 2, fact="recategorised", sensitivity=3))
    assert [(each.seq, each.allowed) for each in await claim(connection)] == [(1, False), (2, True)]


async def test_nothing_is_claimed_for_an_account_that_is_off(
    connection: Any, journal: Journal, subscribe: Subscribe, engine: Engine
) -> None:
    actor = actor_of()
    subscribe(URL, actor)
    journal(case_event())
    await dispatch.dispatch(connection)

    def switch(active: bool) -> None:
        scope = SubscriberScope(areas=(COUNTY,), ceiling=1)
        command = SetSubscriberScope(account_id=actor.account_id, scope=scope, active=active)
        with db.transaction(engine) as session:
            subscribers.set_scope(session, actor_of(role=Role.COUNTY_ADMIN), command)

    switch(False)
    assert await claim(connection) == []
    switch(True)
    assert [each.seq for each in await claim(connection)] == [1]


async def test_a_replay_from_ahead_of_the_subscription_skips_nothing(
    connection: Any, journal: Journal, subscribe: Subscribe, engine: Engine
) -> None:
    actor = actor_of()
    made = subscribe(URL, actor)
    journal(case_event(), case_event(), case_event())
    replay = ReplaySubscription(subscription_id=made.subscription_id, after=encode_cursor(2))
    with db.transaction(engine) as session:
        subscriptions.replay(session, actor, replay)
    await dispatch.dispatch(connection)
    assert [each.seq for each in await claim(connection)] == [1, 2, 3]
