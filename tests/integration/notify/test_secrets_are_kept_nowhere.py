"""A webhook's secret is shown once: what is stored for replays of the same request does not hold it."""

import json
import time
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from backbone import database as db
from backbone.clock import system_clock
from backbone.idempotency import Asked, IdempotencyKey, Task, execute, execute_together
from backbone.telemetry import Context
from contracts.commands import Command, Reply
from contracts.notify.commands import ChangeSubscription, CreateSubscription
from contracts.scope import Actor
from services.notify.commands import subscriptions
from tests.integration.notify.conftest import ANYWHERE, SEAL, actor_of


def handle(session: db.Session, actor: Actor, command: Command) -> Reply:
    if isinstance(command, CreateSubscription):
        return subscriptions.create(session, actor, command, seal=SEAL, targets=ANYWHERE)
    assert isinstance(command, ChangeSubscription)
    return subscriptions.change(session, actor, command, seal=SEAL, clock=system_clock)


@pytest.fixture(params=["together", "alone"])
def ask(engine: Engine, request: pytest.FixtureRequest) -> Any:
    """One request under a key, as the service runs it: where others may share the transaction, or by itself."""
    actor = actor_of()

    def send(command: Command, key: str) -> Any:
        named = IdempotencyKey("client", "POST /v1/subscriptions", key, "f")
        task = Task(Asked(command, actor, Context("x")), named, handle)
        (outcome,) = execute_together(engine, [task]) if request.param == "together" else (None,)
        outcome = outcome or execute(engine, handle, actor, command, named, time.time() + 5)
        assert outcome.kind == "ok"
        return json.loads(outcome.body)["ok"]

    return send


def test_a_replay_of_creation_or_rotation_shows_no_secret_and_no_row_holds_it(engine: Engine, ask: Any) -> None:
    new = CreateSubscription(subscription_id=uuid4(), url="http://127.0.0.1:9/hook", types=("*",))
    rotate = ChangeSubscription(subscription_id=new.subscription_id, move="rotate_secret", expected_version=1)
    secrets = []
    for key, command in (("create", new), ("rotate", rotate)):
        first, again = ask(command, key), ask(command, key)
        secrets.append(first["secret"].removeprefix("whsec_"))
        assert again == {**first, "secret": None}
    with db.transaction(engine) as session:
        for table in ("idempotency", "outbox", "notify.subscriptions"):
            kept = session.execute(text(f"SELECT string_agg(t::text, '') FROM {table} t")).scalar_one() or ""
            assert not any(secret in kept for secret in secrets), table
            assert "whsec_" not in kept, table
