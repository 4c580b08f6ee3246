"""The journal: every event once, in one order that readers can rely on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from prometheus_client import Counter, Gauge
from sqlalchemy import text

from backbone import alarms, marks, telemetry, topology
from backbone.database import Session, to_json
from backbone.hints import JOURNAL, Hint
from backbone.outbox import Event
from contracts.areas import common_path
from contracts.grid.events import AreaMerged, AreaMoved, AreaSplit

log = telemetry.logger("journal")
QUEUE = topology.events_queue("notify", "everything")

JOURNALED = Counter("pingan_journal_events_total", "Events written to the journal")
GAPS = Gauge("pingan_journal_gaps", "Versions of entities that are missing in the journal")
OLD_GAPS = Gauge("pingan_journal_old_gaps", "Those missing for more than 60 s: an alarm, events were lost or held up")

# With every batch: whoever writes the journal waits for its head already, a second lock costs nobody anything.
_NEWS = Hint(JOURNAL, quiet_s=0)

_TAKE = text("UPDATE notify.journal_head SET seq = seq + :n WHERE id = 1 RETURNING seq")

_WRITE = text("""
    INSERT INTO notify.journal (seq, event_id, type, routing_key, entity, entity_id, entity_version, area_path,
                                category, sensitivity, agencies, recorded_at, body)
    SELECT seq, event_id, type, routing_key, entity, entity_id, entity_version, area_path,
           category, sensitivity, agencies, recorded_at, body
    FROM json_to_recordset(CAST(:rows AS json)) AS r (
        seq bigint, event_id uuid, type text, routing_key text, entity text, entity_id uuid, entity_version bigint,
        area_path text, category text, sensitivity smallint, agencies uuid[], recorded_at timestamptz, body text)
    ON CONFLICT (event_id) DO NOTHING
    RETURNING seq, entity, entity_id, entity_version
""")

# At most a hundred versions are noted for one event: more is an owner's history we never had, not a loss.
# Answers whether any gap is open, the ones just noted included.
_NOTE_GAPS = text("""
    WITH noted AS (
    INSERT INTO notify.journal_gaps (entity_id, entity_version, entity, seen_seq)
    SELECT n.entity_id, missing, n.entity, n.seq
    FROM json_to_recordset(CAST(:rows AS json)) AS n (seq bigint, entity text, entity_id uuid, entity_version bigint)
    CROSS JOIN LATERAL (
        SELECT coalesce(max(j.entity_version), 0) AS known FROM notify.journal j
        WHERE j.entity_id = n.entity_id AND j.seq < n.seq) AS before
    CROSS JOIN LATERAL generate_series(
        greatest(before.known + 1, n.entity_version - 100), n.entity_version - 1) AS missing
    ON CONFLICT DO NOTHING RETURNING 1)
    SELECT EXISTS (SELECT 1 FROM noted) OR EXISTS (SELECT 1 FROM notify.journal_gaps WHERE filled_at IS NULL)
""")

_FOLLOW_AREA = text("UPDATE notify.subscriptions SET area_path = :into WHERE area_path = :path")

_ANY_GAP = text("SELECT EXISTS (SELECT 1 FROM notify.journal_gaps WHERE filled_at IS NULL)")

_FILL_GAPS = text("""
    UPDATE notify.journal_gaps g SET filled_at = now()
    FROM json_to_recordset(CAST(:rows AS json)) AS n (entity_id uuid, entity_version bigint)
    WHERE g.entity_id = n.entity_id AND g.entity_version = n.entity_version AND g.filled_at IS NULL
""")

# A gap is asked for when it is one minute old, two, four, … until no outbox can have it any more.
_LAST_ASKED = (
    text("INSERT INTO tasks (name, last_run_at) VALUES ('notify.gaps_asked', 'epoch') ON CONFLICT DO NOTHING"),
    text("SELECT last_run_at FROM tasks WHERE name = 'notify.gaps_asked' FOR UPDATE"),
    text("UPDATE tasks SET last_run_at = now() WHERE name = 'notify.gaps_asked'"),
)
_DUE_GAPS = text("""
    SELECT entity_id, min(entity_version) AS first, max(entity_version) AS last FROM notify.journal_gaps
    WHERE filled_at IS NULL AND found_at BETWEEN now() - interval '7 days' AND now() - interval '60 seconds'
      AND floor(log(2, extract(epoch FROM now() - found_at) / 60))
        > floor(log(2, greatest(extract(epoch FROM CAST(:asked AS timestamptz) - found_at) / 60, 0.5)))
    GROUP BY entity_id LIMIT 10000
