"""From the journal to deliveries: each subscription has a cursor, and goes on where it stood.

New, resumed and replayed subscriptions take the same way. Subscriptions that stand at the same place share one
reading of the journal; matching is done here, set-based rows go back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson

from backbone.policy import visible
from contracts.scope import Scope
from services.notify.commands.subscribers import scope_from_json
from services.notify.domain.patterns import Filter

WINDOW = 1000
_MOST_SUBSCRIPTIONS = 500
_MOST_READINGS = 8

_BEHIND = """
SELECT h.seq AS head, s.subscription_id, s.cursor_seq, s.types, s.area_path, s.categories, r.scope
FROM notify.journal_head h
JOIN notify.subscriptions s ON s.cursor_seq < h.seq
JOIN notify.subscribers r USING (account_id)
WHERE s.status = 'active' AND r.active
ORDER BY s.cursor_seq DESC LIMIT $1 FOR UPDATE OF s SKIP LOCKED
"""

# Both ends of the queue: long replays must not hold back those who wait for what happened just now, nor the
# other way round.
_LAGGING = _BEHIND.replace("DESC", "ASC")

_READ = """
SELECT seq, event_id, routing_key, entity_id, area_path, category, sensitivity, agencies
FROM notify.journal WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3
"""

# A replay meets its old rows and starts them afresh; what is pending is on its way already.
_INSERT = """
INSERT INTO notify.deliveries (subscription_id, seq, event_id, entity_id, state, next_attempt_at)
SELECT subscription_id, seq, event_id, entity_id, 'pending', now()
FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[]) AS d (subscription_id, seq, event_id, entity_id)
ON CONFLICT (subscription_id, seq) DO UPDATE
SET state = 'pending', attempts = 0, next_attempt_at = now(), finished_at = NULL, leased_until = NULL
WHERE deliveries.state <> 'pending'
"""

_ADVANCE = "UPDATE notify.subscriptions SET cursor_seq = $2 WHERE subscription_id = ANY($1::uuid[])"


async def dispatch(connection: Any) -> bool:
    """One round in one transaction; True while there is more to do at once."""
    async with connection.transaction():
        rows = await connection.fetch(_BEHIND, _MOST_SUBSCRIPTIONS)
        if not rows:
            return False
        head = rows[0]["head"]
        if len(rows) == _MOST_SUBSCRIPTIONS:
            # This sees a later head maybe, and who began there: no cursor goes back to ours.
            lagging = await connection.fetch(_LAGGING, _MOST_SUBSCRIPTIONS)
            rows += [row for row in lagging if row["cursor_seq"] < head]
        groups: dict[int, dict[UUID, tuple[Filter, Scope]]] = {}
        for row in rows:
            groups.setdefault(row["cursor_seq"], {})[row["subscription_id"]] = _interest(row)
        more = len(groups) > _MOST_READINGS
        for cursor in _readings(sorted(groups)):
            window = await connection.fetch(_READ, cursor, head, WINDOW)
            full = len(window) == WINDOW
            more = more or full
            await _insert(connection, groups[cursor], window)
            await connection.execute(_ADVANCE, list(groups[cursor]), window[-1]["seq"] if full else head)
    return more


def _readings(cursors: Sequence[int]) -> Sequence[int]:
    """Half for the farthest, half for those most behind."""
    if len(cursors) <= _MOST_READINGS:
        return cursors
    half = _MOST_READINGS // 2
    return [*cursors[-half:], *cursors[:half]]


def _interest(row: Any) -> tuple[Filter, Scope]:
    categories = row["categories"]
    asked = Filter(
        types=tuple(row["types"]),
        area_path=row["area_path"],
        categories=None if categories is None else frozenset(categories),
    )
    return asked, scope_from_json(orjson.loads(row["scope"]))


async def _insert(connection: Any, subscriptions: dict[UUID, tuple[Filter, Scope]], window: Iterable[Any]) -> None:
    found = [
        (subscription_id, event["seq"], event["event_id"], event["entity_id"])
        for event in window
        for subscription_id, (asked, scope) in subscriptions.items()
        if concerns(asked, scope, event)
    ]
    if found:
        await connection.execute(_INSERT, *(list(column) for column in zip(*found, strict=True)))


def concerns(asked: Filter, scope: Scope, event: Any) -> bool:
    """Whether an event of the journal is asked for, and may be seen."""
    area_path, category = event["area_path"], event["category"]
    return asked.matches(routing_key=event["routing_key"], area_path=area_path, category=category) and visible(
        scope, area_path=area_path, category=category, sensitivity=event["sensitivity"], agencies=event["agencies"]
    )
