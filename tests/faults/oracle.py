"""The oracle of the fault tests: what was committed against what was applied, counted by the database itself.

Instrumentation of a test database, laid by its superuser in a schema of its own and taken away with it; the
product knows nothing of it. As in RabbitMQ's Jepsen total-queue test:

- `oracle.sent`: a trigger on each service's outbox logs every event id in the business transaction.
- `oracle.applied`: triggers BEFORE INSERT on what consumers write. They fire for every row a handler proposes, also
  for one that a unique key or ON CONFLICT then hides, and the table has no key: a second application shows although
  the journal's own key would swallow it. A transaction that is rolled back takes its lines with it.

lost = sent - applied; twice = applied more than once; inversion = an entity's version going down. A projection keeps
the newest state of a batch: a version of it is lost when neither it nor a newer one was applied, or when the
consumer's inbox never took the event.

`oracle.claimed`: a trigger on each inbox notes what consumers claim, also what they knew already: an event that came
again after it was applied shows here, although the inbox drops it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg2

JOURNAL, HAZARDS, PATROL = "notify.on-everything", "hazards.on-agencies", "patrol.on-agencies"
CONSUMERS = frozenset({JOURNAL, HAZARDS, PATROL})

# consumer -> the table it writes, and which columns name the event, the entity and its version
EFFECTS = (
    (JOURNAL, "notify.journal", "event_id", "entity_id", "entity_version"),
    (HAZARDS, "hazards.agencies", "", "id", "version"),
    (HAZARDS, "hazards.jurisdictions", "", "id", "version"),
    (PATROL, "patrol.agencies", "", "id", "version"),
)
INBOXES = ("hazards", "patrol", "notify")
OUTBOXES = ("grid", "hazards", "patrol", "notify")

_INSTALL = """
DROP SCHEMA IF EXISTS oracle CASCADE;
CREATE SCHEMA oracle;
CREATE TABLE oracle.sent (n bigserial, service text, event_id uuid, entity text, entity_id uuid, version bigint,
                          target text);
CREATE TABLE oracle.applied (n bigserial, consumer text, key text, entity_id uuid, version bigint,
                             at timestamptz DEFAULT clock_timestamp());
CREATE TABLE oracle.claimed (consumer text, event_id uuid);
CREATE FUNCTION oracle.note_claimed() RETURNS trigger
SECURITY DEFINER SET search_path = pg_catalog LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO oracle.claimed VALUES (NEW.consumer, NEW.event_id);
    RETURN NEW;
END $$;
CREATE FUNCTION oracle.note_sent() RETURNS trigger
SECURITY DEFINER SET search_path = pg_catalog LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO oracle.sent (service, event_id, entity, entity_id, version, target)
    VALUES (TG_TABLE_SCHEMA, NEW.id, NEW.entity, NEW.entity_id, NEW.entity_version, NEW.target);
    RETURN NULL;
END $$;
-- arguments: consumer, and the columns with event id (may be empty), entity id and version
CREATE FUNCTION oracle.note_applied() RETURNS trigger
SECURITY DEFINER SET search_path = pg_catalog LANGUAGE plpgsql AS $$
DECLARE
    proposed jsonb := to_jsonb(NEW);
    entity text := proposed ->> TG_ARGV[2];
    version text := proposed ->> TG_ARGV[3];
BEGIN
    INSERT INTO oracle.applied (consumer, key, entity_id, version)
    VALUES (TG_ARGV[0], coalesce(proposed ->> TG_ARGV[1], entity || ':' || version), entity::uuid, version::bigint);
    RETURN NEW;
END $$;
-- what each consumer has to apply once: Announce's repeats (target) are not among it
CREATE VIEW oracle.expected AS
    SELECT 'notify.on-everything' AS consumer, event_id, event_id::text AS key, entity_id, version
    FROM oracle.sent WHERE target IS NULL
    UNION ALL
    SELECT consumer, event_id, entity_id || ':' || version, entity_id, version FROM oracle.sent
    JOIN (VALUES ('hazards.on-agencies', 'agency'), ('hazards.on-agencies', 'jurisdiction'),
                 ('patrol.on-agencies', 'agency')) AS hears (consumer, entity) USING (entity)
    WHERE service = 'grid' AND target IS NULL;
CREATE VIEW oracle.taken AS
    SELECT consumer, event_id FROM hazards.inbox UNION ALL SELECT consumer, event_id FROM patrol.inbox;
CREATE INDEX ON oracle.applied (key, consumer);
CREATE INDEX ON oracle.applied (entity_id, consumer, version);
"""
_ON_OUTBOX = "CREATE TRIGGER oracle_sent AFTER INSERT ON {0}.outbox FOR EACH ROW EXECUTE FUNCTION oracle.note_sent()"
_ON_INBOX = (
    "CREATE TRIGGER oracle_claimed BEFORE INSERT ON {0}.inbox FOR EACH ROW EXECUTE FUNCTION oracle.note_claimed()"
)
_ON_EFFECT = (
    "CREATE TRIGGER oracle_applied BEFORE INSERT ON {1} FOR EACH ROW "
    "EXECUTE FUNCTION oracle.note_applied('{0}', '{2}', '{3}', '{4}')"
)
_LOST = """
SELECT e.consumer, e.key, e.entity_id::text FROM oracle.expected e
WHERE e.consumer = 'notify.on-everything'
  AND NOT EXISTS (SELECT 1 FROM oracle.applied a WHERE (a.key, a.consumer) = (e.key, e.consumer))
