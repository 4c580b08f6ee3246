"""B9: growth. Lists, facets and tiles of cases through the gateway, on a thousand and on a million, by turns.

Two databases with the same county, each with simulated cases of one year (`pingan simulate cases`) and a gateway. A
request shall take at most 1.5 times as long, so its rate is at least 0.67 of the small one's. Pages are full on both.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx

from bench import case_county, load, place
from bench.harness import QUICK, Row, alternate
from cli.simulate import write_cases
from contracts.scope import Role, Sensitivity
from gateway.access import changes
from gateway.reads import Database as Pool
from tests.servers import Database

SMALL, LARGE = 1_000, 20_000 if QUICK else 1_000_000
SECONDS = 0.5 if QUICK else 3.0
CONNECTIONS = 2
SEED, DAYS = 1, 365
MUST = 1 / 1.5
PASSWORD = "a password of the bench"
AREA = f"{case_county.COUNTY}/"
LISTS = (
    ("newest", "limit=50", 1),
    ("newest, page 50", "limit=10", 50),
    ("updated", "limit=50&sort=updated", 1),
    ("major first", "limit=50&sort=grade", 1),
    ("closed", "limit=50&state=closed", 1),
    ("one category", "limit=50&category=fire", 1),
    ("one agency", "limit=50&agency_id={fire}", 1),
    ("open, newest", "limit=5&open=true", 1),
    ("open, due soonest", "limit=5&sort=due", 1),
    ("one month", "limit=50&reported_from={month}", 1),
)
"""Name, query, which page: of the county's scope. A page is full on both sides."""


@dataclass(frozen=True, slots=True)
class Side:
    """One gateway on one database: its address, and each account's headers."""

    url: str
    headers: dict[str, dict[str, str]]
    fire: str
    month: str

    def rate(self, who: str, path: str, page: int) -> float:
        """Requests a second for the page that `page - 1` cursors lead to."""
        address = first = self.url + path.format(fire=self.fire, month=self.month)
        for _ in range(page - 1):
            answer = httpx.get(address, headers=self.headers[who], trust_env=False).raise_for_status()
            address = f"{first}&after={answer.json()['next']}"
        request = load.get(address, self.headers[who])
        return load.requests_per_second(self.url, lambda _: request, 200, SECONDS, CONNECTIONS)


def rows() -> list[Row]:
    with _side(SMALL) as small, _side(LARGE) as large:
        return [
            alternate(
                f"B9 {who}: {name}",
                "/s",
                lambda who=who, path=path, page=page: large.rate(who, path, page),  # type: ignore[misc]
                f"{SMALL:,} cases",
                lambda who=who, path=path, page=page: small.rate(who, path, page),  # type: ignore[misc]
                must_ratio=MUST,
            )
            for who, name, path, page in _asked()
        ]


def _asked() -> Iterator[tuple[str, str, str, int]]:
    for name, query, page in LISTS:
        yield "county", f"list, {name}", f"/v1/cases?{query}", page
    yield "town", "list, newest", "/v1/cases?limit=50", 1
    yield "town", "list, page 5", "/v1/cases?limit=10", 5
    yield "town", "list, updated", "/v1/cases?limit=50&sort=updated", 1
    yield "agency", "list, newest", "/v1/cases?limit=50", 1
    for who in ("county", "town", "agency"):
        yield who, "facets", "/v1/cases/facets", 1
    yield "county", "facets, closed", "/v1/cases/facets?state=closed", 1
    yield "county", "tile of open cases, zoom 14", "/v1/tiles/cases/14/13636/6795.mvt", 1


@contextlib.contextmanager
def _side(count: int) -> Iterator[Side]:
    with tempfile.TemporaryDirectory() as files, place.platform_parts(files) as (database, environment):
        owner = database.url("hazards_owner")
        case_county.fill(owner)
        write_cases(owner, case_county.COUNTY, count, SEED, DAYS, lambda _: None, history=False)
        with place.admin(database.url("admin")) as run:
            town, centre = run(
                "SELECT area_path, id::text FROM hazards.agencies WHERE kind = 'town_centre' ORDER BY area_path LIMIT 1"
            )[0]
            fire = str(run("SELECT id::text FROM hazards.agencies WHERE kind = 'fire_rescue'")[0][0])
            county = str(run("SELECT id::text FROM hazards.agencies WHERE kind = 'county_centre'")[0][0])
            month = str(run("SELECT to_char(now() - interval '300 days', 'YYYY-MM-DD') || 'T00:00:00Z'")[0][0])
        _accounts(database, {"county": (county, AREA), "town": (centre, town), "agency": (fire, None)})
        port = place.free_port()
        with place.process("bench.uncached", {**environment, "PINGAN_GATEWAY_PORT": str(port)}, place.free_port()):
            url = f"http://127.0.0.1:{port}"
            yield Side(url, {who: _signed_in(url, who) for who in ("county", "town", "agency")}, fire, month)


def _accounts(database: Database, wanted: dict[str, tuple[str, str | None]]) -> None:
    async def made() -> None:
        pool = Pool("access", database.url("access_app"), size=1)
        for who, (agency, area) in wanted.items():
            account = changes.NewAccount(
                account_id=uuid4(), login=who, password=PASSWORD, name=who, roles=(Role.COUNTY_OPERATOR,),
                agency_id=UUID(agency), areas=(area,) if area else (), ceiling=Sensitivity.INTERNAL,
            )  # fmt: skip
            async with pool.transaction() as connection:
                await changes.create(connection, account, by=None)
        await pool.close()

    asyncio.run(made())


def _signed_in(url: str, who: str) -> dict[str, str]:
    form = {"grant_type": "password", "username": who, "password": PASSWORD}
    token = httpx.post(f"{url}/v1/auth/token", data=form, trust_env=False).raise_for_status().json()["access_token"]
    return {"Authorization": f"Bearer {token}"}