""")

_COUNT_GAPS = text("""
    SELECT count(*) AS open, count(*) FILTER (WHERE found_at < now() - interval '60 seconds') AS old,
           min(found_at) AS since
    FROM notify.journal_gaps WHERE filled_at IS NULL
""")


def record(session: Session, events: Sequence[Event[Any]]) -> int:
    """Write a batch into the journal; returns how many were new. An event that is there already changes nothing.

    The head row is locked until commit, so commit order is `seq` order with any number of writers: who has read
    up to a seq has missed nothing before it. Repeats leave holes in seq, which mean nothing.
    """
    if not events:
        return 0
    head = session.execute(_TAKE, {"n": len(events)}).scalar_one()
    first = head - len(events) + 1
    rows = [_row(event, first + n) for n, event in enumerate(events)]
    new = [row._asdict() for row in session.execute(_WRITE, {"rows": to_json(rows)})]
    if new:
        _watch_order(session, new)
        _follow_areas(session, events)
        _NEWS.give(session)
    JOURNALED.inc(len(new))
    return len(new)


def _follow_areas(session: Session, events: Sequence[Event[Any]]) -> None:
    """A subscription to an area that is gone hears of the narrowest area that has all its land, rather than nothing
    for ever; what its account may see is judged as before."""
    for event in events:
        if isinstance(event.data, AreaSplit | AreaMerged | AreaMoved):
            into = event.data.into if isinstance(event.data.into, list) else [event.data.into]
            session.execute(_FOLLOW_AREA, {"path": event.data.path, "into": common_path(into)})


def watch_gaps(session: Session) -> None:
    """Set the gauges and the alarm of gaps; ask the owners' outboxes for what has been missing for a minute."""
    row = session.execute(_COUNT_GAPS).one()
    GAPS.set(row.open)
    OLD_GAPS.set(row.old)
    alarms.note(session, alarms.JOURNAL_GAP, {QUEUE: (row.old, row.since)} if row.old else {})
    if row.old:
        _ask_for_gaps(session)


def _ask_for_gaps(session: Session) -> None:
    begin, look, asked = _LAST_ASKED
    session.execute(begin)
    before = session.execute(look).scalar_one()  # locked: two replicas do not ask for the same
    due = session.execute(_DUE_GAPS, {"asked": before}).all()
    if due:
        marks.ask(session, QUEUE, [marks.Span(each.entity_id, each.first, each.last) for each in due])
        log.error("ALARM: the journal misses events; asking their owners' outboxes", entities=len(due))
    session.execute(asked)


def _watch_order(session: Session, new: list[dict[str, Any]]) -> None:
    """Each entity's versions come one by one: note those that are missing, and those that came late."""
    later = [each for each in new if each["entity_version"] > 1]  # nothing is missing before a first version
    open_gap = session.execute(_NOTE_GAPS, {"rows": to_json(later)}) if later else session.execute(_ANY_GAP)
    if open_gap.scalar_one():
        session.execute(_FILL_GAPS, {"rows": to_json(new)})


def _row(event: Event[Any], seq: int) -> dict[str, Any]:
    envelope = event.envelope
    if envelope is None:
        raise ValueError("only received events are journaled")
    return {
        "seq": seq,
        "event_id": envelope.id,
        "type": envelope.type,
        "routing_key": envelope.routing_key,
        "entity": envelope.entity,
        "entity_id": envelope.entity_id,
        "entity_version": envelope.entityversion,
        "area_path": envelope.areapath,
        "category": _category(envelope.data),
        "sensitivity": envelope.sensitivity,
        "agencies": agencies(envelope.data),
        "recorded_at": envelope.time,
        "body": envelope.to_bytes().decode(),
    }


def _category(data: dict[str, Any]) -> str | None:
    category = data.get("category")
    return category if isinstance(category, str) else None


_ONE_AGENCY = (
    "agency_id",
    "lead_agency_id",
    "reporting_agency_id",
    "supervision_agency_id",
    "listing_agency_id",
)
_AGENCIES = ("assisting_agency_ids", "former_agency_ids", "joined_agency_ids")


def agencies(data: dict[str, Any]) -> list[UUID]:
    """The agencies that take or took part in an event's entity: they see it wherever it lies."""
    one = (data.get(name) for name in _ONE_AGENCY)
    several: Iterable[Any] = (value for name in _AGENCIES for value in data.get(name) or ())
    return sorted({UUID(value) for value in (*one, *several) if value})
