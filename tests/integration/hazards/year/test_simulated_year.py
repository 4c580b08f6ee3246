"""A year of cases in a minute: two replicas of the engine as processes of their own, killed at random.

Every warning, miss, unanswered dispatch and escalation must be said exactly once: what was said is noted by a trigger
in a table without any key, what had to be said is worked out by another program (oracle.py) from the cases' scripts.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from backbone.database import engine, new_id, to_json, transaction
from contracts.hazards.commands import Case
from contracts.refusals import StaleVersion
from tests.integration.hazards.town import Town
from tests.integration.hazards.year.oracle import CaseOracle, Said
from tests.integration.hazards.year.replica import SharedClock, run
from tests.integration.hazards.year.scripts import CATEGORIES, YEAR_BEGINS, YEAR_ENDS, Script, Step, scripts
from tests.servers import Database

CASES = int(os.environ.get("YEAR_CASES", "80"))
SEED = int(os.environ.get("FAULTS_SEED", "20260215"))
_NOTES = """
CREATE SCHEMA year;
CREATE TABLE year.said (n bigserial, case_id uuid, version bigint, body jsonb);
CREATE FUNCTION year.note() RETURNS trigger SECURITY DEFINER SET search_path = pg_catalog LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO year.said (case_id, version, body) VALUES (NEW.entity_id, NEW.entity_version, NEW.body::jsonb);
    RETURN NULL;
END $$;
CREATE TRIGGER noted AFTER INSERT ON hazards.outbox FOR EACH ROW EXECUTE FUNCTION year.note();
"""
_SAID = """
SELECT case_id, split_part(body ->> 'type', '.', 4), body -> 'data' ->> 'stage', (body -> 'data' ->> 'round')::int,
       body -> 'data' ->> 'percent', body -> 'data' ->> 'depth'
FROM year.said WHERE split_part(body ->> 'type', '.', 4) ~ '^(deadline_|dispatch_un)' ORDER BY n
"""


class Replicas:
    """Two processes of the engine; a thread kills one of them again and again, and another takes its place."""

    def __init__(self, url: str, clock_file: str, chance: random.Random) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.integration.hazards.year.replica"])
        self._make = lambda: context.Process(target=run, args=(url, clock_file, chance.choice([1, 5, 50])), daemon=True)
        self._chance, self._over, self.kills = chance, threading.Event(), 0
        self._running = [self._started(), self._started()]
        self._killer = threading.Thread(target=self._kill, daemon=True)
        self._killer.start()

    def _started(self) -> Any:
        process = self._make()
        process.start()
        return process

    def _kill(self) -> None:
        while not self._over.wait(self._chance.uniform(0.05, 0.4)):
            victim = self._chance.randrange(2)
            self._running[victim].kill()
            self._running[victim].join()
            self._running[victim] = self._started()
            self.kills += 1

    def spare(self) -> None:
        """No more kills."""
        self._over.set()
        self._killer.join()

    def end(self) -> None:
        self.spare()
        for process in self._running:
            process.kill()
            process.join()


@pytest.fixture
def bind(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("PINGAN_COUNTY_CODE", "330499")
    admin = engine(database.url("admin"))
    with transaction(admin) as session:
        session.exec_driver_sql(_NOTES)
    admin.dispose()
    bind = engine(database.url("hazards_app"))
    yield bind
    bind.dispose()


@pytest.mark.timeout(900)
def test_a_year_with_replicas_killed_at_random_says_everything_once(
    bind: Engine, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(SEED)
    lives = scripts(CASES, chance)
    clock = SharedClock(str(tmp_path / "clock"))
    clock.turn(YEAR_BEGINS)
    began = time.monotonic()
    with transaction(bind) as session:
        town = Town(session)
        town.publish(1)
        town.staffed()
        for code, stages in CATEGORIES.items():
            session.execute(
                text("UPDATE hazards.categories SET stages = CAST(:stages AS jsonb) WHERE code = :code"),
                {"stages": to_json(stages), "code": code},
            )
    replicas = Replicas(database.url("hazards_app"), str(tmp_path / "clock"), random.Random(SEED + 1))
    try:
        ids, expected = _live(bind, town, clock, lives)
        clock.turn(YEAR_ENDS)
        # First those that were suspended to the end go on: only then have their clocks a next bell again.
        suspended = "SELECT 1 FROM hazards.cases WHERE state = 'suspended' AND suspended_until <= :now"
        _wait(bind, f"SELECT NOT EXISTS ({suspended})", YEAR_ENDS)
        _wait(bind, "SELECT NOT EXISTS (SELECT 1 FROM hazards.case_clocks WHERE next_at <= :now)", YEAR_ENDS)
    finally:
        replicas.end()
    said = _said(database, ids)
    moves, kills = sum(len(life.steps) for life in lives), replicas.kills
    with capsys.disabled():
        took = time.monotonic() - began
        print(
            f"\nseed {SEED}: {CASES} cases, {moves} moves, {sum(map(len, expected))} things to say, "
            f"{kills} kills, {took:.0f} s"
        )
    wrong = [
        (life.category, [(f"{step.at:%m-%d %H:%M}", step.move) for step in life.steps],
         sorted((Counter(have) - Counter(want)).items()), sorted((Counter(want) - Counter(have)).items()))
        for life, have, want in zip(lives, said, expected, strict=True)
        if Counter(have) != Counter(want)
    ]  # fmt: skip
    assert wrong == [], f"{len(wrong)} cases; the first: said too much, and not: {wrong[0]}"
    assert kills >= 20
    _everything_else_is_whole(database, ids)


def _live(bind: Engine, town: Town, clock: SharedClock, lives: list[Script]) -> tuple[list[UUID], list[list[Said]]]:
    """Makes every move of every case at its moment; returns the cases' ids and what must have been said of each."""
    ids = [new_id() for _ in lives]
    oracles = [CaseOracle(CATEGORIES[life.category]) for life in lives]
    asked: dict[int, int] = {}
    order = sorted((step.at, n, m) for n, life in enumerate(lives) for m, step in enumerate(life.steps))
    for at, n, m in order:
        step, life = lives[n].steps[m], lives[n]
        clock.turn(at)
        before = life.steps[m - 1] if m else None
        if before is not None and before.resumes_at is not None:
            oracles[n].comes_into("handling", at, resumed=before.resumes_at)
            _wait(bind, "SELECT state = 'handling' FROM hazards.cases WHERE id = :id", at, id=ids[n])
        _make(bind, town, ids[n], life, step)
        if step.move == "request_extension":
            asked[n] = step.fields["working_days"]
        elif step.move == "grant_extension":
            oracles[n].extended(asked[n], at)
        oracles[n].comes_into(step.state, at)
    for n, life in enumerate(lives):
        if (until := life.steps[-1].resumes_at) is not None:
            oracles[n].comes_into("handling", until, resumed=until)
    return ids, [oracle.all_said(YEAR_ENDS) for oracle in oracles]


