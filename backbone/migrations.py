"""Alembic per schema, run as its owner role: one at a time, with lock and statement timeouts.

Files are `versions/NNNN_{expand|contract}_what.py`: an expand step works with the code that is running,
a contract step comes a release later.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

_ROOT = Path(__file__).resolve().parent.parent
_LOCK = 7_305_811  # one number for all schemas of a cluster: migrations never run side by side


def location(service: str) -> Path:
    """The folder of a schema's migrations."""
    return _ROOT / ("gateway/access" if service == "access" else f"services/{service}") / "migrations"


def upgrade(service: str, owner_url: str, revision: str = "head") -> None:
    """Bring one schema to `revision`. Raises whatever the migration raises; nothing is half-done."""
    config = Config()
    config.set_main_option("script_location", str(location(service)).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    engine = create_engine(
        owner_url.replace("postgresql://", "postgresql+psycopg2://", 1),
        poolclass=NullPool,
        connect_args={"options": "-c lock_timeout=5s -c statement_timeout=600s -c timezone=UTC"},
    )
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        connection.commit()
        try:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
            connection.commit()
    engine.dispose()


def run_env(service: str) -> None:
    """What every migrations/env.py calls."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, version_table_schema=service, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
