"""R12: two machines of Hypothesis against simple models: the life of a case, and the way of an event.

Hypothesis chooses the steps, the model says what must come of each. The code under test is the product's own on a
real database. A planted bug (the ack before the commit) must be found by the same machine that passes without it.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator

import hypothesis
import pytest
import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from backbone import database as db
from tests.faults.case_machine import Cases
from tests.faults.delivery_machine import Deliveries, World
from tests.faults.report import Notes
from tests.faults.scale import SEED, scaled
from tests.integration.backbone.conftest import Stage
from tests.integration.hazards.town import Town

CASES, DELIVERIES, STEPS = scaled(400, 20), scaled(600, 25), 30

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(autouse=True)
def seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hypothesis.core.global_force_seed", SEED)


def run(machine: type[RuleBasedStateMachine], examples: int, *phases: Phase) -> None:
    """Raises what the machine found, shrunk when that phase is among `phases`."""
    chosen = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=phases or (Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    with structlog.testing.capture_logs():  # handlers that fail as they were told are no news
        run_state_machine_as_test(machine, settings=chosen)


@pytest.fixture
def town(settings_env: dict[str, str]) -> Iterator[Town]:
    engine = db.engine(settings_env["PINGAN_HAZARDS_DATABASE_URL"], pool_size=1)
    with engine.connect() as session, session.begin() as transaction:
        town = Town(session)
        town.publish(1)
        town.staffed()
        town.strict()
        yield town
        transaction.rollback()
    engine.dispose()


def test_a_case_lives_as_the_model_says(town: Town, notes: Notes) -> None:
    count: collections.Counter[str] = collections.Counter()
    states: collections.Counter[str] = collections.Counter()

    class OfThisTown(Cases):
        def teardown(self) -> None:
            count.update(made=self.made, refused=self.refused, examples=1)
            states.update(model.state for _, model in self.cases)
            super().teardown()

    OfThisTown.town = town
    notes.say(f"seed {SEED}, Hypothesis {hypothesis.__version__}, {CASES} examples of {STEPS} steps")
    run(OfThisTown, CASES)
    notes.say(
        f"{count['made']} moves made, {count['refused']} refused, 0 otherwise than the model; ends: {dict(states)}"
    )
    assert count["made"] > CASES
    assert count["refused"] > CASES


@pytest.fixture
def world(stage: Stage) -> Iterator[World]:
    world = World(stage)
    yield world
    world.close()


def machine_in(world: World, *, acks_first: bool = False) -> type[Deliveries]:
    class InThisWorld(Deliveries):
        pass

    InThisWorld.world, InThisWorld.acks_first = world, acks_first
    return InThisWorld


def test_an_event_arrives_once_whatever_happens_on_its_way(world: World, notes: Notes) -> None:
    notes.say(f"seed {SEED}, {DELIVERIES} examples of {STEPS} steps")
    run(machine_in(world), DELIVERIES)
    notes.say(f"{dict(world.count)}: 0 lost, 0 twice")
    for what in ("committed", "rolled back", "lost on the way", "copied", "shuffled", "crashes of a consumer"):
        assert world.count[what] > 0, what


def test_an_ack_before_the_commit_is_found_by_the_same_machine(world: World, notes: Notes) -> None:
    with pytest.raises(AssertionError, match="lost") as found:
        run(machine_in(world, acks_first=True), 500, Phase.generate)
    notes.say(f"found in example {world.count['examples']}: {str(found.value).splitlines()[0]}")
