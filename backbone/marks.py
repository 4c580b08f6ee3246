"""What the relays' guard has to remember in each service's database, as rows of `tasks`; any leader finds them there.

| name | last_run_at |
|---|---|
| `relay.good` | when the broker was last compared and whole |
| `relay.empty:<queue>` | when the queue was last seen empty |
| `relay.redrive:<queue>` | what was confirmed since then goes to the queue again |
| `relay.overfull:<queue>` | the queue is unbound for its length; what was confirmed since then has still to come |
| `relay.wanted:<queue>:<entity id>:<from>-<to>` | when the consumer asked for these versions again |

Times are of the database that holds the row.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from backbone.database import Session

GOOD, EMPTY, REDRIVE, OVERFULL, WANTED = (
    "relay.good",
    "relay.empty:",
    "relay.redrive:",
    "relay.overfull:",
    "relay.wanted:",
)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

_NOTE = """
INSERT INTO tasks (name, last_run_at) SELECT n, $2 FROM unnest($1::text[]) n
ON CONFLICT (name) DO UPDATE SET last_run_at = excluded.last_run_at
"""
_NOT_AFTER = """
INSERT INTO tasks (name, last_run_at) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET last_run_at = least(tasks.last_run_at, excluded.last_run_at)
"""
_ASK = text("""
INSERT INTO tasks (name, last_run_at) SELECT n, now() FROM unnest(CAST(:names AS text[])) n
ON CONFLICT (name) DO UPDATE SET last_run_at = excluded.last_run_at
""")


@dataclass(frozen=True, slots=True)
class Span:
    """Versions `first` to `last`, both included, of one entity."""

    entity_id: UUID
    first: int
    last: int


def ask(session: Session, queue: str, spans: Iterable[Span]) -> None:
    """Ask the relay, in the caller's transaction, to send these versions to this queue once more."""
    names = [f"{WANTED}{queue}:{span.entity_id}:{span.first}-{span.last}" for span in spans]
    if names:
        session.execute(_ASK, {"names": names})


def wanted(name: str) -> tuple[str, Span]:
    """The queue and the versions that a `relay.wanted:` row names."""
    queue, entity, versions = name.removeprefix(WANTED).rsplit(":", 2)
    first, _, last = versions.partition("-")
    return queue, Span(UUID(entity), int(first), int(last))


async def note(database: Any, names: list[str], at: datetime.datetime) -> None:
    await database.execute(_NOTE, names, at)


async def note_not_after(database: Any, name: str, at: datetime.datetime) -> None:
    """Sets a mark, or moves it back to `at` when it is later."""
    await database.execute(_NOT_AFTER, name, at)


async def forget(database: Any, *names: str) -> None:
    await database.execute("DELETE FROM tasks WHERE name = ANY($1::text[])", list(names))


async def read(database: Any, prefix: str) -> Mapping[str, datetime.datetime]:
    """The marks whose name begins so, by the rest of the name."""
    rows = await database.fetch("SELECT name, last_run_at FROM tasks WHERE starts_with(name, $1)", prefix)
    return {row["name"].removeprefix(prefix): row["last_run_at"] for row in rows}


async def read_one(database: Any, name: str) -> datetime.datetime | None:
    at: datetime.datetime | None = await database.fetchval("SELECT last_run_at FROM tasks WHERE name = $1", name)
    return at
