"""`scripts/pingan quarantine …` on real quarantines."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result

from backbone import quarantine
from backbone.database import transaction
from cli import quarantine as shell
from tests.integration.backbone.conftest import Stage

AREAS, AGENCIES = "hazards.on-areas", "hazards.on-agencies"


@pytest.fixture(autouse=True)
def _fresh_engines(stage: Stage) -> Iterator[None]:
    yield
    for service in ("grid", "hazards", "patrol", "notify"):
        shell._engine(service).dispose()
    shell._engine.cache_clear()


def run(*words: str) -> Result:
    return CliRunner().invoke(shell.quarantine, words)


def put(stage: Stage, service: str = "hazards", consumer: str = AREAS, reason: str = "undecodable") -> UUID:
    with transaction(stage.database(service)) as session:
        body = '{"words": "张三"}'.encode()
        return quarantine.put(session, consumer=consumer, reason=reason, body=body, error="not one of ours")


def event(stage: Stage, reason: str = "failed") -> UUID:
    stage.say("fine")
    body = stage.value("grid", "SELECT body FROM outbox ORDER BY seq DESC LIMIT 1").encode()
    with transaction(stage.database("hazards")) as session:
        return quarantine.put(session, consumer=AGENCIES, reason=reason, body=body, error="a defect")


def listed(*words: str) -> list[str]:
    result = run("list", *words)
    assert result.exit_code == 0, result.output
    return [line.split()[1] for line in result.stdout.splitlines()]


def test_the_list_spans_the_services_newest_first_in_pages(stage: Stage) -> None:
    made = [put(stage, service) for service in ("hazards", "patrol", "notify", "hazards", "patrol")]
    newest = [str(each) for each in reversed(made)]
    assert listed() == newest
    first = run("list", "--limit", "2")
    assert [line.split()[1] for line in first.stdout.splitlines()] == newest[:2]
    assert f"--after {newest[1]}" in first.stderr
    assert listed("--limit", "10", "--after", newest[1]) == newest[2:]
    assert listed("--service", "patrol") == [newest[0], newest[3]]
    assert "张三" not in run("list").output


def test_the_list_is_filtered(stage: Stage) -> None:
    one, other = put(stage), put(stage, consumer=AGENCIES, reason="dead_lettered")
    assert listed("--consumer", AGENCIES) == [str(other)]
    assert listed("--reason", "undecodable") == [str(one)]
    assert listed("--since", "2199-01-01T00:00:00Z") == []
    assert len(listed("--since", "2020-01-01T00:00:00Z")) == 2


def test_a_look_shows_the_body_and_is_on_record_first(stage: Stage) -> None:
    entry = put(stage)
    result = run("show", "hazards", str(entry))
    assert result.exit_code == 0, result.output
    assert '"words": "张三"' in result.output
    assert "error: not one of ours" in result.output
    sql = "SELECT purpose, entity, allowed FROM access.read_audit WHERE entity_id = :id"
    assert [tuple(row) for row in stage.rows("access", sql, id=str(entry))] == [
        ("quarantine", "quarantine hazards", True)
    ]


def test_no_record_no_look(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = put(stage)
    monkeypatch.setenv("PINGAN_ACCESS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    result = run("show", "hazards", str(entry))
    assert result.exit_code == 1
    assert "张三" not in result.output


def test_one_is_retried_or_dropped_with_a_reason_that_is_kept(stage: Stage) -> None:
    good, bad = event(stage), put(stage)
    assert run("retry", "hazards", str(good)).exit_code == 0
    assert stage.value("hazards", "SELECT status FROM inbox") == "failed", "due"
    refused = run("retry", "hazards", str(bad))
    assert (refused.exit_code, "still_undecodable" in refused.output) == (1, True)
    assert run("drop", "hazards", str(bad)).exit_code == 2, "not without a reason"
    assert run("drop", "hazards", str(bad), "--because", "  ").exit_code == 2
    assert run("drop", "hazards", str(bad), "--because", "sent by a broken test tool").exit_code == 0
    assert listed() == []
    settled = run("list", "--settled").output
    assert "dropped: sent by a broken test tool" in settled
    assert "retried: -" in settled
    again = run("drop", "hazards", str(bad), "--because", "once more")
    assert (again.exit_code, "quarantine_settled" in again.output) == (1, True)
    assert run("drop", "hazards", str(uuid4()), "--because", "nothing there").exit_code == 1


def test_many_are_settled_by_a_filter_and_a_refused_one_holds_none(stage: Stage) -> None:
    events = [event(stage) for _ in range(5)]
    others = [put(stage, reason="failed"), put(stage)]
    result = run("retry", "hazards", "--reason", "failed")
    assert (result.exit_code, "5 due again, 1 refused" in result.output) == (1, True)
    assert stage.value("hazards", "SELECT count(*) FROM inbox WHERE status = 'failed'") == len(events)
    assert set(listed()) == {str(each) for each in others}
    assert run("drop", "hazards", "--all", "--because", "made by a test").exit_code == 0
    assert listed() == []


@pytest.mark.parametrize("words", [(), ("--all", "--reason", "failed"), (str(uuid4()), "--all")])
def test_what_is_meant_must_be_said(stage: Stage, words: tuple[str, ...]) -> None:
    put(stage)
    assert run("retry", "hazards", *words).exit_code == 2
    assert len(listed()) == 1
