"""Exports from the asking to their end: written by the worker, given to one account for a day, then removed."""

from __future__ import annotations

import os
import pathlib
import time
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from backbone import files
from backbone.database import from_json, new_id, transaction
from backbone.jobs import Worker
from contracts.hazards.commands import CaseFilter, ExportCases
from contracts.hazards.errors import TooManyExports
from contracts.scope import Actor
from services.hazards import commands, queries
from services.hazards.jobs import JOBS
from tests.integration.hazards.town import Clock, Town

AGED_S = 7200.0


class Desk:
    """Exports on committed rows, as the service and the worker handle them one after the other."""

    def __init__(self, bind: Engine) -> None:
        self.bind, self.clock = bind, Clock()
        with transaction(bind) as session:
            self.asker: Actor = Town(session).centre

    def ask(self) -> UUID:
        # Words that no case has: two such files are the same bytes, whatever other tests have left here.
        asked = ExportCases(export_id=new_id(), filter=CaseFilter(search=f"无此案{uuid4().hex}"), format="csv")
        with transaction(self.bind) as session:
            commands.export_cases(session, self.asker, asked, clock=self.clock)
        return asked.export_id

    def work(self, kind: str) -> None:
        """A worker does whatever of this kind waits."""
        worker = Worker("hazards", {kind: JOBS[kind]}, self.bind)
        while worker.once():
            pass

    def expire(self) -> list[dict[str, Any]]:
        """The sweep of a minute; what it told the worker to remove."""
        with transaction(self.bind) as session:
            before = session.execute(text("SELECT now()")).scalar_one()
            commands.expire_exports(session, clock=self.clock)
            told = text("SELECT payload FROM jobs WHERE kind = 'forget_export' AND created_at >= :before")
            return [payload for (payload,) in session.execute(told, {"before": before})]

    def stands(self, export_id: UUID) -> tuple[str, str | None]:
        query = queries.export_by_id(self.asker.scope, self.asker.account_id, export_id)
        with transaction(self.bind) as session:
            row = session.execute(query.build(), query.parameters).one()
        return from_json(row.body)["state"], row.blob


@pytest.fixture
def desk(hazards_engine: Engine, store: pathlib.Path) -> Desk:
    return Desk(hazards_engine)


def age(blob: str) -> None:
    old = time.time() - AGED_S
    os.utime(files.path_of(blob), (old, old))


def gone(blob: str) -> bool:
    try:
        files.path_of(blob)
    except files.UnknownBlob:
        return True
    return False


def test_a_file_is_given_for_a_day_and_its_bytes_go_with_the_last_export_of_them(desk: Desk) -> None:
    first = desk.ask()
    desk.work("export_cases")
    desk.clock.forward(hours=12)
    second = desk.ask()
    desk.work("export_cases")
    state, blob = desk.stands(first)
    assert (state, blob) == ("ready", desk.stands(second)[1]), "the same rows are the same bytes, kept once"
    assert blob is not None

    desk.clock.forward(hours=11)
    assert desk.expire() == [], "not before its time"
    desk.clock.forward(hours=2)
    assert desk.expire() == [{"blob": blob}]
    assert desk.stands(first) == ("expired", None)
    age(blob)
    desk.work("forget_export")
    assert not gone(blob), "the second still gives it"

    desk.clock.forward(hours=12)
    assert desk.expire() == [{"blob": blob}]
    desk.work("forget_export")
    assert gone(blob)
    assert desk.expire() == [], "once"


def test_bytes_that_another_export_has_just_put_stay(desk: Desk) -> None:
    export_id = desk.ask()
    desk.work("export_cases")
    blob = desk.stands(export_id)[1]
    assert blob is not None
    age(blob)
    content = files.path_of(blob).read_bytes()
    desk.clock.forward(hours=25)
    desk.expire()
    files.put(content)  # by a worker whose export is not noted as ready yet
    desk.work("forget_export")
    assert not gone(blob)

    desk.work("forget_export")
    assert not gone(blob), "the next look is an hour later"
    age(blob)
    with transaction(desk.bind) as session:
        session.execute(text("UPDATE jobs SET next_attempt_at = now() WHERE kind = 'forget_export'"))
    desk.work("forget_export")
    assert gone(blob), "nobody noted an export of them"


@pytest.mark.parametrize("begun", [False, True])
def test_what_no_worker_could_finish_expires_and_stands_in_nobodys_way(
    desk: Desk, begun: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished = [desk.ask() for _ in range(3)]
    if begun:
        with monkeypatch.context() as deadly:
            deadly.setattr(files, "put", _die)
            for _ in unfinished:
                with pytest.raises(KeyboardInterrupt):
                    desk.work("export_cases")
        assert [desk.stands(each)[0] for each in unfinished] == ["writing"] * 3
    with pytest.raises(TooManyExports):
        desk.ask()
    desk.clock.forward(hours=25)
    assert desk.expire() == [], "there is nothing to remove"
    with transaction(desk.bind) as session:
        session.execute(text("UPDATE jobs SET lease_until = now() - interval '1 second' WHERE state = 'running'"))
    desk.work("export_cases")
    assert [desk.stands(each)[0] for each in unfinished] == ["expired"] * 3, "too late to be written"
    another = desk.ask()
    desk.work("export_cases")
    assert desk.stands(another)[0] == "ready"


def _die(*_: object) -> None:
    raise KeyboardInterrupt
