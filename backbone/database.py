"""Engines, transactions and the translation of driver errors.

`Session` is a Core connection inside ONE transaction that an entrypoint opened: handlers use it,
never commit it. Driver errors that a retry can heal become `Unavailable`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import orjson
import psycopg2
import uuid_utils
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.event import listen
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

Session = Connection
IDLE_S = 5.0  # a pooled connection older than this in the pool is asked before use

# Serialization, deadlock, lock wait, too many connections, shutdown, crash, starting up, cancelled.
_HEALABLE = {"40001", "40P01", "55P03", "53300", "57P01", "57P02", "57P03", "57014", "25006"}


class Unavailable(Exception):
    """The database cannot answer now; the same request may succeed later."""


def to_json(value: Any) -> str:
    """Compact JSON; UUIDs, datetimes and numpy numbers included."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z).decode()


def _plain(value: object) -> str:
    if isinstance(value, UUID):  # asyncpg's own kind of it
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def from_json(text: str | bytes) -> Any:
    return orjson.loads(text)


def new_id() -> UUID:
    """A UUIDv7: ordered by time, so that B-tree inserts stay at the right edge."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


STATEMENT_S = 18.0
IDLE_IN_TRANSACTION_S = 20.0
"""For so long a client that vanished without a word may hold locks; longer than a stop's fence."""


def engine(
    url: str,
    *,
    pool_size: int = 10,
    application_name: str = "pingan",
    lock_timeout_ms: int = 0,
    statement_s: float = STATEMENT_S,
    idle_in_transaction_s: float = IDLE_IN_TRANSACTION_S,
) -> Engine:
    """A psycopg2 engine for `postgresql://` addresses; dead pooled connections are noticed on use.

    With a lock timeout, who waits longer than it for a row is Unavailable; so is who needs longer for a statement,
    or says nothing inside a transaction for longer, than the other two allow.
    """
    limits = {
        "statement_timeout": round(statement_s * 1000),
        "idle_in_transaction_session_timeout": round(idle_in_transaction_s * 1000),
        "lock_timeout": lock_timeout_ms,
    }
    made = create_engine(
        url.replace("postgresql://", "postgresql+psycopg2://", 1),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=False,
        pool_use_lifo=True,
        json_serializer=to_json,
        json_deserializer=from_json,
        connect_args={
            "application_name": application_name,
            "connect_timeout": 5,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
            "options": " ".join(["-c timezone=UTC", *(f"-c {name}={value}" for name, value in limits.items())]),
        },
    )
    listen(made, "checkin", _stamp)
    listen(made, "checkout", _look_if_idle)
    return made


def _stamp(_connection: Any, record: Any) -> None:
    record.info["idle_since"] = time.monotonic()


def _look_if_idle(connection: Any, record: Any, _proxy: Any) -> None:
    """A connection that lay idle may have died with the server: ask before use, so that nobody meets a needless 503.

    Busy connections are not asked: a round trip for each transaction would be dear.
    """
    if time.monotonic() - record.info.get("idle_since", time.monotonic()) > IDLE_S:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            connection.rollback()
        except psycopg2.Error as error:
            raise DisconnectionError("an idle connection has died") from error


@contextmanager
def transaction(bind: Engine) -> Iterator[Session]:
    """One transaction: committed on exit, rolled back on any exception.

    Raises Unavailable for connection loss, deadlock, serialization failure and the like. A commit whose
    outcome is unknown is Unavailable too: the caller's idempotency key or inbox row makes the retry safe.
    """
    with driver_errors(bind), bind.begin() as session:
        yield session


@contextmanager
def driver_errors(bind: Engine | None = None) -> Iterator[None]:
    """Translate healable driver errors inside the block to Unavailable."""
    try:
        yield
    except PoolTimeout as error:
        raise Unavailable("no free database connection") from error
    except DBAPIError as error:
        if not healable(error):
            raise
        if error.connection_invalidated and bind is not None:
            # One lost connection of a pool usually means all: do not meet them one by one.
            bind.dispose(close=False)
        raise Unavailable(str(error.orig).strip().splitlines()[0] if str(error.orig) else "connection lost") from error


def healable(error: DBAPIError) -> bool:
    """Whether a retry of the whole transaction may succeed."""
    code = getattr(error.orig, "pgcode", None)
    if code is not None:
        return code in _HEALABLE or code.startswith("08")
    return error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError))
