"""A toy `grid`: says what it is told, and announces the agencies it remembers."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Any

import eventlet
from sqlalchemy import text

from backbone import outbox
from backbone.entrypoints import command
from backbone.outbox import Event
from contracts.grid.events import AgencyChanged
from contracts.refusals import NotVisible
from tests.integration.backbone.toys import COUNTY, Done, Hold, Nothing, Said, SayAgency, fault_point


def changed(agency_id: Any, version: int, code: str) -> Event[AgencyChanged]:
    data = AgencyChanged(agency_id=agency_id, code=code, kind="toy", parent_id=None, area_path=COUNTY, active=True)
    return Event(data, entity_id=agency_id, entity_version=version, area_path=COUNTY, occurred_at=datetime.now(UTC))


def announce_agencies(session: Any, since: Any, after: Any, limit: int) -> list[Event[AgencyChanged]]:
    rows = session.execute(
        text("SELECT * FROM toy_agencies WHERE id > :after ORDER BY id LIMIT :limit"),
        {"after": str(after or "00000000-0000-0000-0000-000000000000"), "limit": limit},
    )
    return [changed(row.id, row.version, row.code) for row in rows]


class ToyGrid:
    name = "grid"
    announcers = {"agency": announce_agencies}
    hook = staticmethod(fault_point)

    @command(SayAgency)
    def say_agency(self, session, actor, command):
        if command.sleep_s:
            eventlet.sleep(command.sleep_s)
        for version in range(command.version, command.version + command.times):
            outbox.append(session, changed(command.agency_id, version, command.code))
        session.execute(
            text(
                "INSERT INTO toy_agencies (id, version, code) VALUES (:id, :version, :code) "
                "ON CONFLICT (id) DO UPDATE SET version = excluded.version, code = excluded.code"
            ),
            {"id": command.agency_id, "version": version, "code": command.code},
        )
        session.execute(text("INSERT INTO toy_runs (at) VALUES (:at)"), {"at": time.time()})
        if command.refuse:
            raise NotVisible()
        if command.fail:
            raise RuntimeError("the toy is broken")
        return Said(agency_id=command.agency_id, version=version)

    @command(Nothing)
    def nothing(self, session, actor, command):
        return Done()

    @command(Hold)
    def hold(self, session, actor, command):
        session.execute(text("SELECT 1"))
        while not os.path.exists(command.until):
            eventlet.sleep(0.05)
        return Done()
