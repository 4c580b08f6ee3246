"""The visibility rule as a boolean and as a SQL predicate: PostgreSQL and Python must agree on every row."""

from __future__ import annotations

import random
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, Column, Integer, MetaData, Table, Text, Uuid, select, true

from backbone import policy, statements
from contracts.scope import Scope, Sensitivity
from tests.servers import Database

ROWS = Table(
    "policy_rows",
    MetaData(),
    Column("n", Integer),
    Column("area_path", Text(collation="C")),
    Column("category", Text),
    Column("sensitivity", Integer),
    Column("agencies", ARRAY(Uuid)),
)
COLUMNS = policy.Visibility(ROWS.c.area_path, ROWS.c.category, ROWS.c.sensitivity, ROWS.c.agencies)
AGENCIES = [UUID(int=n) for n in range(1, 5)]
PATHS = [
    "330499/",
    "330499/330499001/",
    "330499/330499001/330499001001/",
    "330499/330499001/330499001001/330499001001001/",
    "330499/330499001/330499001001/3304990010010011/",
    "330499/330499002/",
    "330499/33049900/",
    "330411/",
]


def _scopes(rng: random.Random, count: int) -> list[Scope]:
    return [
        Scope(
            areas=tuple(rng.sample(PATHS, rng.randint(0, 3))),
            categories=rng.choice(
                [None, frozenset(), frozenset({"fire"}), frozenset({"fire.exit_blocked", "traffic"})]
            ),
            ceiling=Sensitivity(rng.randint(0, 3)),
            agency_id=rng.choice([None, *AGENCIES]),
        )
        for _ in range(count)
    ] + [Scope.system("test")]


async def test_python_and_postgresql_agree_on_who_sees_what(database: Database) -> None:
    rng = random.Random(20260101)
    rows = [
        (
            n,
            rng.choice(PATHS),
            rng.choice([None, "fire", "fire.exit_blocked", "fire_engine.x", "traffic", "labour.wages"]),
            rng.randint(0, 3),
            rng.sample(AGENCIES, rng.randint(0, 2)),
        )
        for n in range(400)
    ]
    connection = await asyncpg.connect(database.url("admin"))
    try:
        await connection.execute(
            'CREATE TABLE policy_rows (n int, area_path text COLLATE "C", category text, '
            "sensitivity int, agencies uuid[])"
        )
        await connection.copy_records_to_table("policy_rows", records=rows)
        seen_by_somebody = 0
        for scope in _scopes(rng, 300):
            question = statements.Query(
                ("test_policy", policy.shape(scope)),
                lambda scope=scope: select(ROWS.c.n).where(policy.predicate(scope, COLUMNS), true()),
                policy.parameters(scope),
            )
            sql, arguments = statements.compiled(question)
            by_database = {record["n"] for record in await connection.fetch(sql, *arguments)}
            by_python = {
                n
                for n, path, category, sensitivity, agencies in rows
                if policy.visible(scope, area_path=path, category=category, sensitivity=sensitivity, agencies=agencies)
            }
            assert by_database == by_python, scope
            seen_by_somebody += len(by_python)
        assert seen_by_somebody > 1000
    finally:
        await connection.close()
