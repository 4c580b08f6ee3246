"""Clients that do what the API asks of them: after 503 or a broken connection, the same request again.

Reports go under the same Idempotency-Key, an agency by PUT, positions as a batch; reads are asked of every schema.
Whatever an outage makes the platform answer is judged here: 503 with Retry-After, or no connection because the
gateway itself was killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from simulator import staff
from tests.platform import Platform

SENDERS = 24
ANSWER_WITHIN_S = 180  # of all attempts together
SIGN_IN_EVERY_S = 600  # a token lives for fifteen minutes
PAUSE_S = 0.2
AGENCY = str(uuid.uuid5(uuid.NAMESPACE_URL, "pingan/faults"))
READS = ("/v1/areas?level=county", "/v1/cases?limit=5", "/v1/patrol/units", "/v1/events?limit=5", "/v1/auth/me")


@dataclass
class Run:
    """What one run sent and what it was told."""

    name: str = field(default_factory=lambda: f"faults {uuid.uuid4().hex[:8]}")
    started: float = field(default_factory=time.monotonic)
    asked: int = 0
    """reports begun"""
    cases: dict[str, str] = field(default_factory=dict)
    """marker -> case id of the 2xx answer"""
    agency_version: int = 0
    batches: list[str] = field(default_factory=list)
    answered: dict[str, float] = field(default_factory=dict)
    """method and path -> when the latest request that was answered 2xx had been sent"""
    outages: Counter[str] = field(default_factory=Counter)
    """what was answered instead of 2xx -> how often"""
    broken: list[tuple[float, str]] = field(default_factory=list)
    """when a connection was refused or broke, and how"""
    wrong: list[str] = field(default_factory=list)
    """answers that no outage excuses"""

    @property
    def now(self) -> float:
        return time.monotonic() - self.started

    def answers_since(self, moment: float) -> bool:
        """Whether every kind of request that was ever answered has had a 2xx to one sent after `moment`."""
        return len(self.answered) == len(READS) + 3 and min(self.answered.values()) > moment

    def __str__(self) -> str:
        asked = f"{len(self.cases)} of {self.asked} reports answered 2xx"
        outages = ", ".join(f"{what} x {times}" for what, times in sorted(self.outages.items())) or "none"
        return f"{asked}, {len(self.batches)} batches of positions; meanwhile {outages}; {len(self.broken)} broken"


class Client:
    """One account's connection pool, repeating until it gets its answer."""

    def __init__(self, platform: Platform, run: Run, login: str) -> None:
        self.run, self.login = run, login
        self.http = httpx.AsyncClient(base_url=platform.url, timeout=15, trust_env=False)
        self._signing_in = asyncio.Lock()
        self._signed_in_at = -float(SIGN_IN_EVERY_S)

    async def until_answered(self, method: str, path: str, **request: Any) -> Any:
        """The JSON of the 2xx answer; 4xx and 5xx other than 429 and 503 are noted as wrong and end it."""
        async with self._signing_in:
            if self.run.now - self._signed_in_at > SIGN_IN_EVERY_S:
                form = {"grant_type": "password", "username": self.login}
                form["password"] = staff.PASSWORD.format(login=self.login)
                token = await self._until_answered("POST", "/v1/auth/token", data=form)
                self.http.headers["Authorization"] = f"Bearer {token['access_token']}"
                self._signed_in_at = self.run.now
        return await self._until_answered(method, path, **request)

    async def _until_answered(self, method: str, path: str, **request: Any) -> Any:
        end = time.monotonic() + ANSWER_WITHIN_S
        while time.monotonic() < end:
            sent_at = self.run.now
            try:
                answer = await self.http.request(method, path, **request)
            except httpx.TransportError as error:
                self.run.broken.append((round(self.run.now, 1), type(error).__name__))
                await asyncio.sleep(0.2)
                continue
            if answer.is_success:
                if path != "/v1/auth/token" and not path.startswith("/v1/areas/"):
                    self.run.answered[f"{method} {path}"] = sent_at
                return answer.json()
            self.run.outages[f"{answer.status_code} {_code(answer)}"] += 1
            if answer.status_code not in (429, 503) or "Retry-After" not in answer.headers:
                self.run.wrong.append(f"{self.run.now:.1f} s {method} {path}: {answer.status_code} {answer.text}")
                return None
            await asyncio.sleep(min(1.0, float(answer.headers["Retry-After"])))
        self.run.wrong.append(f"{method} {path} had no answer within {ANSWER_WITHIN_S} s")
        return None


