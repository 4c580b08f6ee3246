"""@every: one replica at a time, in one rhythm, decided by the database alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from backbone.database import engine
from backbone.entrypoints.timers import Task, Timers
from tests.integration.backbone.conftest import Stage


@pytest.fixture
def pool(stage: Stage) -> Iterator[Engine]:
    made = engine(stage.settings["PINGAN_HAZARDS_DATABASE_URL"], pool_size=2)
    yield made
    made.dispose()


def test_a_task_at_work_elsewhere_is_left_alone_at_once(pool: Engine) -> None:
    began, may_end, outcomes = threading.Event(), threading.Event(), []

    def work(_session: Any) -> None:
        began.set()
        may_end.wait(30)

    here, there = Timers("hazards", pool), Timers("hazards", pool)
    at_work = threading.Thread(target=lambda: outcomes.append(here.once(Task("tick", work, 0.001))))
    at_work.start()
    assert began.wait(10)
    other = threading.Thread(target=lambda: outcomes.append(there.once(Task("tick", lambda _session: None, 0.001))))
    other.start()
    other.join(5)
    said = list(outcomes)
    may_end.set()
    at_work.join(10)
    other.join(10)
    assert said == ["elsewhere"], "who finds a task at work does not wait for it"
    assert outcomes[1:] == ["done"]


def test_a_task_that_ran_a_moment_ago_is_not_due(pool: Engine) -> None:
    ran: list[int] = []
    here, there = Timers("hazards", pool), Timers("hazards", pool)
    task = Task("tick", lambda _session: ran.append(1), 3600)
    assert [here.once(task), there.once(task), here.once(task)] == ["done", "early", "early"]
    assert len(ran) == 1
