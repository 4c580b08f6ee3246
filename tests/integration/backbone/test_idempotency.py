"""Several commands in one transaction, without a broker: each key has one effect, whatever the handler does twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backbone import telemetry
from backbone.database import engine
from backbone.idempotency import Asked, IdempotencyKey, Task, execute_together
from tests.integration.backbone.conftest import ACTOR, Stage
from tests.integration.backbone.toys import Done, Nothing


@pytest.fixture
def pool(stage: Stage) -> Iterator[Engine]:
    made = engine(stage.settings["PINGAN_GRID_DATABASE_URL"], pool_size=1)
    yield made
    made.dispose()


def run(session: Any, _actor: Any, _command: Any) -> Done:
    """A handler that nothing keeps from having its effect twice."""
    session.execute(text("INSERT INTO toy_runs (at) VALUES (1)"))
    return Done()


def task(key: str) -> Task:
    asked = Asked(Nothing(), ACTOR, telemetry.Context("test"))
    return Task(asked, IdempotencyKey("client", "POST /x", key, "same"), run)


def test_a_key_that_is_there_twice_has_one_effect(stage: Stage, pool: Engine) -> None:
    outcomes = execute_together(pool, [task("one"), task("two"), task("one"), task("one")])
    assert [outcome and outcome.kind for outcome in outcomes] == ["ok", "ok", None, None]
    assert stage.value("grid", "SELECT count(*) FROM toy_runs") == 2


def test_a_key_that_was_used_before_has_no_effect_in_company(stage: Stage, pool: Engine) -> None:
    execute_together(pool, [task("one")])
    outcomes = execute_together(pool, [task("two"), task("one"), task("three")])
    assert [outcome and outcome.kind for outcome in outcomes] == ["ok", None, "ok"]
    assert stage.value("grid", "SELECT count(*) FROM toy_runs") == 3
