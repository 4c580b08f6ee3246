"""R6: an error or an end of the process, forced again and again at each fault point: 0 lost, 0 twice, 0 inversions.

At each point 990 errors are raised and the process ends (`os._exit`) 10 times while events go on being committed.
"""

from __future__ import annotations

import asyncio
import pathlib
import random
import subprocess
from collections.abc import Callable
from uuid import uuid4

import pytest

from backbone.rpc import CommandClient, CommandFailed, CommandUnavailable, IdempotencyKey
from tests.faults.chain import Restarted, applied, keep_producing, producing, verdict
from tests.faults.forcing import Forcing
from tests.faults.report import Notes
from tests.faults.scale import FULL, SEED, scaled
from tests.integration.backbone.conftest import ACTOR, HAZARDS, Processes, Stage, eventually
from tests.integration.backbone.toys import SayAgency

RAISES, EXITS = scaled(990, 18), scaled(10, 1)
WITHIN_S = 60 + 0.5 * (RAISES + 5 * EXITS)
DRAINED_WITHIN_S = 60
CALLERS = 8

# What quality.md calls it -> the hook's names, and how often at most each is reached between two faults there.
RELAY = {
    "after commit, before publish": {"before publish": 30},
    "after publish, before confirm": {"after publish": 1},
    "after confirm, before and after mark": {"after confirm": 60, "before mark": 1, "after mark": 1},
}
INBOX = {
    "after effect, before commit": {"after effect": 3},
    # Each error before an ack drops the connection, and acks on their way with it: after 50 deliveries of a message
    # the broker would put it aside.
    "after commit, before ack": {"after commit": 3, "before ack": 12},
}
COMMANDS = {"after effect": 3, "after commit": 3, "before reply": 3}
SETTINGS = {"PINGAN_INBOX_RETRY_FIRST_S": "0.05", "PINGAN_INBOX_RETRY_LONGEST_S": "0.5", "PINGAN_INBOX_ERRORS": "40"}


def each(points: dict[str, dict[str, int]]) -> pytest.MarkDecorator:
    """One test a point; in the short form one for all of them together."""
    if not FULL:
        points = {"any point": {name: apart for named in points.values() for name, apart in named.items()}}
    return pytest.mark.parametrize("points", points.values(), ids=points.keys())


def forcing(tmp_path: pathlib.Path, points: dict[str, int]) -> Forcing:
    return Forcing(points, RAISES, EXITS, tmp_path / "forced")


def suffer(stage: Stage, notes: Notes, forcing: Forcing, start: Callable[[], subprocess.Popen[bytes]]) -> None:
    """Events are committed while the process fails, until all faults were forced; then everything is applied once."""
    failing = Restarted(start)
    with producing(stage) as producer:
        keep_producing(stage, producer, lambda: forcing.is_done, WITHIN_S, failing.look)

        def drained() -> bool:
            failing.look()
            return applied(stage) == producer.sent and stage.ready("hazards.on-agencies") == 0

        eventually(drained, DRAINED_WITHIN_S)
    settle(stage, notes, forcing, failing)


def settle(stage: Stage, notes: Notes, forcing: Forcing, failing: Restarted) -> None:
    found, forced = verdict(stage), forcing.forced()
    notes.say(f"seed {SEED}: " + ", ".join(f"{count} x {what}" for what, count in sorted(forced.items())))
    notes.say(str(found))
    assert found.counts == (0, 0, 0), found
    assert stage.quarantined() == []
    assert failing.ends == EXITS
    assert forced.total() == RAISES + EXITS


@pytest.mark.slow
@pytest.mark.timeout(WITHIN_S + DRAINED_WITHIN_S + 60)
@each(RELAY)
def test_a_relay_that_fails_loses_and_repeats_nothing(
    stage: Stage, processes: Processes, notes: Notes, tmp_path: pathlib.Path, points: dict[str, int]
) -> None:
    forced = forcing(tmp_path, points)
    processes.service(HAZARDS)
    suffer(stage, notes, forced, lambda: processes.start("tests.faults.toy_relay", **forced.settings))


@pytest.mark.slow
@pytest.mark.timeout(WITHIN_S + DRAINED_WITHIN_S + 60)
@each(INBOX)
def test_a_consumer_that_fails_loses_and_repeats_nothing(
    stage: Stage, processes: Processes, notes: Notes, tmp_path: pathlib.Path, points: dict[str, int]
) -> None:
    forced = forcing(tmp_path, points)
    processes.relay()
    settings = SETTINGS | forced.settings
    suffer(stage, notes, forced, lambda: processes.start("backbone.runner", "tests.faults.toy_hazards", **settings))


@pytest.mark.slow
@pytest.mark.timeout(WITHIN_S + DRAINED_WITHIN_S + 60)
async def test_a_command_that_fails_before_or_after_its_commit_takes_effect_once(
    stage: Stage, processes: Processes, notes: Notes, tmp_path: pathlib.Path
) -> None:
    forced = forcing(tmp_path, COMMANDS)
    processes.service(HAZARDS)
    processes.relay()
    start = ("backbone.runner", "tests.faults.toy_grid")
    failing = Restarted(lambda: processes.start(*start, **forced.settings))
    client = CommandClient(stage.broker_url)
    await client.connect()
    answered: list[str] = []

    async def call(number: int) -> None:
        """Commands one after another, each under its key until it is answered."""
        chance = random.Random(f"{SEED} {number}")
        while not forced.is_done:
            command, key = SayAgency(agency_id=uuid4()), IdempotencyKey("faults", "POST /v1/toys", str(uuid4()), "f")
            while True:
                try:
                    answer = await client.send(command, ACTOR, idempotency=key, deadline=2)
                    break
                except (CommandUnavailable, CommandFailed):
                    await asyncio.sleep(chance.uniform(0.01, 0.05))
            answered.append(answer["agency_id"])

    async def watch() -> None:
        while not forced.is_done:
            failing.look()
            await asyncio.sleep(0.05)

    async with asyncio.timeout(WITHIN_S):
        await asyncio.gather(watch(), *(call(number) for number in range(CALLERS)))
    await client.close()
    failing.look()
    await asyncio.to_thread(eventually, lambda: applied(stage) == len(answered), DRAINED_WITHIN_S)
    settle(stage, notes, forced, failing)
    assert sorted(answered) == sorted(str(row.entity_id) for row in stage.rows("grid", "SELECT entity_id FROM outbox"))
