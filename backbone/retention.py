"""How long bookkeeping is kept, and the one task per service that removes what is older, in small steps."""

from __future__ import annotations

from sqlalchemy import text

from backbone.database import Session

EVERY_S = 60.0
STEP = 5000

_OLD = (
    "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE published_at < now() - interval '7 days' LIMIT :n)",
    "DELETE FROM idempotency WHERE (client, route, key) IN "
    "(SELECT client, route, key FROM idempotency WHERE created_at < now() - interval '48 hours' LIMIT :n)",
    "DELETE FROM inbox WHERE (consumer, event_id) IN (SELECT consumer, event_id FROM inbox "
    "WHERE received_at < now() - interval '30 days' AND status = 'done' LIMIT :n)",
    "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE finished_at < now() - interval '30 days' LIMIT :n)",
)


def clean(session: Session) -> None:
    """Remove up to 5,000 rows of each kind that are past their time; the outbox keeps enough to fill a lost queue."""
    for statement in _OLD:
        session.execute(text(statement), {"n": STEP})