def _code(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("code"))
    except ValueError:
        return "without a problem document"


@contextlib.asynccontextmanager
async def load(platform: Platform, run: Run, per_s: float) -> AsyncIterator[None]:
    """Reports at up to `per_s`, registry changes, positions and reads inside the block; then until all is answered."""
    done = asyncio.Event()
    async with asyncio.TaskGroup() as together:
        for work in (_rename_an_agency, _send_positions, _read):
            together.create_task(work(platform, run, done))
        together.create_task(_report(platform, run, done, per_s))
        try:
            yield
        finally:
            done.set()


async def _report(platform: Platform, run: Run, done: asyncio.Event, per_s: float) -> None:
    """Cases by as many senders as the pace needs, each repeated until it is answered."""
    client = Client(platform, run, "worker")
    async with client.http:
        me = await client.until_answered("GET", "/v1/auth/me")
        area = await client.until_answered("GET", f"/v1/areas/{me['scope']['areas'][0].rstrip('/').rpartition('/')[2]}")
        body = {"category": "fire.exit_blocked", "source": "grid_worker", "crs": "wgs84"}
        body |= {"lon": area["lon"], "lat": area["lat"]}
        numbers = itertools.count()
        await asyncio.gather(*(_sender(client, done, body, numbers, at / per_s, SENDERS / per_s)
                               for at in range(SENDERS)))  # fmt: skip


async def _sender(
    client: Client, done: asyncio.Event, body: dict[str, Any], numbers: Iterator[int], first_s: float, every_s: float
) -> None:
    await asyncio.sleep(first_s)
    while not done.is_set():
        began, marker = time.monotonic(), f"{client.run.name} {next(numbers):05d}"
        client.run.asked += 1
        key = {"Idempotency-Key": str(uuid.uuid4())}
        case = await client.until_answered("POST", "/v1/cases", json=body | {"description": marker}, headers=key)
        if case:
            client.run.cases[marker] = case["case_id"]
        await asyncio.sleep(max(0.0, began + every_s - time.monotonic()))


async def _rename_an_agency(platform: Platform, run: Run, done: asyncio.Event) -> None:
    """A registry fact a few times a second, which hazards, patrol and the journal have to hear."""
    client = Client(platform, run, "admin")
    async with client.http:
        county = (await client.until_answered("GET", "/v1/areas?level=county"))["items"][0]["path"]
        while not done.is_set():
            body = {"code": "faults", "name": f"演练单位{time.time_ns()}", "kind": "county_centre", "area_path": county}
            agency = await client.until_answered("PUT", f"/v1/agencies/{AGENCY}", json=body)
            run.agency_version = agency["version"] if agency else run.agency_version
            await asyncio.sleep(PAUSE_S)


async def _send_positions(platform: Platform, run: Run, done: asyncio.Event) -> None:
    """A batch of positions a few times a second; the ids of those that were answered 202 are kept."""
    client = Client(platform, run, "patrol")
    async with client.http:
        unit = (await client.until_answered("GET", "/v1/patrol/units"))["items"][0]["unit_id"]
        while not done.is_set():
            fix = {"unit_id": unit, "device_at": datetime.now(UTC).isoformat(), "lon": 119.6, "lat": 29.3}
            path = "/v1/patrol/positions"
            batch = await client.until_answered("POST", path, json={"crs": "wgs84", "fixes": [fix]})
            if batch:
                run.batches.append(batch["batch_id"])
            await asyncio.sleep(PAUSE_S)


async def _read(platform: Platform, run: Run, done: asyncio.Event) -> None:
    """Reads of every schema, each asked again and again by itself."""
    client = Client(platform, run, "county")

    async def again_and_again(path: str) -> None:
        while not done.is_set():
            await client.until_answered("GET", path)
            await asyncio.sleep(PAUSE_S)

    async with client.http:
        await asyncio.gather(*map(again_and_again, READS))
