"""Clients that do what the API asks of them: after 503 or a broken connection, the same request again.

Reports go under the same Idempotency-Key, an agency by PUT, positions as a batch. Whatever an outage makes the
platform answer is judged here: 503 with Retry-After, or no connection because the gateway itself was killed.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.platform import Platform

SENDERS = 24
ANSWER_WITHIN_S = 120  # of all attempts together
AGENCY = str(uuid.uuid5(uuid.NAMESPACE_URL, "pingan/faults"))


@dataclass
class Run:
    """What one run sent and what it was told."""

    name: str
    started: float = field(default_factory=time.monotonic)
    cases: dict[str, str] = field(default_factory=dict)
    """marker -> case id of the 2xx answer"""
    last_answer_at: float = 0.0
    agency_version: int = 0
    batches: list[str] = field(default_factory=list)
    outages: Counter[str] = field(default_factory=Counter)
    """what was answered instead of 2xx -> how often"""
    broken: list[tuple[float, str]] = field(default_factory=list)
    """when a connection was refused or broke, and how"""
    wrong: list[str] = field(default_factory=list)
    """answers that no outage excuses"""

    @property
    def now(self) -> float:
        return time.monotonic() - self.started


class Client:
    """One signed-in account's connection pool, repeating until it gets its answer."""

    def __init__(self, platform: Platform, run: Run, login: str) -> None:
        self.run = run
        headers = {"Authorization": f"Bearer {platform.token(login)}"}
        self.http = httpx.AsyncClient(base_url=platform.url, headers=headers, timeout=15, trust_env=False)

    async def until_answered(self, method: str, path: str, **request: Any) -> Any:
        """The JSON of the 2xx answer; 4xx and 5xx other than 429 and 503 are noted as wrong and end it."""
        end = time.monotonic() + ANSWER_WITHIN_S
        while time.monotonic() < end:
            try:
                answer = await self.http.request(method, path, **request)
            except httpx.TransportError as error:
                self.run.broken.append((round(self.run.now, 1), type(error).__name__))
                await asyncio.sleep(0.2)
                continue
            if answer.is_success:
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


async def report(platform: Platform, run: Run, reports: int, over_s: float) -> None:
    """`reports` cases at an even pace over `over_s` seconds, each repeated until it is answered."""
    client = Client(platform, run, "worker")
    try:
        await _report(client, run, reports, over_s)
    finally:
        await client.http.aclose()


async def _report(client: Client, run: Run, reports: int, over_s: float) -> None:
    me = await client.until_answered("GET", "/v1/auth/me")
    area = await client.until_answered("GET", f"/v1/areas/{me['scope']['areas'][0].rstrip('/').rpartition('/')[2]}")
    body = {"category": "fire.exit_blocked", "source": "grid_worker", "crs": "wgs84"}
    body |= {"lon": area["lon"], "lat": area["lat"]}
    began, numbers = time.monotonic(), iter(range(reports))

    async def sender(numbers: Iterator[int]) -> None:
        for number in numbers:
            await asyncio.sleep(max(0.0, began + number * over_s / reports - time.monotonic()))
            marker = f"{run.name} {number:04d}"
            key = {"Idempotency-Key": str(uuid.uuid4())}
            case = await client.until_answered("POST", "/v1/cases", json=body | {"description": marker}, headers=key)
            if case:
                run.cases[marker] = case["case_id"]
                run.last_answer_at = run.now

    await asyncio.gather(*(sender(numbers) for _ in range(SENDERS)))


async def rename_an_agency(platform: Platform, run: Run, done: asyncio.Event) -> None:
    """A registry fact every half second, which hazards, patrol and the journal have to hear."""
    client = Client(platform, run, "admin")
    async with client.http:
        county = (await client.until_answered("GET", "/v1/areas?level=county"))["items"][0]["path"]
        while not done.is_set():
            body = {"code": "faults", "name": f"演练单位{time.time_ns()}", "kind": "county_centre", "area_path": county}
            agency = await client.until_answered("PUT", f"/v1/agencies/{AGENCY}", json=body)
            run.agency_version = agency["version"] if agency else run.agency_version
            await asyncio.sleep(0.5)


async def send_positions(platform: Platform, run: Run, done: asyncio.Event) -> None:
    """A batch of positions every half second; the ids of those that were answered 202 are kept."""
    client = Client(platform, run, "patrol")
    async with client.http:
        unit = (await client.until_answered("GET", "/v1/patrol/units"))["items"][0]["unit_id"]
        while not done.is_set():
            fix = {"unit_id": unit, "device_at": datetime.now(UTC).isoformat(), "lon": 119.6, "lat": 29.3}
            path = "/v1/patrol/positions"
            batch = await client.until_answered("POST", path, json={"crs": "wgs84", "fixes": [fix]})
            if batch:
                run.batches.append(batch["batch_id"])
            await asyncio.sleep(0.5)
