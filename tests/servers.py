"""Fixtures on the private PostGIS and RabbitMQ: a database and a vhost for each test.

The database is cloned from a template that is built once for each content of the migrations. Servers that
are down skip these tests here and fail them when CI=true.
"""

import base64
import contextlib
import dataclasses
import fcntl
import hashlib
import itertools
import json
import os
import pathlib
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlsplit

import psycopg2
import pytest
from psycopg2 import sql

from infra.local import place
from infra.postgis import roles

ROOT = pathlib.Path(__file__).resolve().parents[1]
SERVICES = roles.SERVICES
KEPT_S = 6 * 3600  # what an interrupted run left behind is removed by a later one
_numbers = itertools.count()


@dataclasses.dataclass(frozen=True)
class Database:
    """A database of this test alone; `url("grid_app")` connects as that role, `url("admin")` as superuser."""

    name: str
    settings: dict[str, str]

    def url(self, role: str) -> str:
        return urlsplit(self.settings[url_setting(role)])._replace(path=f"/{self.name}").geturl()


def url_setting(role: str) -> str:
    """grid_app -> PINGAN_GRID_DATABASE_URL, grid_owner -> PINGAN_GRID_OWNER_DATABASE_URL, …"""
    if role == "admin":
        return "PINGAN_ADMIN_DATABASE_URL"
    if role == "patrol_ingest":
        return "PINGAN_PATROL_INGEST_DATABASE_URL"
    service, kind = role.split("_")
    return f"PINGAN_{service.upper()}_{'' if kind == 'app' else kind.upper() + '_'}DATABASE_URL"


ROLES = ("admin", "patrol_ingest", *(f"{service}_{kind}" for service in SERVICES for kind in ("app", "owner", "read")))


@pytest.fixture(scope="session")
def servers() -> dict[str, str]:
    """The settings of the private servers, after a look that they answer."""
    settings = {name: value for name, value in os.environ.items() if name.startswith("PINGAN_")}
    if "PINGAN_ADMIN_DATABASE_URL" not in settings:
        settings = place.load_settings() | settings
    try:
        with contextlib.closing(_admin(settings)):
            pass
        _broker_api(settings, "GET", "overview")
    except (KeyError, OSError, psycopg2.OperationalError) as error:
        reason = f"the private PostgreSQL or RabbitMQ does not answer ({error!r}); start them with: make infra"
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(reason)
        pytest.skip(reason)
    return settings


# Database -------------------------------------------------------------------------------------------


def _admin(settings: dict[str, str], database: str = "postgres") -> "psycopg2.extensions.connection":
    url = urlsplit(settings["PINGAN_ADMIN_DATABASE_URL"])._replace(path=f"/{database}").geturl()
    connection = psycopg2.connect(url, connect_timeout=5)
    connection.autocommit = True
    return connection


def _content_of_migrations() -> str:
    """Changes whenever the migrated schema may: migrations, tables, roles and what they are made with."""
    patterns = ("infra/postgis/*.py", "backbone/*.py", "services/*/tables.py", "services/*/tables/**/*.py")
    patterns += ("services/*/migrations/**/*.py", "gateway/access/tables.py", "gateway/access/migrations/**/*.py")
    digest = hashlib.sha256()
    for file in sorted(file for pattern in patterns for file in ROOT.glob(pattern)):
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def template_name() -> str:
    """What the template of these migrations is called; `make mutants`, which spoils other code, says which to take."""
    return os.environ.get("PINGAN_TEST_TEMPLATE") or f"pingan_template_{_content_of_migrations()}"


@pytest.fixture(scope="session")
def template(servers: dict[str, str]) -> str:
    """Name of the migrated template; built by whichever worker comes first, the others wait."""
    name = template_name()
    with contextlib.closing(_admin(servers)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext(%s))", ("pingan test templates",))
        _remove_old(cursor)
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        if not cursor.fetchone():
            _build_template(cursor, servers, name)
    return name


def _has_migrations(service: str) -> bool:
    room = ROOT / ("gateway" if service == "access" else "services") / service
    return any((room / "migrations").rglob("*.py"))


def _build_template(cursor: "psycopg2.extensions.cursor", servers: dict[str, str], name: str) -> None:
    from backbone import migrations

    unfinished = f"{name}_unfinished"
    cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(unfinished)))
    cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unfinished)))
    database = Database(unfinished, servers)
    roles.apply(servers["PINGAN_ADMIN_DATABASE_URL"], unfinished, servers)
    for service in filter(_has_migrations, SERVICES):
        migrations.upgrade(service, database.url(f"{service}_owner"))
    stamp = sql.Literal(str(int(time.time())))
    cursor.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(unfinished), stamp))
    words = (sql.Identifier(unfinished), sql.Identifier(name))
    cursor.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*words))


