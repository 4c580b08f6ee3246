"""How long notify remembers: the journal, the log of deliveries, the gaps that were filled.

Of each entity the journal keeps its last state for ever: who reads it from the start, or whoever asks which
version came last, finds something of every entity. What came before that state goes once it is older than the
replay promise, and not before every subscription has been given it: a paused one holds the journal.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text

from backbone.database import Session
from backbone.retention import Deleting, Rule

REPLAY = timedelta(days=180)
"""The promise of a replay: whatever happened since then is still in the journal, each event of it."""
LONGEST_STEP = 5000

# Whoever hands events to a subscription, or sets it back, changes its row: shared locks hold them off meanwhile.
_GIVEN = text("""
SELECT min(cursor_seq) FROM (SELECT cursor_seq FROM notify.subscriptions WHERE status <> 'deleted' FOR SHARE) AS s
""")
_PENDING = text("SELECT min(seq) FROM notify.deliveries WHERE state = 'pending'")
_FLOOR = text("SELECT seq FROM notify.journal_floor WHERE id = 1 FOR UPDATE")
_WINDOW = text("""
SELECT max(seq) AS last, count(*) AS rows FROM (
    SELECT seq, bool_and(journaled_at < :before) OVER (ORDER BY seq) AS old
    FROM (SELECT seq, journaled_at FROM notify.journal
          WHERE seq > :floor AND seq <= :upto ORDER BY seq LIMIT :most) AS next
) AS w WHERE old
""")
_COMPACT = text("""
DELETE FROM notify.journal WHERE seq IN (
    SELECT j.seq FROM notify.journal n JOIN notify.journal j USING (entity_id)
    WHERE n.seq > :floor AND n.seq <= :last AND j.seq <= :last
      AND (j.entity_version, j.seq) < (n.entity_version, n.seq))
""")
_RAISE = text("UPDATE notify.journal_floor SET seq = :last WHERE id = 1")
_HIGHEST = 2**63 - 1


def compact_journal(session: Session, before: datetime, most: int) -> tuple[int, bool]:
    """Looks at the next `most` events that are older than `before`; removes what they replaced, and says how many."""
    given = session.execute(_GIVEN).scalar_one()
    pending = session.execute(_PENDING).scalar_one()
    upto = min(_HIGHEST if given is None else given, _HIGHEST if pending is None else pending - 1)
    floor = session.execute(_FLOOR).scalar_one()
    window = {"floor": floor, "upto": upto, "before": before, "most": min(most, LONGEST_STEP)}
    found = session.execute(_WINDOW, window).one()
    if not found.rows:
        return 0, False
    removed = session.execute(_COMPACT, {"floor": floor, "last": found.last}).rowcount
    session.execute(_RAISE, {"last": found.last})
    return removed, found.rows >= window["most"]


def rules(keep_deliveries: timedelta) -> tuple[Rule, ...]:
    """notify's own rules beside the backbone's."""
    return (
        Rule("journal", REPLAY, compact_journal, "states that were replaced"),
        Rule(
            "deliveries",
            keep_deliveries,
            Deleting("notify.deliveries", "finished_at < :before AND state <> 'pending'"),
            "finished",
        ),
        Rule("journal_gaps", timedelta(days=30), Deleting("notify.journal_gaps", "filled_at < :before"), "filled"),
    )
