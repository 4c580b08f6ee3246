"""A small platform of real processes for the gateway's tests: one town, two grids, accounts of each kind."""

import asyncio
import contextlib
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import httpx

from contracts.scope import Role, Sensitivity
from gateway.access import changes
from gateway.reads import Database as Pool
from tests.servers import cloned_database, fresh_vhost, settings_for

ROOT = pathlib.Path(__file__).resolve().parents[3]
NAMES = UUID(int=0)
COUNTY, TOWN, VILLAGE = "330499/", "330499/330499101/", "330499/330499101/330499101001/"
WEST_GRID, EAST_GRID = VILLAGE + "330499101001001/", VILLAGE + "330499101001002/"
WEST, EAST, OUTSIDE = (120.25, 30.5), (120.75, 30.5), (116.4, 39.9)
PASSWORD = "a password of the tests"
FIRE = uuid5(NAMES, "fire")


def feature(code: str, name: str, level: str, parent: str | None, west: float, east: float) -> dict[str, Any]:
    ring = [[west, 30.0], [east, 30.0], [east, 31.0], [west, 31.0], [west, 30.0]]
    properties = {"code": code, "name": name, "level": level, "parent": parent}
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


COLLECTION = {
    "type": "FeatureCollection",
    "features": [
        feature("330499", "测试县", "county", None, 120.0, 121.0),
        feature("330499101", "测试镇", "town", "330499", 120.0, 121.0),
        feature("330499101001", "测试社区", "village", "330499101", 120.0, 121.0),
        feature("330499101001001", "西网格", "grid", "330499101001", 120.0, 120.5),
        feature("330499101001002", "东网格", "grid", "330499101001", 120.5, 121.0),
    ],
}

ACCOUNTS = {
    "admin": ((Role.COUNTY_ADMIN, Role.COUNTY_OPERATOR), (COUNTY,), Sensitivity.CONFIDENTIAL),
    "county": ((Role.COUNTY_OPERATOR,), (COUNTY,), Sensitivity.INTERNAL),
    "west": ((Role.GRID_WORKER,), (WEST_GRID,), Sensitivity.INTERNAL),
    "east": ((Role.GRID_WORKER,), (EAST_GRID,), Sensitivity.INTERNAL),
    "patrol": ((Role.PATROL_OFFICER,), (TOWN,), Sensitivity.INTERNAL),
}


_given: set[int] = set()