def _make(bind: Engine, town: Town, case_id: UUID, life: Script, step: Step) -> None:
    by = getattr(town, step.by)
    town.clock.now = step.at
    while True:
        try:
            with transaction(bind) as session:
                town.session = session
                if step.move == "report":
                    town.report(by, case_id=case_id, category=life.category, occurred_at=step.at)
                    return
                row = session.execute(text("SELECT version, state FROM hazards.cases WHERE id = :id"), {"id": case_id})
                version, state = row.one()
                case = Case(case_id=case_id, version=version, state=state, body={})
                town.move(case, step.move, by, **step.fields)
                return
        except StaleVersion:
            continue  # the clock spoke between the look and the move


def _wait(bind: Engine, question: str, now: datetime, **given: Any) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with transaction(bind) as session:
            wanted = {"now": now, **given}
            if session.execute(text(question), {k: v for k, v in wanted.items() if f":{k}" in question}).scalar_one():
                return
        time.sleep(0.01)
    pytest.fail(f"never true: {question}")


def _said(database: Database, ids: list[UUID]) -> list[list[Said]]:
    admin = engine(database.url("admin"))
    with transaction(admin) as session:
        rows = session.execute(text(_SAID)).all()
    admin.dispose()
    said: dict[UUID, list[Said]] = {}
    for case_id, fact, stage, round_, percent, depth in rows:
        bell = f"escalate_{depth}" if depth else f"warn_{percent}" if fact == "deadline_warned" else "missed"
        assert (fact == "dispatch_unacknowledged") is (stage == "accept" and bell == "missed")
        said.setdefault(case_id, []).append((stage, round_, bell))
    return [said.get(case_id, []) for case_id in ids]


def _everything_else_is_whole(database: Database, ids: list[UUID]) -> None:
    """Versions without gaps, nothing said before its time, nothing out of order, levels as high as they were taken."""
    admin = engine(database.url("admin"))
    with transaction(admin) as session:

        def none(question: str) -> None:
            assert session.execute(text(question)).all() == []

        none("SELECT case_id FROM hazards.case_history GROUP BY 1 HAVING max(seq) <> count(*)")
        none(
            "SELECT id FROM hazards.cases c"
            " WHERE version <> (SELECT max(version) FROM year.said s WHERE s.case_id = c.id)"
        )
        none("SELECT case_id FROM year.said GROUP BY case_id, version HAVING count(*) > 1")
        none("SELECT case_id FROM hazards.case_bells WHERE rung_at < at")
        none(
            "SELECT case_id FROM"
            " (SELECT *, lag(at) OVER (PARTITION BY case_id, stage, round ORDER BY version) AS earlier"
            " FROM hazards.case_bells) AS bells WHERE at < earlier"
        )
        none(
            "SELECT c.id FROM hazards.cases c JOIN hazards.case_history h ON h.case_id = c.id"
            " WHERE h.move = 'escalate_deadline' AND h.after ->> 'escalated_to' = 'county'"
            " AND h.to_state NOT IN ('closed', 'refused') AND c.level <> 'county'"
        )
        assert session.execute(text("SELECT count(*) FROM hazards.cases")).scalar_one() == len(ids)
    admin.dispose()
