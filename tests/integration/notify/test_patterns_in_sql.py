"""The SQL form of patterns, filters and scope agrees with the Python one, on the database that runs it."""

import random
from typing import Any

import asyncpg
from sqlalchemy import Column, Text, create_engine, literal, select
from sqlalchemy.pool import NullPool

from backbone import database as db
from backbone.statements import compiled
from contracts.scope import Scope, Sensitivity
from services.notify import queries, reactions
from services.notify.domain.patterns import Filter, matches
from services.notify.sender.dispatch import concerns
from tests.integration.notify.conftest import COUNTY, OTHER_TOWN, TOWN, case_event
from tests.unit.notify.test_patterns import KEYS

WORDS = ["hazards", "grid", "case", "area", "reported", "closed", "handling", "handling_started", "case_x", "%", "_"]


def _pattern(rng: random.Random) -> str:
    if rng.random() < 0.3:
        return rng.choice(["*", rng.choice(KEYS)])
    words = rng.choice(KEYS).split(".") if rng.random() < 0.5 else rng.choices(WORDS, k=3)
    return ".".join(words[: rng.randint(1, 3)]) + rng.choice(["", ".*"])


def test_a_pattern_in_sql_matches_what_it_matches_in_python(settings_env: dict[str, str]) -> None:
    rng = random.Random(7)
    url = settings_env["PINGAN_NOTIFY_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://")
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        for _ in range(600):
            asked = [_pattern(rng) for _ in range(rng.randint(1, 3))]
            key = rng.choice(KEYS) if rng.random() < 0.7 else ".".join(rng.choices(WORDS, k=3))
            event = select(literal(key, Text).label("routing_key")).subquery()
            statement = select(Column("routing_key")).select_from(event)
            found = connection.execute(
                statement.where(queries.type_matches(event.c.routing_key, literal(asked, queries.ARRAY(Text))))
            )
            expected = any(matches(pattern, key) for pattern in asked)
            assert bool(found.all()) is expected, (asked, key)


async def test_a_page_shows_what_a_webhook_with_the_same_filter_and_scope_would_get(
    settings_env: dict[str, str],
) -> None:
    rng = random.Random(11)
    engine = db.engine(settings_env["PINGAN_NOTIFY_DATABASE_URL"], pool_size=1)
    agencies = [db.new_id() for _ in range(3)]
    places = [COUNTY, TOWN, OTHER_TOWN, f"{TOWN}330499101201/", "330498/"]
    categories = ["fire.exit", "gas.leak", "flood.house"]
    wanted = [*categories, "fire", "fire.e", "gas", "%", "flood_house"]
    facts = ["reported", "closed", "handling_started"]
    events = [
        case_event(
            fact=rng.choice(facts),
            area_path=rng.choice(places),
            category=rng.choice(categories),
            sensitivity=rng.randint(0, 3),
            lead=rng.choice([None, *agencies]),
        )
        for _ in range(200)
    ]
    with db.transaction(engine) as session:
        reactions.record(session, events)
    engine.dispose()
    connection = await asyncpg.connect(settings_env["PINGAN_NOTIFY_READ_DATABASE_URL"])
    journaled = await connection.fetch("SELECT * FROM notify.journal ORDER BY seq")
    for _ in range(150):
        scope = Scope(
            areas=tuple(rng.sample(places, rng.randint(0, 2))),
            categories=None if rng.random() < 0.5 else frozenset(rng.sample(categories, rng.randint(0, 2))),
            ceiling=Sensitivity(rng.randint(0, 3)),
            agency_id=rng.choice([None, *agencies]),
        )
        asked = Filter(
            tuple(_pattern(rng) for _ in range(rng.randint(1, 3))),
            rng.choice([None, *places]),
            None if rng.random() < 0.5 else frozenset(rng.sample(wanted, rng.randint(1, 2))),
        )
        more: dict[str, Any] = {"types": asked.types, "area": asked.area_path, "limit": 1000}
        if asked.categories is not None:
            more["categories"] = tuple(asked.categories)
        sql, values = compiled(queries.journal_page(scope, **more))
        page = [row["cursor_1"] for row in await connection.fetch(sql, *values)]
        assert page == [row["seq"] for row in journaled if concerns(asked, scope, row)], (scope, asked)
    await connection.close()
