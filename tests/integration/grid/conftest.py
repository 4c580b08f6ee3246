"""grid on a real PostGIS: its app role, an administrator, imports run as the worker runs them."""

from __future__ import annotations

import contextlib
import json
import pathlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from backbone import database as databases
from backbone import files
from backbone.clock import system_clock
from backbone.jobs import Worker
from contracts.grid.commands import AreaImport, PublishAreaImport, StartAreaImport
from contracts.scope import Actor, Role, Scope
from services.grid import commands, queries
from services.grid.jobs import JOBS
from tests.partitions import collection, partition
from tests.servers import Database, cloned_database

COUNTY = "330411"


def actor(*roles: Role, areas: tuple[str, ...] = ()) -> Actor:
    agency = uuid4()
    return Actor(uuid4(), agency, frozenset(roles), Scope(areas=areas, agency_id=agency))


@dataclass
class Grid:
    """The service's use cases on one database, each in a transaction of its own."""

    engine: Engine
    admin: Actor = field(default_factory=lambda: actor(Role.COUNTY_ADMIN))

    def do(self, use_case: Callable[..., Any], command: Any, by: Actor | None = None) -> Any:
        with databases.transaction(self.engine) as session:
            return use_case(session, by or self.admin, command, clock=system_clock)

    def start(self, content: Any, crs: str = "wgs84", mapping: dict[Any, str] | None = None) -> UUID:
        data = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
        blob = files.put(data)
        asked = StartAreaImport(
            import_id=uuid4(), blob=blob.sha256, size_bytes=max(1, blob.size), crs=crs, mapping=mapping or {}
        )
        self.do(commands.start_area_import, asked)
        return asked.import_id

    def validate(self, import_id: UUID) -> dict[str, Any]:
        while Worker("grid", JOBS, self.engine).once():
            pass
        return self.read(queries.import_by_id, import_id)

    def bring(self, content: Any, crs: str = "wgs84") -> dict[str, Any]:
        """Start and validate; gives the import with its report."""
        return self.validate(self.start(content, crs))

    def publish(self, import_id: str | UUID, by: Actor | None = None) -> AreaImport:
        return self.do(commands.publish_area_import, PublishAreaImport(import_id=UUID(str(import_id))), by)

    def found(self, content: Any = None, crs: str = "wgs84") -> AreaImport:
        """Import and publish a county."""
        brought = self.bring(collection(partition()) if content is None else content, crs)
        assert brought["errors"] == 0, brought["report"]
        return self.publish(brought["import_id"])

    def rows(self, function: Callable[..., Any], *args: Any, scope: Scope | None = None, **filters: Any) -> list[Any]:
        query = function(scope or self.admin.scope, *args, **filters)
        with self.engine.connect() as connection:
            return list(connection.execute(query.build(), query.parameters))

    def list(self, function: Callable[..., Any], *args: Any, scope: Scope | None = None, **filters: Any) -> list[Any]:
        return [json.loads(row.body) for row in self.rows(function, *args, scope=scope, **filters)]

    def read(self, function: Callable[..., Any], *args: Any, scope: Scope | None = None, **filters: Any) -> Any:
        (body,) = self.list(function, *args, scope=scope, **filters)
        return body

    def events(self, entity: str = "%", target: str | None = None) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            rows = connection.execute(
                text(
                    "SELECT body FROM outbox WHERE entity LIKE :entity"
                    " AND target IS NOT DISTINCT FROM :target ORDER BY seq"
                ),
                {"entity": entity, "target": target},
            )
            return [json.loads(body) for (body,) in rows]


@contextlib.contextmanager
def grid_on(database: Database, directory: pathlib.Path) -> Iterator[Grid]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PINGAN_COUNTY_CODE", COUNTY)
        environment.setenv("PINGAN_FILES_DIRECTORY", str(directory))
        engine = databases.engine(database.url("grid_app"))
        yield Grid(engine)
        engine.dispose()


@pytest.fixture
def grid(database: Database, tmp_path: pathlib.Path) -> Iterator[Grid]:
    """grid on an empty platform of this test alone."""
    with grid_on(database, tmp_path) as grid:
        yield grid


@pytest.fixture(scope="module")
def module_database(servers: dict[str, str], template: str) -> Iterator[Database]:
    """A migrated, empty database that this module's tests share."""
    with cloned_database(servers, template) as database:
        yield database


@pytest.fixture(scope="module")
def empty_grid(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grid]:
    """grid on an empty platform that this module's tests share: they import, and publish nothing."""
    with grid_on(module_database, tmp_path_factory.mktemp("files")) as grid:
        yield grid


@pytest.fixture(scope="session")
def xiuzhou() -> bytes:
    """The real county as its user hands it over."""
    file = pathlib.Path(__file__).resolve().parents[4] / "shared/data/xiuzhou.gcj02.geojson"
    if not file.is_file():
        pytest.skip(f"no {file.name} beside this checkout")
    return file.read_bytes()