def free_port() -> int:
    """A port that nobody listens on, never the same again; below those that the kernel hands out to clients."""
    while True:
        port = random.SystemRandom().randrange(10_000, 20_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _given:
                _given.add(port)
                return port


@dataclass
class Process:
    """A process of the platform; its output lies in `log`."""

    name: str
    popen: subprocess.Popen[bytes]
    log: pathlib.Path
    health: int

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.popen.poll() is None:
            self.popen.send_signal(how)
            try:
                self.popen.wait(15)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait(5)


class Platform:
    """Processes, settings and clients."""

    def __init__(self, settings: dict[str, str], directory: pathlib.Path) -> None:
        self.port = free_port()
        self.settings = settings | {"PINGAN_GATEWAY_PORT": str(self.port)}
        self.directory = directory
        self.processes: dict[str, Process] = {}
        self._tokens: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, name: str, module: str, **more: str) -> Process:
        health = free_port()
        given = {"PINGAN_PROCESS": name, "PINGAN_HEALTH_PORT": str(health)}
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PINGAN_")}
        environment |= {key: value for key, value in (self.settings | given | more).items() if value}
        log = self.directory / f"{name}.log"
        with log.open("ab") as output:
            popen = subprocess.Popen(
                [sys.executable, "-m", *module.split()],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        process = self.processes[name] = Process(name, popen, log, health)
        return process

    def wait_ready(self, *names: str, patience_s: float = 90) -> None:
        end = time.monotonic() + patience_s
        for name in names or tuple(self.processes):
            process = self.processes[name]
            # Its end first: on a port that it did not get, another process might answer.
            while (ended := process.popen.poll() is not None) or not _is_ready(process.health):
                if ended or time.monotonic() > end:
                    raise AssertionError(f"{name} is not ready:\n{process.log.read_text()[-3000:]}")
                time.sleep(0.1)

    def stop(self) -> None:
        for process in reversed(self.processes.values()):
            process.stop()

    def token(self, login: str) -> str:
        if login not in self._tokens:
            form = {"grant_type": "password", "username": login, "password": PASSWORD}
            answer = httpx.post(f"{self.url}/v1/auth/token", data=form, timeout=15)
            assert answer.status_code == 200, answer.text
            self._tokens[login] = answer.json()["access_token"]
        return self._tokens[login]

    @contextlib.contextmanager
    def client(self, login: str | None = None) -> Iterator[httpx.Client]:
        headers = {"Authorization": f"Bearer {self.token(login)}"} if login else {}
        with httpx.Client(base_url=self.url, headers=headers, timeout=15, trust_env=False) as client:
            yield client

    def make_accounts(self) -> None:
        asyncio.run(self._make_accounts())

    async def _make_accounts(self) -> None:
        pool = Pool("access", self.settings["PINGAN_ACCESS_DATABASE_URL"], size=1)
        for login, (roles, areas, ceiling) in ACCOUNTS.items():
            account = changes.NewAccount(
                account_id=uuid5(NAMES, login),
                login=login,
                password=PASSWORD,
                name=login,
                roles=roles,
                areas=areas,
                ceiling=ceiling,
                agency_id=uuid5(NAMES, f"agency {login}"),
                purposes=("duty_review",),
            )
            async with pool.transaction() as connection:
                assert await changes.create(connection, account, by=None)
        await pool.close()

    def import_county(self, reporter: str = "admin") -> None:
        """Through the API, as an administrator does; returns when hazards and the gateway know the boundaries."""
        with self.client("admin") as admin, self.client(reporter) as clerk:
            body = json.dumps(COLLECTION).encode()
            answer = admin.post(
                "/v1/areas/imports?crs=wgs84", content=body, headers={"Content-Type": "application/geo+json"}
            )
            assert answer.status_code == 202, answer.text
            place = answer.headers["Location"]
            wait_for(lambda: admin.get(place).json()["state"] in ("valid", "invalid", "failed"), 30)
            answer = admin.post(f"{place}/publish")
            assert answer.status_code == 200, (answer.text, admin.get(place).text)
            locate = f"/v1/areas/locate?lon={WEST[0]}&lat={WEST[1]}&crs=wgs84"
            wait_for(lambda: admin.get(locate).json()["found"], 10)
            probe = report(WEST)
            wait_for(lambda: clerk.post("/v1/cases", json=probe).status_code == 201, 20)


PROCESSES = {
    "relay": "backbone.relay",
    "grid": "backbone.runner services.grid.service",
    "hazards": "backbone.runner services.hazards.service",
    "notify": "backbone.runner services.notify.service",
    "patrol": "backbone.runner services.patrol.service",
    "worker": "backbone.jobs services.grid.jobs services.hazards.jobs",
    "gateway": "gateway",
}


@contextlib.contextmanager
def running(servers: dict[str, str], template: str, directory: pathlib.Path) -> Iterator[Platform]:
    """A platform with its county, on a database and a vhost of its own; everything is gone afterwards."""
    from backbone import topology

    files = directory / "files"
    files.mkdir()
    with cloned_database(servers, template) as database, fresh_vhost(servers) as vhost:
        topology.declare(vhost)
        made = Platform(settings_for(database, vhost, files), directory)
        made.settings["TEST_ADMIN_DATABASE_URL"] = database.url("admin")
        try:
            made.make_accounts()
            for name, module in PROCESSES.items():
                made.start(name, module)
            made.wait_ready()
            made.import_county()
            yield made
        finally:
            made.stop()


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/ready", timeout=2, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def wait_for(condition: Any, patience_s: float) -> Any:
    end = time.monotonic() + patience_s
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
    return found


def report(at: tuple[float, float], **more: Any) -> dict[str, Any]:
    body = {
        "category": "fire",
        "source": "grid_worker",
        "description": "楼道堆放杂物",
        "lon": at[0],
        "lat": at[1],
        "crs": "wgs84",
    }
    return body | more
