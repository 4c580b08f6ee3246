"""B3: report a case through the gateway, committed with outbox and history.

Beside it, by turns, on the same cluster: bare INSERT + COMMIT of the same case rows into a table with the same
indexes, the same of two columns with one index, and a stock nameko service behind FastAPI.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx
import orjson
import psycopg2

from backbone.database import new_id
from bench import load, place
from bench.harness import QUICK, Row, alternate
from simulator import demo, staff
from tests.servers import Database

SECONDS = 2.0 if QUICK else 6.0
CONNECTIONS = 48
LON, LAT = 119.62, 29.31
MODULES = (
    "backbone.relay",
    "backbone.runner services.grid.service",
    "backbone.runner services.hazards.service",
    "backbone.runner services.patrol.service",
    "backbone.jobs services.grid.jobs",
    "gateway",
)


def rows() -> list[Row]:
    with (
        tempfile.TemporaryDirectory() as files,
        place.platform_parts(files) as (database, environment),
        _platform(environment) as url,
        _stock(database, environment) as stock_url,
    ):
        ours = report_request(url)
        stock = load.post(f"{stock_url}/cases", orjson.dumps({"body": "x" * 600}), {"Content-Type": "application/json"})

        def report() -> float:
            return load.requests_per_second(url, ours, 201, SECONDS, CONNECTIONS)

        def bare() -> float:
            return _bare_inserts(database.url("admin"), insert, values)

        def narrow() -> float:
            return _bare_inserts(database.url("admin"), NARROW, {"body": "x" * 600})

        def stock_report() -> float:
            return load.requests_per_second(stock_url, lambda _: stock, 201, SECONDS, CONNECTIONS)

        report()
        insert, values = _case_row(database)
        return [
            alternate("B3 report a case", "/s", report, "bare INSERT+COMMIT", bare, must_rate=450, must_ratio=0.2),
            alternate("B3 report a case", "/s", report, "bare, two columns", narrow),
            alternate("B3 report a case", "/s", report, "stock nameko + FastAPI", stock_report, must_ratio=1.3),
        ]


@contextlib.contextmanager
def _platform(environment: dict[str, str]) -> Iterator[str]:
    """The processes a report needs, and a county of one grid; the gateway's address."""
    port = place.free_port()
    environment = {**environment, "PINGAN_GATEWAY_PORT": str(port)}
    with contextlib.ExitStack() as stack:
        for module in MODULES:
            stack.enter_context(place.process(module, environment, place.free_port()))
        url = f"http://127.0.0.1:{port}"
        demo_accounts(environment)
        demo.load(url, county=demo.Given(one_grid()))
        yield url


def demo_accounts(environment: dict[str, str]) -> None:
    """The administrator, as `pingan admin create` makes it."""
    command = [sys.executable, "-m", "cli", "admin", "create", "--login", staff.ADMINISTRATOR, "--password-from-stdin"]
    password = staff.PASSWORD.format(login=staff.ADMINISTRATOR)
    subprocess.run(command, input=password, text=True, check=True, env={**os.environ, **environment})


def one_grid() -> dict[str, object]:
    """County, town, village and grid of one and the same square: the smallest partition there is."""
    square = [[LON - 0.1, LAT - 0.1], [LON + 0.1, LAT - 0.1], [LON + 0.1, LAT + 0.1], [LON - 0.1, LAT + 0.1]]
    geometry = {"type": "Polygon", "coordinates": [[*square, square[0]]]}
    codes = ("330499", "330499001", "330499001001", "330499001001001")
    features = []
    for level, code, parent in zip(("county", "town", "village", "grid"), codes, (None, *codes), strict=False):
        properties = {"code": code, "name": f"{level} {code}", "level": level, "parent": parent, "kind": "ordinary"}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    return {"type": "FeatureCollection", "features": features}