def _remove_old(cursor: "psycopg2.extensions.cursor") -> None:
    """Templates and test databases that nobody can be using any more."""
    cursor.execute(
        "SELECT datname, coalesce(shobj_description(oid, 'pg_database'), split_part(datname, '_', 3)) "
        "FROM pg_database WHERE datname ~ '^pingan_(template|test)_'"
    )
    for name, made_at in cursor.fetchall():
        if made_at.isdigit() and int(made_at) < time.time() - KEPT_S:
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextlib.contextmanager
def cloned_database(servers: dict[str, str], template: str) -> Iterator[Database]:
    """A fresh clone of the template, dropped afterwards; for fixtures of other scopes too."""
    name = f"pingan_test_{int(time.time())}_{os.getpid()}_{next(_numbers)}"
    identifier = sql.Identifier(name)
    with contextlib.closing(_admin(servers)) as connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(identifier, sql.Identifier(template)))
        cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(identifier))
        everyone = sql.SQL(", ").join(sql.Identifier(role) for role in ROLES if role != "admin")
        cursor.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(identifier, everyone))
    try:
        yield Database(name, servers)
    finally:
        _dropping.submit(_drop, servers, identifier)


# Dropping one is a checkpoint, that waits for the disk a second for what others have written: no test waits for it.
_dropping = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dropping")


def _drop(servers: dict[str, str], identifier: sql.Identifier) -> None:
    with contextlib.closing(_admin(servers)) as connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))


@pytest.fixture
def database(servers: dict[str, str], template: str) -> Iterator[Database]:
    """A migrated, empty database of this test alone."""
    with cloned_database(servers, template) as database:
        yield database


# Broker ---------------------------------------------------------------------------------------------


def _broker_api(settings: dict[str, str], method: str, path: str, body: object = None) -> bytes:
    url = urlsplit(settings["PINGAN_BROKER_MANAGEMENT_URL"])
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{url.hostname}:{url.port}/api/{path}", data=data, method=method)
    token = base64.b64encode(f"{url.username}:{url.password}".encode()).decode()
    request.add_header("Authorization", f"Basic {token}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return bytes(answer.read())


@contextlib.contextmanager
def fresh_vhost(servers: dict[str, str]) -> Iterator[str]:
    """The broker URL of a new, empty vhost, deleted afterwards; for fixtures of other scopes too."""
    name = f"pingan_test_{int(time.time())}_{os.getpid()}_{next(_numbers)}"
    user = quote(str(urlsplit(servers["PINGAN_BROKER_URL"]).username), safe="")
    with _one_at_a_time():
        _broker_api(servers, "PUT", f"vhosts/{name}", {})
        _broker_api(servers, "PUT", f"permissions/{name}/{user}", {"configure": ".*", "write": ".*", "read": ".*"})
    try:
        yield urlsplit(servers["PINGAN_BROKER_URL"])._replace(path=f"/{name}").geturl()
    finally:
        with _one_at_a_time():
            _broker_api(servers, "DELETE", f"vhosts/{name}")


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """The broker makes and deletes vhosts one by one; parallel workers wait here, not in its timeouts."""
    with open(place.make_state() / "run" / "vhosts.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def vhost(servers: dict[str, str]) -> Iterator[str]:
    """The broker URL of a vhost of this test alone."""
    with fresh_vhost(servers) as url:
        yield url


@pytest.fixture
def topology(vhost: str) -> str:
    """The same URL, after every exchange, queue and binding of the platform was declared there."""
    from backbone import topology

    topology.declare(vhost)
    return vhost


# Settings -------------------------------------------------------------------------------------------


def settings_for(database: Database, vhost: str, files: pathlib.Path) -> dict[str, str]:
    """All PINGAN_* settings of a process that works on this database and this vhost."""
    settings = {url_setting(role): database.url(role) for role in ROLES if role != "admin"}
    return settings | {
        "PINGAN_COUNTY_CODE": "330499",
        "PINGAN_DEMO": "1",
        "PINGAN_SECRET_KEY": "0123456789abcdef" * 3,
        "PINGAN_BROKER_URL": vhost,
        "PINGAN_BROKER_MANAGEMENT_URL": database.settings["PINGAN_BROKER_MANAGEMENT_URL"],
        "PINGAN_FILES_DIRECTORY": str(files),
        "PINGAN_PUBLIC_URL": "https://pingan.example.cn/",
        "PINGAN_PROCESS": "test",
    }


@pytest.fixture
def settings_env(
    database: Database, vhost: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Points every service in this process, and what it starts, to this test's database and vhost."""
    for name in [name for name in os.environ if name.startswith("PINGAN_")]:
        monkeypatch.delenv(name)
    (tmp_path / "files").mkdir()
    settings = settings_for(database, vhost, tmp_path / "files")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return settings
