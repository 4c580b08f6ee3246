"""What the sender counts."""

from __future__ import annotations

from typing import Any

from prometheus_client import Counter, Gauge, Histogram

ATTEMPTS = Counter("pingan_webhook_attempts_total", "Webhook requests by outcome", ["outcome"])
ATTEMPT_SECONDS = Histogram(
    "pingan_webhook_attempt_seconds",
    "From request to answer",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
DROPPED = Counter("pingan_webhook_dropped_total", "Deliveries not sent because their reader may not see them any more")
DISABLED = Counter("pingan_webhook_disabled_total", "Subscriptions switched off by the platform", ["reason"])
PENDING = Gauge("pingan_webhook_pending", "Deliveries waiting to be sent")
OLDEST = Gauge("pingan_webhook_oldest_pending_seconds", "Age of the oldest delivery that was never tried")
LAG = Gauge("pingan_webhook_dispatch_lag", "Events between the journal's head and the slowest active subscription")
ROUND_FAILURES = Counter("pingan_webhook_round_failures_total", "Rounds that the database did not let finish", ["task"])

_SURVEY = """
SELECT (SELECT count(*) FROM notify.deliveries WHERE state = 'pending') AS pending,
       (SELECT extract(epoch FROM now() - min(d.created_at)) FROM notify.deliveries d
        JOIN notify.subscriptions s USING (subscription_id)
        WHERE d.state = 'pending' AND d.attempts = 0 AND s.status = 'active') AS oldest,
       (SELECT h.seq - min(s.cursor_seq) FROM notify.subscriptions s
        WHERE s.status = 'active') AS lag
FROM notify.journal_head h
"""


async def survey(connection: Any) -> None:
    """Set the gauges from the database."""
    row = await connection.fetchrow(_SURVEY)
    PENDING.set(row["pending"])
    OLDEST.set(float(row["oldest"] or 0))
    LAG.set(row["lag"] or 0)