UNION ALL
SELECT e.consumer, e.key, e.entity_id::text FROM oracle.expected e
WHERE e.consumer <> 'notify.on-everything'
  AND NOT (EXISTS (SELECT 1 FROM oracle.applied a
                   WHERE (a.entity_id, a.consumer) = (e.entity_id, e.consumer) AND a.version >= e.version)
           AND EXISTS (SELECT 1 FROM oracle.taken t WHERE (t.event_id, t.consumer) = (e.event_id, e.consumer)))
"""
_TWICE = "SELECT consumer, key, count(*) FROM oracle.applied GROUP BY consumer, key HAVING count(*) > 1"
_INVERSIONS = """
SELECT consumer, entity_id::text, before, version FROM (
    SELECT consumer, entity_id, version, lag(version) OVER (PARTITION BY consumer, entity_id ORDER BY n) AS before
    FROM oracle.applied) AS steps
WHERE before > version
"""


@dataclass(frozen=True)
class Verdict:
    """What the oracle found; each entry names the consumer and what it lost, repeated or turned round."""

    sent: int
    applied: int
    lost: list[tuple[Any, ...]]
    twice: list[tuple[Any, ...]]
    inversions: list[tuple[Any, ...]]

    @property
    def counts(self) -> tuple[int, int, int]:
        return len(self.lost), len(self.twice), len(self.inversions)

    def __str__(self) -> str:
        counts = "lost {}, twice {}, inversions {}".format(*self.counts)
        return f"{counts} ({self.sent} events sent, {self.applied} effects)"


class Oracle:
    """The oracle of one database, asked over a new connection each time: the server may just have been killed."""

    def __init__(self, admin_url: str) -> None:
        self._url = admin_url

    def query(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Rows of a statement as superuser; raises psycopg2.OperationalError while the server is away."""
        with contextlib.closing(psycopg2.connect(self._url, connect_timeout=5)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                return list(cursor.fetchall()) if cursor.description else []

    def install(self) -> None:
        """In one transaction: what is sent from then on is watched, and so is every effect of it."""
        triggers = [_ON_OUTBOX.format(service) for service in OUTBOXES]
        triggers += [_ON_INBOX.format(service) for service in INBOXES]
        triggers += [_ON_EFFECT.format(*effect) for effect in EFFECTS]
        self._settle("; ".join([_INSTALL, *triggers]))

    def remove(self) -> None:
        """Takes it away, also when a failed test left the server just killed: not to hide what failed."""
        self._settle("DROP SCHEMA IF EXISTS oracle CASCADE")

    def _settle(self, statements: str) -> None:
        """Tried again after a deadlock with what the platform does meanwhile, or while the server is away."""
        for left in reversed(range(30)):
            try:
                self.query(statements)
                return
            except psycopg2.OperationalError:
                if not left:
                    raise
                time.sleep(1)

    def came_again(self) -> list[tuple[Any, ...]]:
        """Consumer, event and times of what came again after it was taken: acked too late, or published twice."""
        return self.query(
            "SELECT consumer, event_id::text, count(*) FROM oracle.claimed GROUP BY 1, 2 HAVING count(*) > 1"
        )

    def consumers_since(self, moment: float) -> set[str]:
        """Who has applied something since that Unix time; nobody while the server is away."""
        try:
            rows = self.query("SELECT DISTINCT consumer FROM oracle.applied WHERE at > to_timestamp(%s)", moment)
        except psycopg2.OperationalError:
            return set()
        return {consumer for (consumer,) in rows}

    def versions(self) -> str:
        server, postgis = self.query("SELECT current_setting('server_version'), postgis_lib_version()")[0]
        return f"PostgreSQL {server}, PostGIS {postgis}"

    def verdict(self) -> Verdict:
        sent, applied = (self.query(f"SELECT count(*) FROM oracle.{table}")[0][0] for table in ("sent", "applied"))
        return Verdict(sent, applied, self.query(_LOST), self.query(_TWICE), self.query(_INVERSIONS))

    def settled_verdict(self, within_s: float) -> Verdict:
        """The verdict as soon as nothing is missing, at the latest then.

        Services go on speaking for themselves, as when an alarm is cleared: an event sent between `is_drained` and
        the verdict is not lost but on its way. What came twice or turned round stays so, and is not waited away.
        """
        end = time.monotonic() + within_s
        while (verdict := self.verdict()).lost and time.monotonic() < end:
            time.sleep(0.2)
        return verdict

    def is_drained(self) -> bool:
        """Every outbox is published and every committed event applied; False also while the server is away."""
        unpublished = " + ".join(
            f"(SELECT count(*) FROM {service}.outbox WHERE published_at IS NULL)" for service in OUTBOXES
        )
        try:
            return self.query(f"SELECT {unpublished}") == [(0,)] and not self.query(_LOST)
        except psycopg2.OperationalError:
            return False


@contextlib.contextmanager
def watching(admin_url: str) -> Iterator[Oracle]:
    """The oracle of this database, installed for the time of the block."""
    oracle = Oracle(admin_url)
    oracle.install()
    try:
        yield oracle
    finally:
        oracle.remove()
