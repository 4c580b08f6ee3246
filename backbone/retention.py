"""How long rows are kept: one rule a table, and the task of each service that removes what is older.

A rule removes in steps, each its own transaction; a run goes on until nothing old is left or its time is up, so
that a day's peak is gone by the next run. Nothing pending is ever old: what is not published, not applied, not
settled or not finished stays whatever its age. docs/retention.md shows every table; a test compares it.

The inbox outlives the outbox: whatever can be sent again is still known to whoever has applied it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from backbone import telemetry
from backbone.clock import Clock
from backbone.database import Session

EVERY_S = 60.0
STEP = 5000

Remove = Callable[[Session, datetime, int], tuple[int, bool]]
"""`f(session, before, most) -> (rows, more)`: looks at `most` rows older than `before`, says how many it removed."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How long a table's rows are kept."""

    table: str
    keep: timedelta
    remove: Remove
    what: str = ""
    """Which of its rows, where a table has several rules."""


@dataclass(frozen=True, slots=True)
class Deleting:
    """Deletes rows where `condition` holds, which speaks of `:before`; one statement."""

    table: str
    condition: str

    @property
    def old(self) -> str:
        """The rows' places: found once, by the index of the condition, and not again by their keys."""
        return f"SELECT ctid FROM {self.table} WHERE {self.condition} LIMIT :most"  # noqa: S608 - constants

    def __call__(self, session: Session, before: datetime, most: int) -> tuple[int, bool]:
        statement = text(f"DELETE FROM {self.table} WHERE ctid = ANY (ARRAY ({self.old}))")  # noqa: S608
        removed = session.execute(statement, {"before": before, "most": most}).rowcount
        return removed, removed >= most


OUTBOX = timedelta(days=7)
"""How far back a lost queue can be filled, and a consumer rebuilt, from the outboxes."""
INBOX = timedelta(days=30)
"""Longer than OUTBOX by more than any outage: an event may have been applied long before it was marked as sent."""
IDEMPOTENCY = timedelta(hours=48)

# What was confirmed since then has still to come to a queue that is unbound for its length, or being filled again.
_OWED = (
    "(SELECT min(last_run_at) FROM tasks"
    " WHERE starts_with(name, 'relay.overfull:') OR starts_with(name, 'relay.redrive:'))"
)

RULES: tuple[Rule, ...] = (
    Rule("outbox", OUTBOX, Deleting("outbox", f"published_at < least(:before, {_OWED}) AND target IS NULL"), "events"),
    Rule(
        "outbox",
        timedelta(days=1),
        Deleting("outbox", "published_at < :before AND target IS NOT NULL"),
        "announced states",
    ),
    Rule("inbox", INBOX, Deleting("inbox", "received_at < :before AND status = 'done'"), "applied"),
    Rule(
        "inbox",
        INBOX + timedelta(days=1),
        Deleting(
            "inbox",
            "received_at < :before AND status = 'quarantined' AND NOT EXISTS (SELECT 1 FROM quarantine q"
            " WHERE q.consumer = inbox.consumer AND q.event_id = inbox.event_id AND q.resolved_at IS NULL)",
        ),
        "given up, and settled",
    ),
    Rule("idempotency", IDEMPOTENCY, Deleting("idempotency", "created_at < :before")),
    Rule("quarantine", timedelta(days=180), Deleting("quarantine", "resolved_at < :before"), "settled"),
    Rule("jobs", timedelta(days=30), Deleting("jobs", "finished_at < :before"), "finished"),
)


class Cleaning:
    """The retention task of one service."""

    def __init__(self, service: str, clock: Clock, rules: Sequence[Rule] = ()) -> None:
        self._service = service
        self._clock = clock
        self._rules = (*RULES, *rules)

    def __call__(self, session: Session, step: int = STEP) -> bool:
        """One step of each rule; True while there is more to remove."""
        now, more = self._clock(), False
        for rule in self._rules:
            removed, left = rule.remove(session, now - rule.keep, step)
            telemetry.REMOVED.labels(self._service, rule.table).inc(removed)
            more = more or left
        return more
