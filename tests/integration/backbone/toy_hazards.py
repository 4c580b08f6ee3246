"""A toy `hazards`: appends each effect to a table WITHOUT a unique key, so that a double effect shows.

The code word of an agency tells it how to misbehave: see `misbehave`.
"""

from __future__ import annotations

import os
from typing import Any

import eventlet
from greenlet import GreenletExit
from sqlalchemy import text

from backbone.entrypoints import command, every, subscribe
from contracts.grid.events import AgencyChanged, AreaChanged, BoundaryPublished, JurisdictionChanged
from tests.integration.backbone.toys import Done, HazardsNothing, fault_point


class NoSuchRecord(Exception):
    """What a handler with a defect raises."""


def misbehave(session: Any, code: str) -> None:
    """`fail`, `fail_thrice`, `kill` the process, `timeout` and `exit` as eventlet does, `hang`, `slow`."""
    if code == "fail":
        raise NoSuchRecord(code)
    if code == "fail_thrice":
        seen = os.path.join(os.environ["PINGAN_FILES_DIRECTORY"], "seen")
        with open(seen, "a") as file:
            file.write("x")
        if os.path.getsize(seen) <= 3:
            raise NoSuchRecord(code)
    if code == "kill":
        os._exit(9)
    if code == "timeout":
        raise eventlet.Timeout(0.2)  # and its timer is still running
    if code == "query_timeout":
        with eventlet.Timeout(0.1):
            session.execute(text("SELECT pg_sleep(5)"))
    if code == "exit":
        raise GreenletExit()
    if code == "hang":
        eventlet.sleep(60)
    if code == "slow":
        eventlet.sleep(0.2)


class ToyHazards:
    name = "hazards"
    hook = staticmethod(fault_point)

    @command(HazardsNothing)
    def nothing(self, session, actor, command):
        return Done()

    @subscribe(AgencyChanged, JurisdictionChanged)
    def store_agency(self, session, event):
        session.execute(
            text(
                "INSERT INTO toy_effects (event_id, entity_id, version, code, process) "
                "VALUES (:event, :entity, :version, :code, :process)"
            ),
            {
                "event": event.id,
                "entity": event.entity_id,
                "version": event.entity_version,
                "code": event.data.code,
                "process": os.getpid(),
            },
        )
        session.execute(
            text(
                "INSERT INTO toy_projection (id, version, code) VALUES (:id, :version, :code) ON CONFLICT (id) "
                "DO UPDATE SET version = excluded.version, code = excluded.code "
                "WHERE excluded.version > toy_projection.version"
            ),
            {"id": event.entity_id, "version": event.entity_version, "code": event.data.code},
        )
        misbehave(session, event.data.code)

    @subscribe(AreaChanged, BoundaryPublished)
    def ignore(self, session, event):
        pass

    @every(seconds=0.5)
    def tick(self, session):
        session.execute(text("INSERT INTO toy_ticks (process) VALUES (:process)"), {"process": os.getpid()})
