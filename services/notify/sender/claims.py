"""The sender's statements on deliveries: claim what is due, mark what became of it.

A claim is a lease on rows: any number of senders work side by side, and what a dead one had in hand comes back
when its lease ends. An entity's delivery is due only when none before it is pending for the same subscription.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from backbone.policy import visible
from contracts.scope import Scope
from services.notify.commands.subscribers import scope_from_json


@dataclass(frozen=True, slots=True)
class Claimed:
    """One delivery in hand. `attempts` counts this one."""

    subscription_id: UUID
    seq: int
    lease: UUID
    event_id: UUID
    url: str
    body: str
    attempts: int
    created_at: datetime
    last_success_at: datetime | None
    secret: bytes
    previous_secret: bytes | None
    allowed: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """What became of a claimed delivery; `wait` from now where it stays pending."""

    claimed: Claimed
    state: str
    status: int | None = None
    latency_ms: int | None = None
    error: str | None = None
    wait: timedelta | None = None
    healthy: bool | None = None
    rest: timedelta | None = None
    attempted: bool = True


# Endpoints that fail are given less at a time, down to one: their queue waits, nobody else's does.
_CLAIM = """
WITH busy AS (SELECT * FROM unnest($1::uuid[], $2::int[]) AS b (subscription_id, n)),
room AS MATERIALIZED (
    SELECT s.subscription_id, s.url, s.secret, s.previous_secret, s.previous_until, s.last_success_at, r.scope,
           greatest($3::int >> least(s.failures, 16), 1) - coalesce(busy.n, 0) AS slots
    FROM notify.subscriptions s
    JOIN notify.subscribers r USING (account_id)
    LEFT JOIN busy USING (subscription_id)
    WHERE s.status = 'active' AND r.active AND (s.not_before IS NULL OR s.not_before <= now())),
due AS MATERIALIZED (
    SELECT room.subscription_id, d.seq FROM room CROSS JOIN LATERAL (
        SELECT d.seq FROM notify.deliveries d
        WHERE d.subscription_id = room.subscription_id AND d.state = 'pending' AND d.next_attempt_at <= now()
          AND (d.leased_until IS NULL OR d.leased_until < now())
          AND NOT EXISTS (
              SELECT 1 FROM notify.deliveries e
              WHERE e.subscription_id = d.subscription_id AND e.entity_id = d.entity_id
                AND e.state = 'pending' AND e.seq < d.seq)
        ORDER BY d.seq LIMIT greatest(room.slots, 0) FOR UPDATE SKIP LOCKED) AS d
    WHERE room.slots > 0),
leased AS (
    UPDATE notify.deliveries d SET leased_until = now() + $4::interval, leased_by = $5, attempts = d.attempts + 1
    FROM due WHERE d.subscription_id = due.subscription_id AND d.seq = due.seq
    RETURNING d.subscription_id, d.seq, d.event_id, d.attempts, d.created_at)
SELECT l.subscription_id, l.seq, l.event_id, l.attempts, l.created_at, room.url, room.secret, room.last_success_at,
       CASE WHEN room.previous_until > now() THEN room.previous_secret END AS previous_secret, room.scope,
       j.body, j.area_path, j.category, j.sensitivity, j.agencies,
       n.area_path AS area_path_now, n.category AS category_now, n.sensitivity AS sensitivity_now,
       n.agencies AS agencies_now
FROM leased l
JOIN room USING (subscription_id)
JOIN notify.journal j ON j.seq = l.seq
CROSS JOIN LATERAL (
    SELECT area_path, category, sensitivity, agencies FROM notify.journal n
    WHERE n.entity_id = j.entity_id ORDER BY n.entity_version DESC, n.seq DESC LIMIT 1) AS n
ORDER BY l.subscription_id, l.seq
"""

_MARK = """
UPDATE notify.deliveries d
SET state = m.state, last_status = coalesce(m.status, CASE WHEN m.attempted THEN NULL ELSE d.last_status END),
    last_latency_ms = CASE WHEN m.attempted THEN m.latency ELSE d.last_latency_ms END,
    last_error = CASE WHEN m.attempted OR m.state <> 'pending' THEN m.error ELSE d.last_error END,
    attempts = d.attempts - CASE WHEN m.attempted THEN 0 ELSE 1 END,
    next_attempt_at = now() + m.wait, leased_until = NULL, leased_by = NULL,
    finished_at = CASE WHEN m.state = 'pending' THEN NULL ELSE now() END
FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::int[], $6::int[], $7::text[], $8::interval[],
            $9::bool[])
    AS m (subscription_id, seq, lease, state, status, latency, error, wait, attempted)
WHERE d.subscription_id = m.subscription_id AND d.seq = m.seq AND d.leased_by = m.lease AND d.state = 'pending'
"""

_HEALTHY = """
UPDATE notify.subscriptions SET failures = 0, not_before = NULL, last_success_at = now()
WHERE subscription_id = ANY($1::uuid[])
  AND (failures > 0 OR last_success_at IS NULL OR last_success_at < now() - interval '10 seconds')
"""

_UNHEALTHY = """
UPDATE notify.subscriptions s
SET failures = s.failures + f.n, not_before = greatest(s.not_before, now() + f.rest)
FROM unnest($1::uuid[], $2::int[], $3::interval[]) AS f (subscription_id, n, rest)
WHERE s.subscription_id = f.subscription_id
RETURNING s.subscription_id, s.failures
"""

_REST = """
UPDATE notify.subscriptions SET not_before = greatest(not_before, now() + $2::interval) WHERE subscription_id = $1
"""


async def claim(
    connection: Any, in_hand: Mapping[UUID, int], per_endpoint: int, lease: UUID, lease_for: timedelta
) -> list[Claimed]:
    """Lease what is due, at most `per_endpoint` in hand for each subscription. One transaction by itself."""
    rows = await connection.fetch(_CLAIM, list(in_hand), list(in_hand.values()), per_endpoint, lease_for, lease)
    scopes: dict[UUID, Scope] = {}
    return [_claimed(row, lease, scopes) for row in rows]


def _claimed(row: Any, lease: UUID, scopes: dict[UUID, Scope]) -> Claimed:
    scope = scopes.get(row["subscription_id"])
    if scope is None:
        scope = scopes[row["subscription_id"]] = scope_from_json(orjson.loads(row["scope"]))
    # Visible as it was told and as it is now: a case that became more sensitive, or moved out of sight, since
    # is not told of any more.
    allowed = _sees(scope, row, "") and _sees(scope, row, "_now")
    return Claimed(
        subscription_id=row["subscription_id"],
        seq=row["seq"],
        lease=lease,
        event_id=row["event_id"],
        url=row["url"],
        body=row["body"],
        attempts=row["attempts"],
        created_at=row["created_at"],
        last_success_at=row["last_success_at"],
        secret=row["secret"],
        previous_secret=row["previous_secret"],
        allowed=allowed,
    )


def _sees(scope: Scope, row: Any, which: str) -> bool:
    return visible(
        scope,
        area_path=row[f"area_path{which}"],
        category=row[f"category{which}"],
        sensitivity=row[f"sensitivity{which}"],
        agencies=row[f"agencies{which}"],
    )


async def mark(connection: Any, marks: Sequence[Mark]) -> dict[UUID, int]:
    """Write down a batch; returns the failures in a row of each endpoint that failed in it.

    A row whose lease somebody else holds by now is left alone: it is sent again, with the same id.
    """
    async with connection.transaction():
        await connection.execute(
            _MARK,
            [m.claimed.subscription_id for m in marks],
            [m.claimed.seq for m in marks],
            [m.claimed.lease for m in marks],
            [m.state for m in marks],
            [m.status for m in marks],
            [m.latency_ms for m in marks],
            [m.error for m in marks],
            [m.wait or timedelta(0) for m in marks],
            [m.attempted for m in marks],
        )
        return await _note_health(connection, marks)


async def _note_health(connection: Any, marks: Sequence[Mark]) -> dict[UUID, int]:
    well = {m.claimed.subscription_id for m in marks if m.healthy is True}
    failed: dict[UUID, list[Mark]] = {}
    for m in marks:
        if m.healthy is False:
            failed.setdefault(m.claimed.subscription_id, []).append(m)
    if well:
        await connection.execute(_HEALTHY, sorted(well))
    ill = sorted(failed.keys() - well)
    if not ill:
        return {}
    rests = [max((m.rest for m in failed[each] if m.rest is not None), default=None) for each in ill]
    rows = await connection.fetch(_UNHEALTHY, ill, [len(failed[each]) for each in ill], rests)
    return {row["subscription_id"]: row["failures"] for row in rows}


async def rest(connection: Any, subscription_id: UUID, how_long: timedelta) -> None:
    """Leave a whole endpoint alone for a while."""
    await connection.execute(_REST, subscription_id, how_long)
