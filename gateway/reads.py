"""Running the services' queries: one asyncpg pool per schema under its read-only role.

The JSON that PostgreSQL built goes out as it came. A read that meets a dead connection is tried once
more; after that the caller hears 503 with Retry-After. Personal data is read inside a transaction that
carries the scope for the row policies, after its audit row is committed (`personal.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
from starlette.responses import Response

from backbone import telemetry
from backbone.statements import Query, compiled
from gateway import cursors
from gateway.problems import Problem, unavailable

log = telemetry.logger(__name__)
_ACQUIRE_S, _COMMAND_S = 3.0, 10.0
# Lost or refused connections, shutdown, too many connections, statement timeouts, a plan that went stale.
_GONE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that died while it was idle
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.InvalidAuthorizationSpecificationError,
)


@asynccontextmanager
async def outage_is_503(schema: str) -> AsyncIterator[None]:
    """Turns the driver's outage errors into 503, and a value that no column can hold into 422."""
    try:
        yield
    except asyncpg.DataError as error:
        # A number or a time beyond the column's range: only a caller's own value, or cursor, comes that far.
        log.warning("a value was out of range", schema=schema, error=str(error))
        raise Problem("invalid_request", "A value is out of range.", zh="取值超出范围") from None
    except _GONE as error:
        raise unavailable(f"database {schema}") from error


class Database:
    """The pool of one schema and role; connects when first used, so the gateway starts without it."""

    def __init__(self, schema: str, url: str, size: int) -> None:
        self.schema, self._url, self._size = schema, url, size
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    async def pool(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=0,
                    max_size=self._size,
                    command_timeout=_COMMAND_S,
                    max_inactive_connection_lifetime=300,
                    timeout=5,
                    server_settings={"application_name": "gateway", "timezone": "UTC"},
                    reset=_left_as_it_is,
                )
        return self._pool

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        pool = await self.pool()
        async with pool.acquire(timeout=_ACQUIRE_S) as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """A connection inside one transaction; outages are 503."""
        async with outage_is_503(self.schema), self.connection() as connection, connection.transaction():
            yield connection

    async def fetch(self, sql: str, *arguments: Any, plan_anew: bool = False) -> list[Any]:
        """Rows of a read; tried twice, so that a restarted database costs callers nothing."""
        async with outage_is_503(self.schema):
            try:
                async with self.connection() as connection:
                    return await _fetched(connection, sql, arguments, plan_anew)
            except _GONE:
                # One dead connection of a pool usually means all: do not meet them one by one.
                await (await self.pool()).expire_connections()
                async with self.connection() as connection:
                    return await _fetched(connection, sql, arguments, plan_anew)

    async def close(self) -> None:
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), 5)
            except TimeoutError:
                self._pool.terminate()


async def _left_as_it_is(_connection: Any) -> None:
    """Instead of the driver's four statements, a second way to the database and back after every read.

    Nobody here changes a session: settings are LOCAL to a transaction, and an open one is rolled back all the same.
    """


async def _fetched(connection: Any, sql: str, arguments: Sequence[Any], plan_anew: bool) -> list[Any]:
    if not plan_anew:
        return list(await connection.fetch(sql, *arguments))
    async with connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        return list(await connection.fetch(sql, *arguments))


class Reads:
    """Reads of the services, by their own queries."""

    def __init__(self, databases: dict[str, Database]) -> None:
        self.databases = databases

    async def rows(self, service: str, query: Query) -> list[Any]:
        sql, arguments = compiled(query)
        return await self.databases[service].fetch(sql, *arguments, plan_anew=query.plan_anew)

    async def row(self, service: str, query: Query) -> Any:
        """The one row, or Problem not_found: absent and invisible are the same."""
        rows = await self.rows(service, query)
        if not rows:
            raise Problem("not_found")
        return rows[0]

    async def rows_under_policy(self, service: str, settings: Mapping[str, str], query: Query) -> list[Any]:
        """Rows guarded by row policies: `settings` (the scope) travel as SET LOCAL in the same transaction."""
        sql, arguments = compiled(query)
        async with self.databases[service].transaction() as connection:
            for name, value in settings.items():
                await connection.execute("SELECT set_config($1, $2, true)", name, value)
            return list(await connection.fetch(sql, *arguments))

    async def page(
        self,
        service: str,
        query: Callable[..., Query],
        *,
        kind: str,
        types: str,
        limit: int,
        after: str | None,
    ) -> Response:
        """One page `{"items": [...], "next": cursor | null}` of a service's list; `query` lacks only `after`, `limit`.

        types: the keyset's tags as `cursors.decode` names them.
        """
        rows = await self.rows(service, query(after=cursors.decode(kind, after, types), limit=limit + 1))
        return page(rows, kind=kind, limit=limit)

    async def close(self) -> None:
        await asyncio.gather(*(database.close() for database in self.databases.values()))


def page(rows: Sequence[Any], *, kind: str, limit: int) -> Response:
    """The answer for `limit + 1` fetched rows with columns body, cursor_1, cursor_2 ..."""
    more, rows = len(rows) > limit, rows[:limit]
    following = cursors.encode(kind, tuple(rows[-1])[1:]) if more else None
    items = ",".join(row[0] for row in rows)
    return raw_json(f'{{"items":[{items}],"next":{orjson.dumps(following).decode()}}}'.encode())


def raw_json(body: bytes | str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A response of ready JSON."""
    return Response(body, status, headers=headers, media_type="application/json")


def single(row: Any) -> Response:
    """The answer for one entity: its body, and its version as ETag where it has one."""
    version = row["version"] if "version" in row.keys() else orjson.loads(row["body"]).get("version")  # noqa: SIM118 - a Record is not a dict
    return raw_json(row["body"], headers=etag(version))


def etag(version: int | None) -> dict[str, str]:
    """The header that a later If-Match repeats."""
    return {} if version is None else {"ETag": f'"{version}"'}