def report_request(url: str) -> Callable[[int], bytes]:
    form = {"grant_type": "password", "username": "worker", "password": staff.PASSWORD.format(login="worker")}
    token = httpx.post(f"{url}/v1/auth/token", data=form, trust_env=False).raise_for_status().json()["access_token"]
    body = orjson.dumps(
        {
            "category": "fire.exit_blocked",
            "source": "grid_worker",
            "description": "消防通道堵塞" * 20,
            "crs": "wgs84",
            "lon": LON,
            "lat": LAT,
        }
    )
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return lambda _: load.post(f"{url}/v1/cases", body, {**headers, "Idempotency-Key": str(uuid.uuid4())})


@contextlib.contextmanager
def _stock(database: Database, environment: dict[str, str]) -> Iterator[str]:
    """The stock service and its FastAPI; the address."""
    make_stock_tables(database)
    port = place.free_port()
    env = stock_environment(database, environment)
    with contextlib.ExitStack() as stack:
        for arguments in (["service"], ["gateway", str(port)]):
            stack.enter_context(child([sys.executable, "-m", "bench.stock", *arguments], env))
        url = f"http://127.0.0.1:{port}"
        place.wait_for(lambda: answers(url), 30, "the stock service")
        yield url


def make_stock_tables(database: Database) -> None:
    with place.admin(database.url("admin")) as run:
        run("CREATE TABLE IF NOT EXISTS stock_cases (id uuid PRIMARY KEY, body text NOT NULL)")
        run(
            "CREATE TABLE IF NOT EXISTS stock_effects (id bigserial PRIMARY KEY, body text, "
            "at timestamptz NOT NULL DEFAULT clock_timestamp())"
        )


def stock_environment(database: Database, environment: dict[str, str]) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "STOCK_DATABASE_URL": database.url("admin"),
        "STOCK_BROKER_URL": environment["PINGAN_BROKER_URL"],
    }


@contextlib.contextmanager
def child(command: list[str], env: dict[str, str]) -> Iterator[None]:
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as started:
        try:
            yield
        finally:
            started.kill()


def answers(url: str) -> bool:
    try:
        return httpx.post(f"{url}/cases", json={"body": "x"}, timeout=5, trust_env=False).status_code == 201
    except httpx.TransportError:
        return False


NARROW = "INSERT INTO stock_cases (id, body) VALUES (%(id)s, %(body)s)"


def _case_row(database: Database) -> tuple[str, dict[str, str | None]]:
    """An INSERT of a reported case into a table like the cases', and its values; ids and codes are to be given."""
    with place.admin(database.url("admin")) as run:
        run("CREATE TABLE bare_cases (LIKE hazards.cases INCLUDING INDEXES INCLUDING DEFAULTS)")
        columns = [
            name
            for (name,) in run("SELECT column_name FROM information_schema.columns WHERE table_name = 'bare_cases'")
        ]
        (values,) = run(f"SELECT {', '.join(f'{name}::text' for name in columns)} FROM hazards.cases LIMIT 1")
    names, marks = ", ".join(columns), ", ".join(f"%({name})s" for name in columns)
    row = dict(zip(columns, values, strict=True))
    return f"INSERT INTO bare_cases ({names}) VALUES ({marks})".replace("%(case_no)s", "%(id)s"), row


def _bare_inserts(url: str, insert: str, values: Mapping[str, str | None], threads: int = 8) -> float:
    """One row and one COMMIT at a time over `threads` connections."""

    def work(_: int) -> int:
        done = 0
        with contextlib.closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
            while time.perf_counter() < end:
                cursor.execute(insert, {**values, "id": str(new_id()), "follow_code": uuid.uuid4().hex[:12]})
                connection.commit()
                done += 1
        return done

    started = time.perf_counter()
    end = started + SECONDS
    with ThreadPoolExecutor(threads) as pool:
        inserted = sum(pool.map(work, range(threads)))
    return inserted / (time.perf_counter() - started)
