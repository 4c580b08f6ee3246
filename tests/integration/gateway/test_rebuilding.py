"""Every consumer can be built anew: queue purged, projection emptied, rebuilt by the shell, equal row by row."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import httpx
import psycopg2
import pytest

from backbone import topology
from backbone.broker import connect, drop
from tests.integration.gateway.platform import EAST, ROOT, TOWN, WEST, WEST_GRID, Platform, report, wait_for

pytestmark = pytest.mark.timeout(240)  # whoever comes first starts the platform, on a busy machine
WITHIN_S = 60


@dataclass(frozen=True)
class Projection:
    """What a consumer keeps of others' facts, and how the shell builds it anew.

    tables: name -> columns that say when or in which order a row came, not what it says.
    """

    service: str
    tables: dict[str, tuple[str, ...]]
    rebuild: list[str] = field(default_factory=list)


def announced(queue: str, *entities: str) -> list[str]:
    return [f"events announce grid {entity} --to {queue}" for entity in entities]


PROJECTIONS = {
    "hazards.on-areas": Projection(
        "hazards",
        {"areas": (), "boundaries": ("published_at",)},
        announced("hazards.on-areas", "area", "boundary"),
    ),
    "hazards.on-agencies": Projection(
        "hazards",
        {"agencies": (), "jurisdictions": ()},
        announced("hazards.on-agencies", "agency", "jurisdiction"),
    ),
    "patrol.on-areas": Projection(
        "patrol",
        {"areas": (), "boundaries": ("published_at",)},
        announced("patrol.on-areas", "area", "boundary"),
    ),
    "patrol.on-agencies": Projection("patrol", {"agencies": ()}, announced("patrol.on-agencies", "agency")),
    "notify.on-everything": Projection(
        "notify",
        {"journal": ("seq", "journaled_at"), "journal_gaps": ("seen_seq", "found_at", "filled_at")},
        ["events redrive --consumer notify.on-everything --since 2020-01-01T00:00:00Z --anew"],
    ),
}
"""For every queue of events what it feeds. A new consumer says here how it is built anew."""

QUEUES = sorted(queue.name for queue in topology.queues() if queue.exchange == topology.EVENTS)


def test_every_consumer_says_how_it_is_built_anew() -> None:
    assert sorted(PROJECTIONS) == QUEUES


@contextmanager
def database(platform: Platform) -> Iterator[Any]:
    connection = psycopg2.connect(platform.settings["TEST_ADMIN_DATABASE_URL"])
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def rows(platform: Platform, projection: Projection) -> dict[str, list[str]]:
    """Every row of every table as text, in an order of its own."""
    found = {}
    with database(platform) as cursor:
        for table, besides in projection.tables.items():
            cursor.execute(
                f"SELECT (to_jsonb(t) - %s::text[])::text AS row FROM {projection.service}.{table} t ORDER BY row",
                (list(besides),),
            )
            found[table] = [row for (row,) in cursor.fetchall()]
    return found


def quiet(platform: Platform) -> bool:
    """Nothing is on its way any more."""
    with database(platform) as cursor:
        for service in ("grid", "hazards", "patrol", "notify"):
            cursor.execute(
                f"SELECT (SELECT count(*) FROM {service}.outbox WHERE published_at IS NULL)"
                f" + (SELECT count(*) FROM {service}.inbox WHERE status <> 'done')"
            )
            if cursor.fetchone() != (0,):
                return False
        # The journal hears everything: what has come there has been confirmed, and the others had it then too.
        cursor.execute("SELECT seq FROM notify.journal_head")
        (head,) = cursor.fetchone()
        cursor.execute("SELECT count(*) FROM notify.journal")
        (events,) = cursor.fetchone()
        sent = "SELECT sum(n) FROM ("
        sent += " UNION ALL ".join(
            f"SELECT count(*) AS n FROM {service}.outbox WHERE target IS NULL"
            for service in ("grid", "hazards", "patrol", "notify")
        )
        cursor.execute(f"{sent}) AS each")
        return bool(head and cursor.fetchone() == (events,))


def shell(platform: Platform, words: str) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PINGAN_")}
    environment |= {key: value for key, value in platform.settings.items() if value}
    done = subprocess.run(
        [sys.executable, "-m", "cli", *words.split()],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def purge(platform: Platform, queue: str) -> None:
    connection = connect(platform.settings["PINGAN_BROKER_URL"])
    try:
        connection.channel().queue_purge(queue)
    finally:
        drop(connection)


def put(client: httpx.Client, path: str, **body: Any) -> None:
    client.put(path, json=body).raise_for_status()


@pytest.fixture(scope="module")
def county(platform: Platform) -> Platform:
    """Facts of every kind, some of them changed since; and nothing on its way."""
    with platform.client("admin") as admin, platform.client("west") as west, platform.client("east") as east:
        for n in range(4):
            agency = uuid5(NAMESPACE_URL, f"rebuilt agency {n}")
            for change in range(1 + n % 3):
                put(
                    admin,
                    f"/v1/agencies/{agency}",
                    code=f"police_station.n{n}",
                    name=f"所{n}-{change}",
                    kind="police_station",
                    area_path=TOWN if change % 2 else WEST_GRID,
                    active=n != 3,
                )
            put(
                admin,
                f"/v1/jurisdictions/{uuid5(NAMESPACE_URL, f'rebuilt jurisdiction {n}')}",
                agency_id=str(agency),
                area_path=TOWN,
                category="security",
                active=n != 2,
            )
        put(admin, f"/v1/patrol/units/{_unit()}", call_sign="甲", kind="foot", agency_id=str(_agency()), area_path=TOWN)
        for at, client in ((WEST, west), (EAST, east), (WEST, west)):
            client.post("/v1/cases", json=report(at)).raise_for_status()
    wait_for(lambda: quiet(platform), WITHIN_S)
    return platform


def _agency() -> UUID:
    return uuid5(NAMESPACE_URL, "rebuilt agency 1")


def _unit() -> UUID:
    return uuid5(NAMESPACE_URL, "rebuilt unit")


@pytest.mark.parametrize("queue", QUEUES)
def test_a_consumer_built_anew_is_what_it_was(county: Platform, queue: str) -> None:
    projection = PROJECTIONS[queue]
    before = rows(county, projection)
    assert all(before[table] for table in projection.tables if table != "journal_gaps"), (
        "nothing to lose, nothing shown"
    )
    purge(county, queue)
    with database(county) as cursor:
        for table in projection.tables:
            cursor.execute(f"DELETE FROM {projection.service}.{table}")
    assert not any(rows(county, projection).values())
    others = {name: rows(county, each) for name, each in PROJECTIONS.items() if name != queue}
    for words in projection.rebuild:
        shell(county, words)
    wait_for(lambda: rows(county, projection) == before, WITHIN_S)
    wait_for(lambda: quiet(county), WITHIN_S)
    assert rows(county, projection) == before
    assert {name: rows(county, PROJECTIONS[name]) for name in others} == others, "nobody else hears of it"


def test_events_sent_again_change_nothing_where_they_were_applied(county: Platform) -> None:
    queue = "notify.on-everything"
    before = rows(county, PROJECTIONS[queue])
    said = shell(county, f"events redrive --consumer {queue} --since 2020-01-01T00:00:00Z")
    sent = events_in(said)
    assert sent == len(before["journal"])
    only = "county.grid.agency.changed.v1"
    said = shell(county, f"events redrive --consumer {queue} --since 2020-01-01T00:00:00Z --type {only}")
    assert events_in(said) == sum(only in row for row in before["journal"])
    wait_for(lambda: _length(county, queue) == 0, WITHIN_S)
    assert rows(county, PROJECTIONS[queue]) == before


def events_in(said: str) -> int:
    """`sent 12 events again to ...`"""
    return int(said.splitlines()[-1].split()[1])


def _length(platform: Platform, queue: str) -> int:
    connection = connect(platform.settings["PINGAN_BROKER_URL"])
    try:
        return int(connection.channel().queue_declare(queue, passive=True).message_count)
    finally:
        drop(connection)


def test_states_are_not_announced_to_a_consumer_that_keeps_every_event(county: Platform) -> None:
    for service, entity in (("grid", "agency"), ("hazards", "case"), ("patrol", "shift")):
        with pytest.raises(AssertionError, match="events redrive"):
            shell(county, f"events announce {service} {entity} --to notify.on-everything")


@pytest.mark.parametrize(
    "words",
    [
        "--consumer hazards.commands --since 2026-01-01",
        "--consumer nobody.on-areas --since 2026-01-01",
        "--consumer hazards.on-areas --since 2026-01-01 --type county.grid.agency.changed.v9",
        "--consumer hazards.on-areas --since yesterday",
        "--consumer hazards.on-areas",
    ],
)
def test_a_redrive_that_means_nothing_is_refused(county: Platform, words: str) -> None:
    with pytest.raises(AssertionError, match="Usage"):
        shell(county, f"events redrive {words}")


def test_a_new_consumer_must_say_how_it_is_built_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topology, "CONSUMERS", {**topology.CONSUMERS, ("patrol", "cases"): ("hazards.case.#",)})
    queues = sorted(queue.name for queue in topology.queues() if queue.exchange == topology.EVENTS)
    assert "patrol.on-cases" in queues
    assert sorted(PROJECTIONS) != queues
