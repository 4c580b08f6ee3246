"""R12 over the whole API: Hypothesis drives cases of a running platform against the model, then to their ends."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.faults.life_machine import LOGINS, Lives, World
from tests.faults.life_model import LOOP
from tests.faults.report import Notes
from tests.faults.scale import FULL, SEED, scaled
from tests.platform import Platform

EXAMPLES, STEPS = scaled(400, 6), 30

pytestmark = pytest.mark.timeout(3600)


def test_whole_lives_over_the_api_are_as_the_model_says(
    platform: Platform, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hypothesis.core.global_force_seed", SEED)
    with contextlib.ExitStack() as open_clients:
        world = World({login: open_clients.enter_context(platform.client(login)) for login in LOGINS})
        machine = type("LivesHere", (Lives,), {"world": world})
        chosen = settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=(Phase.generate,),  # each step is a request: shrinking would take longer than it tells
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        )
        run_state_machine_as_test(machine, settings=chosen)
    steps, made = sum(world.steps.values()), sum(world.made.values())
    notes.say(f"{steps} requests, {made} moves made, {steps - made} refused as they should be, seed {SEED}")
    if FULL:
        assert steps >= 10_000
        assert set(world.made) == set(LOOP), f"never made: {set(LOOP) - set(world.made)}"
