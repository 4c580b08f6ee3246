"""A server that restarted while a service was idle: the next transaction succeeds, nobody is told to come again."""

from __future__ import annotations

import contextlib

import psycopg2
import pytest
from sqlalchemy import text

from backbone import database as backbone_database
from backbone.database import engine, transaction
from tests.servers import Database


def test_the_first_transaction_after_the_server_dropped_idle_connections_succeeds(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backbone_database, "IDLE_S", 0.0)
    pool = engine(database.url("hazards_app"), pool_size=3)
    with contextlib.ExitStack() as stack:
        pids = [stack.enter_context(transaction(pool)).execute(text("SELECT pg_backend_pid()")).scalar() for _ in "abc"]
    with contextlib.closing(psycopg2.connect(database.url("admin"))) as admin, admin.cursor() as cursor:
        cursor.execute("SELECT count(pg_terminate_backend(pid)) FROM unnest(%s) AS pid", (pids,))
    for _ in range(3):
        with transaction(pool) as session:
            assert session.execute(text("SELECT pg_backend_pid()")).scalar() not in pids
    pool.dispose()
