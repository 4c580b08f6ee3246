"""Two relays and two of a service at once: nothing lost, nothing twice, each entity in order."""

from __future__ import annotations

import signal
import time
from collections import defaultdict
from itertools import pairwise
from uuid import UUID, uuid4

from tests.integration.backbone.conftest import HAZARDS, Processes, Stage, eventually


def say_versions(stage: Stage, entities: list[UUID], first: int, last: int) -> None:
    for version in range(first, last + 1):
        for entity in entities:
            stage.say("fine", agency=entity, version=version)


def versions_by_entity(stage: Stage) -> dict[UUID, list[int]]:
    found: dict[UUID, list[int]] = defaultdict(list)
    for row in stage.effects():
        found[row.entity_id].append(row.version)
    return found


def test_two_relays_share_the_shards_and_one_takes_over(stage: Stage, processes: Processes) -> None:
    first, second = processes.relay(), processes.relay()

    def shards() -> list[int]:
        held = stage.rows(
            "grid",
            "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' "
            "AND a.application_name = 'relay-grid' AND l.objid < 16 AND l.objsubid = 2 "
            "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY l.pid",
        )
        return sorted(row[0] for row in held)

    eventually(lambda: shards() == [8, 8])
    entities = [uuid4() for _ in range(20)]
    say_versions(stage, entities, 1, 3)
    eventually(stage.published)
    first.send_signal(signal.SIGKILL)
    first.wait()
    say_versions(stage, entities, 4, 6)
    eventually(stage.published, 5)
    assert shards() == [16]
    assert processes.stop(second) == 0
    processes.service(HAZARDS)
    eventually(lambda: len(stage.effects()) >= 120)
    assert versions_by_entity(stage) == {entity: [1, 2, 3, 4, 5, 6] for entity in entities}


def test_two_of_a_service_apply_each_event_once_and_in_order(stage: Stage, processes: Processes) -> None:
    one, two = processes.service(HAZARDS), processes.service(HAZARDS)
    processes.relay(), processes.relay()
    entities = [uuid4() for _ in range(10)]
    say_versions(stage, entities, 1, 10)
    # A graceful stop of whichever is active, in the middle; then the crash of the other one.
    first = one if _active(stage) == one.pid else two
    other = two if first is one else one
    assert processes.stop(first) == 0
    say_versions(stage, entities, 11, 20)
    eventually(lambda: _active(stage) == other.pid)
    third = processes.service(HAZARDS)
    say_versions(stage, entities, 21, 25)
    other.kill()
    other.wait()
    say_versions(stage, entities, 26, 30)
    eventually(lambda: len(stage.effects()) >= 300, 20)
    time.sleep(0.5)
    assert versions_by_entity(stage) == {entity: list(range(1, 31)) for entity in entities}
    assert third.poll() is None


def _active(stage: Stage) -> int:
    """The process that applied the latest event."""
    return int(
        eventually(lambda: stage.rows("hazards", "SELECT process FROM toy_effects ORDER BY n DESC LIMIT 1"))[0][0]
    )


def test_a_task_runs_in_one_replica_at_a_time_in_its_rhythm(stage: Stage, processes: Processes) -> None:
    processes.service(HAZARDS)
    processes.service(HAZARDS)
    stage.write("hazards", "DELETE FROM toy_ticks")
    question = "SELECT at FROM toy_ticks ORDER BY at"
    eventually(lambda: len(stage.rows("hazards", question)) >= 6, 20)
    ticks = [row[0] for row in stage.rows("hazards", question)]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(ticks)]
    assert min(gaps) > 0.4
