"""What B4 and B5 stand on: a county of 10,000 grids in PostGIS, the gateway on it, tipg and pygeoapi on the same table.

tipg and pygeoapi live in an environment of their own (requirements/bench.txt) under the instance's folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg2
import psycopg2.extras
import shapely
import yaml

from bench import place
from bench.harness import QUICK
from contracts.scope import Role, Sensitivity
from gateway.access import changes
from gateway.reads import Database as Pool
from infra.local import place as local
from simulator import mesh
from tests.servers import Database

GRIDS = 1_000 if QUICK else 10_000
COUNTY, VILLAGE = "330499", "330499/330499101/330499101001/"
WEST, SOUTH, EAST, NORTH = 119.38, 29.08, 119.82, 29.52
PASSWORD = "a password of the bench"
WORKERS = 2
_AREA = (
    "INSERT INTO grid.areas (boundary_version, code, level, kind, name, parent_code, path, geom, lon, lat, area_m2,"
    " wkb_sha256, search) SELECT 1, v.code, v.level, 'ordinary', v.name, v.parent, v.path,"
    " ST_GeomFromWKB(v.wkb, 4326), v.lon, v.lat, v.m2, '', v.name FROM (VALUES %s)"
    " v(code, level, name, parent, path, wkb, lon, lat, m2)"
)


def fill(database: Database) -> None:
    """County, town and village as one box each, and a mesh of grids in it, as boundary version 1."""
    made = mesh.make(Random("bench"), GRIDS, 21_000)
    scale = mesh.CM * 111_320.0
    shapes = [shapely.Polygon([(119.6 + x / scale, 29.3 + y / scale) for x, y in ring]) for ring in made.rings]
    rows = [
        _row(code, level, parent, path, shapely.box(WEST, SOUTH, EAST, NORTH))
        for code, level, parent, path in (
            (COUNTY, "county", None, f"{COUNTY}/"),
            (f"{COUNTY}101", "town", COUNTY, f"{COUNTY}/{COUNTY}101/"),
            (f"{COUNTY}101001", "village", f"{COUNTY}101", VILLAGE),
        )
    ]
    rows += [
        _row(f"{COUNTY}101001{number:05}", "grid", f"{COUNTY}101001", f"{VILLAGE}{COUNTY}101001{number:05}/", each)
        for number, each in enumerate(shapes)
    ]
    with (
        contextlib.closing(psycopg2.connect(database.url("admin"))) as connection,
        connection,
        connection.cursor() as on,
    ):
        on.execute(
            "INSERT INTO grid.boundary_versions (version, county_code, areas, digest, content_sha256, published_by,"
            " valid_from) VALUES (1, %s, %s, '', '', gen_random_uuid(), now())",
            (COUNTY, len(rows)),
        )
        psycopg2.extras.execute_values(on, _AREA, rows, page_size=500)
    with place.admin(database.url("admin")) as run:
        run("VACUUM ANALYZE grid.areas")


def _row(code: str, level: str, parent: str | None, path: str, shape: Any) -> tuple[Any, ...]:
    return (code, level, f"第{code[-3:]}网格", parent, path, shapely.to_wkb(shape), shape.centroid.x, shape.centroid.y,
            shape.area * 1e10)  # fmt: skip


@contextlib.contextmanager
def gateway(environment: dict[str, str], module: str = "gateway") -> Iterator[tuple[str, dict[str, str]]]:
    """The gateway alone, as one process: its address, and the headers of a county operator."""
    port = place.free_port()
    with place.process(module, {**environment, "PINGAN_GATEWAY_PORT": str(port)}, place.free_port()):
        url = f"http://127.0.0.1:{port}"
        form = {"grant_type": "password", "username": "bench", "password": PASSWORD}
        token = httpx.post(f"{url}/v1/auth/token", data=form, trust_env=False).raise_for_status().json()["access_token"]
        yield url, {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}


def make_account(environment: dict[str, str]) -> None:
    async def made() -> None:
        pool = Pool("access", environment["PINGAN_ACCESS_DATABASE_URL"], size=1)
        account = changes.NewAccount(
            login="bench", password=PASSWORD, name="bench", roles=(Role.COUNTY_OPERATOR,), areas=(f"{COUNTY}/",),
            ceiling=Sensitivity.INTERNAL,
        )  # fmt: skip
        async with pool.transaction() as connection:
            await changes.create(connection, account, by=None)
        await pool.close()

    asyncio.run(made())


@contextlib.contextmanager
def bare(database: Database) -> Iterator[str]:
    """The floor, see `bench.bare`."""
    env = {"PATH": os.environ["PATH"], "BARE_DATABASE_URL": database.url("grid_read")}
    with _serving([sys.executable, "-m", "bench.bare"], env, f"/areas?bbox={WEST},{SOUTH},{EAST},{NORTH}") as url:
        yield url


@contextlib.contextmanager
def tipg(database: Database, log: pathlib.Path) -> Iterator[str]:
    env = {"DATABASE_URL": database.url("admin"), "TIPG_DB_SCHEMAS": '["grid"]', "TIPG_DB_MAX_CONN_SIZE": "8"}
    command = [str(environment_of_references() / "uvicorn"), "tipg.main:app", "--workers", str(WORKERS), "--port"]
    with _serving(command, env, "/collections/grid.areas", log / "tipg.log") as url:
        yield url


@contextlib.contextmanager
def pygeoapi(database: Database, log: pathlib.Path) -> Iterator[str]:
    programs = environment_of_references()
    config, described = log / "pygeoapi.yml", log / "pygeoapi-openapi.yml"
    env = {"PYGEOAPI_CONFIG": str(config), "PYGEOAPI_OPENAPI": str(described)}
    port = place.free_port()
    config.write_text(yaml.safe_dump(_pygeoapi_config(database, port)))
    generate = [str(programs / "pygeoapi"), "openapi", "generate", str(config), "--output-file", str(described)]
    done = subprocess.run(generate, env={"PATH": os.environ["PATH"], **env}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"pygeoapi could not describe itself: {(done.stdout + done.stderr)[-3000:]}")
    command = [str(programs / "uvicorn"), "pygeoapi.starlette_app:APP", "--workers", str(WORKERS), "--port"]
    with _serving(command, env, "/collections/areas", log / "pygeoapi.log", port) as url:
        yield url


def _pygeoapi_config(database: Database, port: int) -> dict[str, Any]:
    parts = urlsplit(database.url("admin"))
    data = {"host": parts.hostname, "port": parts.port, "dbname": database.name, "user": parts.username,
            "password": parts.password, "search_path": ["grid", "public"]}  # fmt: skip
    here = {"url": "http://127.0.0.1"}
    words = {"title": "bench", "description": "bench", "keywords": ["bench"]}
    return {
        "server": {
            "bind": {"host": "127.0.0.1", "port": port}, "url": f"http://127.0.0.1:{port}",
            "mimetype": "application/json", "encoding": "utf-8", "languages": ["en-US"],
            "limits": {"default_items": 100, "max_items": 1000},
            "map": {"url": "http://127.0.0.1/{z}/{x}/{y}.png", "attribution": "none"},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {**words, "terms_of_service": "none", **here},
            "license": {"name": "none", **here}, "provider": {"name": "bench", **here},
            "contact": {"name": "bench", "email": "bench@example.org", **here},
        },
        "resources": {
            "areas": {
                "type": "collection", **words,
                "extents": {"spatial": {"bbox": [WEST, SOUTH, EAST, NORTH]}},
                "providers": [{"type": "feature", "name": "PostgreSQL", "data": data, "id_field": "code",
                               "table": "areas", "geom_field": "geom"}],
            }
        },
    }  # fmt: skip


@contextlib.contextmanager
def _serving(
    command: list[str], env: dict[str, str], probe: str, log: pathlib.Path | None = None, port: int = 0
) -> Iterator[str]:
    """A server on a port of its own, answering 200 at `probe`; ended with its workers afterwards."""
    port = port or place.free_port()
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}{probe}", timeout=10, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    with contextlib.ExitStack() as stack:
        output = stack.enter_context((log or pathlib.Path(os.devnull)).open("ab"))
        child = subprocess.Popen(
            [*command, str(port)], env={"PATH": os.environ["PATH"], **env}, stdout=output, stderr=output
        )
        try:
            try:
                place.wait_for(answers, 60, f"{' '.join(command[:2])} to answer")
            except TimeoutError as error:
                error.add_note(log.read_text()[-3000:] if log else "")
                raise
            yield url
        finally:
            child.terminate()  # uvicorn ends its workers
            try:
                child.wait(15)
            except subprocess.TimeoutExpired:
                child.kill()


def environment_of_references() -> pathlib.Path:
    """The folder with the references' programs; made by the lock file when it is not there yet."""
    lock = local.CHECKOUT / "requirements" / "bench.txt"
    folder = local.make_state() / "bench-references"
    stamp, wanted = folder / "stamp", hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        uv = str(local.CHECKOUT / ".venv" / "bin" / "uv")
        print("installing tipg and pygeoapi by requirements/bench.txt", flush=True)
        subprocess.run([uv, "venv", "-q", "--clear", "--python", sys.executable, str(folder)], check=True)
        python = str(folder / "bin" / "python")
        subprocess.run([uv, "pip", "sync", "-q", "--require-hashes", "-p", python, str(lock)], check=True)
        stamp.write_text(wanted)
    return folder / "bin"
