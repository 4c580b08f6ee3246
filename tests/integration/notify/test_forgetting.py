"""What notify forgets: replaced states past the replay promise, and never what somebody has still to be given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from backbone import database as db
from backbone.retention import Cleaning, Deleting
from contracts.notify.commands import ChangeSubscription, ReplaySubscription, Subscription
from contracts.scope import Actor
from services.notify.commands import forgetting, subscriptions
from services.notify.commands.forgetting import REPLAY
from tests.integration.notify.conftest import SEAL, actor_of, case_event

Write = Callable[..., int]
Subscribe = Callable[..., Subscription]
Rows = Callable[..., list[Any]]
RULES = forgetting.rules(timedelta(days=180))
SOON = timedelta(minutes=5)
URL = "http://127.0.0.1:9/hook"


def forget(engine: Engine, after: timedelta, step: int = 3) -> None:
    """Every round that is due when so much time has gone by."""
    cleaning = Cleaning("notify", lambda: datetime.now(UTC) + after, RULES)
    more = True
    while more:
        with db.transaction(engine) as session:
            more = cleaning(session, step)


def kept(rows: Rows, entity: UUID) -> list[int]:
    found = rows("SELECT entity_version FROM notify.journal WHERE entity_id = :id ORDER BY seq", id=entity)
    return [row.entity_version for row in found]


def history(journal: Write, versions: int = 4) -> UUID:
    case = uuid4()
    for version in range(1, versions + 1):
        journal(case_event(case, version))
    return case


def test_replaced_states_go_after_the_promise_and_each_entitys_last_stays(
    engine: Engine, journal: Write, rows: Rows
) -> None:
    one, other = history(journal), history(journal, 1)
    forget(engine, REPLAY - SOON)
    assert (kept(rows, one), kept(rows, other)) == ([1, 2, 3, 4], [1])
    forget(engine, REPLAY + SOON)
    assert (kept(rows, one), kept(rows, other)) == ([4], [1])
    forget(engine, 10 * REPLAY)
    assert (kept(rows, one), kept(rows, other)) == ([4], [1])


def test_what_is_younger_than_the_promise_stays_though_the_entity_is_old(
    engine: Engine, journal: Write, rows: Rows
) -> None:
    case = history(journal, 3)
    rows("UPDATE notify.journal SET journaled_at = journaled_at - :age RETURNING 1", age=REPLAY)
    journal(case_event(case, 4), case_event(case, 5))
    forget(engine, SOON)
    assert kept(rows, case) == [3, 4, 5]
    forget(engine, REPLAY + SOON)
    assert kept(rows, case) == [5]


def test_a_later_event_of_a_forgotten_history_shows_no_gap(engine: Engine, journal: Write, rows: Rows) -> None:
    case = history(journal)
    forget(engine, 2 * REPLAY)
    journal(case_event(case, 5))
    assert rows("SELECT * FROM notify.journal_gaps") == []


def test_a_late_version_does_not_replace_a_newer_one(engine: Engine, journal: Write, rows: Rows) -> None:
    case = uuid4()
    for version in (1, 3, 2):
        journal(case_event(case, version))
    forget(engine, 2 * REPLAY)
    assert kept(rows, case) == [3]


def change(engine: Engine, actor: Actor, found: Subscription, move: str) -> Subscription:
    command = ChangeSubscription(subscription_id=found.subscription_id, move=move, expected_version=found.version)
    with db.transaction(engine) as session:
        return subscriptions.change(session, actor, command, seal=SEAL, clock=lambda: datetime.now(UTC))


def test_a_paused_subscription_holds_what_it_has_not_been_given(
    engine: Engine, journal: Write, rows: Rows, subscribe: Subscribe
) -> None:
    before, actor = history(journal), actor_of()
    paused = change(engine, actor, subscribe(URL, actor), "pause")
    after = history(journal)
    forget(engine, 20 * REPLAY)
    assert (kept(rows, before), kept(rows, after)) == ([4], [1, 2, 3, 4])
    change(engine, actor, paused, "delete")
    forget(engine, 20 * REPLAY)
    assert kept(rows, after) == [4]


def test_a_pending_delivery_holds_its_event_and_what_came_after_it(
    engine: Engine, journal: Write, rows: Rows, subscribe: Subscribe
) -> None:
    subscription = subscribe(URL)
    case = history(journal)
    rows(
        "INSERT INTO notify.deliveries (subscription_id, seq, event_id, entity_id, state, next_attempt_at) "
        "SELECT :id, seq, event_id, entity_id, 'pending', now() "
        "FROM notify.journal WHERE entity_version = 2 RETURNING 1",
        id=subscription.subscription_id,
    )
    rows("UPDATE notify.subscriptions SET cursor_seq = 1000 RETURNING 1")
    forget(engine, 20 * REPLAY)
    assert kept(rows, case) == [1, 2, 3, 4], "version 1 is the last before the pending one"
    rows("UPDATE notify.deliveries SET state = 'delivered', finished_at = now() RETURNING 1")
    forget(engine, REPLAY + SOON)
    assert kept(rows, case) == [4]


def test_a_replay_that_is_under_way_holds_the_journal(
    engine: Engine, journal: Write, rows: Rows, subscribe: Subscribe
) -> None:
    actor = actor_of()
    subscription = subscribe(URL, actor)
    case = history(journal)
    rows("UPDATE notify.subscriptions SET cursor_seq = 1000 RETURNING 1")
    with db.transaction(engine) as session:
        subscriptions.replay(session, actor, ReplaySubscription(subscription_id=subscription.subscription_id))
    forget(engine, 20 * REPLAY)
    assert kept(rows, case) == [1, 2, 3, 4]


@pytest.mark.parametrize(("state", "stays"), [("pending", True), ("delivered", False), ("failed", False)])
def test_finished_deliveries_go_and_pending_ones_never(
    engine: Engine, journal: Write, rows: Rows, subscribe: Subscribe, state: str, stays: bool
) -> None:
    subscription = subscribe(URL)
    history(journal, 5)
    rows(
        "INSERT INTO notify.deliveries "
        "(subscription_id, seq, event_id, entity_id, state, next_attempt_at, finished_at) "
        "SELECT :id, seq, event_id, entity_id, :state, now(), CASE WHEN :state <> 'pending' THEN now() END "
        "FROM notify.journal RETURNING 1",
        id=subscription.subscription_id,
        state=state,
    )
    forget(engine, timedelta(days=180) - SOON)
    assert len(rows("SELECT 1 FROM notify.deliveries")) == 5
    forget(engine, timedelta(days=180) + SOON)
    assert len(rows("SELECT 1 FROM notify.deliveries")) == (5 if stays else 0)


def test_open_gaps_stay(engine: Engine, journal: Write, rows: Rows) -> None:
    open_, filled = uuid4(), uuid4()
    journal(case_event(open_, 2), case_event(filled, 2))
    journal(case_event(filled, 1))
    forget(engine, timedelta(days=3650))
    assert [row.entity_id for row in rows("SELECT entity_id FROM notify.journal_gaps")] == [open_]


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if isinstance(rule.remove, Deleting)], ids=lambda rule: rule.table
)
def test_old_rows_are_found_by_an_index(engine: Engine, rule: Any) -> None:
    with db.transaction(engine) as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        values = {"before": datetime.now(UTC), "most": 10}
        plan = "\n".join(session.execute(text(f"EXPLAIN {rule.remove.old}"), values).scalars())
    assert "Index" in plan
    assert "Seq Scan" not in plan, plan
