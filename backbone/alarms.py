"""Alarms: what needs a person is noted by whoever finds it and said as an event, once, when it begins and when it ends.

A row of `alarms` is (code, consumer): `count` and `since` are what a watch found last, 0 = nothing is wrong; `raised`
and `version` are what was said. Any process of the platform may note (the relay too: one upsert in the consumer's
own schema); the service says it, in one replica, within seconds, so that nothing is said twice and no crash
swallows it. What comes and goes between two looks is not said.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import text

from backbone import outbox, telemetry, topology
from backbone.clock import Clock
from backbone.database import Session, to_json
from backbone.marks import OVERFULL
from backbone.settings import required
from contracts.registry import event_class
from contracts.scope import Sensitivity

log = telemetry.logger("alarms")

LOOK_S = 2.0
GAUGE_S = 10.0
QUARANTINE_OPEN = "quarantine_open"
QUEUE_OVERFULL = "queue_overfull"
JOURNAL_GAP = "journal_gap"

NOTE = text("""
INSERT INTO alarms AS a (code, consumer, count, since)
SELECT :code, f.consumer, f.count, f.since
FROM json_to_recordset(CAST(:found AS json)) AS f (consumer text, count bigint, since timestamptz)
ON CONFLICT (code, consumer) DO UPDATE SET count = excluded.count, since = excluded.since
WHERE (a.count, a.since) IS DISTINCT FROM (excluded.count, excluded.since)
""")
OVER = text("UPDATE alarms SET count = 0 WHERE code = :code AND count > 0 AND consumer <> ALL (:consumers)")
UNSAID = text("SELECT code, consumer, count AS n, since, version FROM alarms WHERE (count > 0) <> raised FOR UPDATE")
SAID = text("""
UPDATE alarms SET raised = count > 0, version = version + 1, changed_at = now()
WHERE code = :code AND consumer = :consumer
""")
OPEN = text("""
SELECT consumer, count(*) AS n, min(created_at) AS since FROM quarantine WHERE resolved_at IS NULL GROUP BY consumer
""")
REASONS = text("SELECT reason, count(*) AS n FROM quarantine WHERE resolved_at IS NULL GROUP BY reason")
MARKED = text("SELECT name, last_run_at FROM tasks WHERE starts_with(name, :prefix)")
STANDING = text("SELECT code, consumer, raised FROM alarms")


def note(session: Session, code: str, found: Mapping[str, tuple[int, datetime]]) -> None:
    """What a watch found now, by queue: how many, since when. Queues that are not in it have nothing any more."""
    rows = [{"consumer": queue, "count": count, "since": since} for queue, (count, since) in found.items()]
    if rows:
        session.execute(NOTE, {"code": code, "found": to_json(rows)})
    session.execute(OVER, {"code": code, "consumers": list(found)})


def say(session: Session, service: str, clock: Clock) -> int:
    """Append an event for each alarm that began or ended since it was last said; returns how many."""
    rows = session.execute(UNSAID).all()
    for row in rows:
        fact = "raised" if row.n > 0 else "cleared"
        data = {
            "alarm_id": alarm_id(service, row.code, row.consumer),
            "owner": service,
            "code": row.code,
            "consumer": row.consumer,
            "count": row.n,
            "since": row.since,
        }
        event = outbox.Event(
            event_class(f"county.{service}.alarm.{fact}.v1").model_validate(data),
            entity_id=data["alarm_id"],
            entity_version=row.version + 1,
            area_path=f"{required('PINGAN_COUNTY_CODE')}/",
            occurred_at=clock(),
            sensitivity=int(Sensitivity.CONFIDENTIAL),
        )
        outbox.append(session, event)
        session.execute(SAID, {"code": row.code, "consumer": row.consumer})
        log.warning(f"alarm {fact}", code=row.code, consumer=row.consumer, count=row.n)
    return len(rows)


def alarm_id(service: str, code: str, consumer: str) -> UUID:
    """The same for ever: an alarm that comes again is the same entity's next version."""
    return uuid5(NAMESPACE_URL, f"pingan/{required('PINGAN_COUNTY_CODE')}/alarm/{service}/{code}/{consumer}")


class Watch:
    """One service's look at its own quarantine and queues, and the voice of all its alarms."""

    def __init__(self, service: str, clock: Clock) -> None:
        self._service = service
        self._clock = clock
        self._queues = {queue.name for queue in topology.queues() if queue.service == service}
        self._reasons: set[str] = set()

    def look(self, session: Session) -> None:
        """Notes what lies in quarantine, and which queues the relay has unbound; says what is new. In one replica."""
        found: dict[str, tuple[int, datetime]] = {}
        for row in session.execute(OPEN):
            # What a dead letter says of its queue may be anything.
            queue = row.consumer if row.consumer in self._queues else topology.dead_queue(self._service)
            count, since = found.get(queue, (0, row.since))
            found[queue] = (count + row.n, min(since, row.since))
        note(session, QUARANTINE_OPEN, found)
        marked = {
            row.name.removeprefix(OVERFULL): (1, row.last_run_at)
            for row in session.execute(MARKED, {"prefix": OVERFULL})
        }
        note(session, QUEUE_OVERFULL, {queue: at for queue, at in marked.items() if queue in self._queues})
        say(session, self._service, self._clock)

    def gauge(self, session: Session) -> None:
        """Sets the gauges; in every replica, since each is asked."""
        counts = {row.reason: row.n for row in session.execute(REASONS)}
        self._reasons |= counts.keys()
        for reason in self._reasons:
            telemetry.QUARANTINE_OPEN.labels(self._service, reason).set(counts.get(reason, 0))
        for row in session.execute(STANDING):
            telemetry.ALARM.labels(self._service, row.code, row.consumer).set(int(row.raised))
