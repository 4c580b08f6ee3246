"""Loads a county into an empty platform through the public API alone, once; a second time changes nothing.

`python -m simulator.demo --url http://127.0.0.1:20005 [--geojson FILE --crs gcj02]` loads a county of your own
with the same staff, categories, rules and demo accounts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import pathlib
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from simulator import county as counties
from simulator import staff
from simulator.client import Api, ApiRefused

IMPORT_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Given:
    """A county to load: areas as the import takes them, in `crs`, and key places in WGS84."""

    collection: dict[str, Any]
    crs: str = "wgs84"
    places: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def read(cls, file: pathlib.Path, crs: str) -> Given:
        """A GeoJSON FeatureCollection from a file. Raises OSError, ValueError."""
        return cls(json.loads(file.read_text()), crs)


def load(
    gateway_url: str,
    login: str = staff.ADMINISTRATOR,
    password: str = staff.PASSWORD.format(login=staff.ADMINISTRATOR),
    *,
    county: Given | None = None,
) -> None:
    """Loads the demo county, or the given one, as the administrator `login`; what is there already stays as it is.

    Raises simulator.client.ApiRefused when the platform says no, TimeoutError when it does not finish.
    """
    county = county or demo_county()
    plan = staff.plan(staff.area_rows(county.collection), county.places)
    asyncio.run(_load(gateway_url, login, password, county, plan))


def accounts(county: Given | None = None) -> list[dict[str, Any]]:
    """The demo accounts, the administrator first, in the form of PUT /v1/accounts/{account_id}."""
    rows = staff.area_rows((county or demo_county()).collection)
    return [account.to_json() for account in staff.plan(rows).accounts]


def demo_county() -> Given:
    """The generated county under PINGAN_COUNTY_CODE, or the file PINGAN_DEMO_COUNTY in PINGAN_DEMO_COUNTY_CRS."""
    file = os.environ.get("PINGAN_DEMO_COUNTY")
    if file:
        return Given.read(pathlib.Path(file), os.environ.get("PINGAN_DEMO_COUNTY_CRS", "wgs84"))
    made = counties.generate(code=os.environ.get("PINGAN_COUNTY_CODE", "330499"))
    places = [{"name": each.name, "category": each.category, "lon": each.lon, "lat": each.lat} for each in made.places]
    return Given(made.feature_collection(), "wgs84", places)


async def _load(url: str, login: str, password: str, county: Given, plan: staff.Plan) -> None:
    started = time.monotonic()
    async with Api(url, login, password) as api:
        if await _is_there(api, plan.last.path):
            _say("the county is there already")
            return
        await _import(api, county)
        _say(f"boundaries published ({time.monotonic() - started:.1f} s)")
        for account in plan.accounts:
            if account.login not in (login, staff.ADMINISTRATOR):  # an administrator is there: who loads
                await _make_account(api, account)
        for title, writes in plan.stages:
            begun = time.monotonic()
            count = await api.put_all(writes)
            _say(f"{count} {title} ({time.monotonic() - begun:.1f} s)")
    _say(f"loaded in {time.monotonic() - started:.0f} s")


async def _make_account(api: Api, account: staff.Account) -> None:
    """Makes the account; the ones that `scripts/pingan demo load` wrote before are the same.

    Where the platform takes no demo accounts they are made as ordinary ones: a machine's secret is then shown once.
    """
    body = account.to_json()
    path = f"/v1/accounts/{body.pop('account_id')}"
    try:
        await api.request("PUT", path, json=body)
    except ApiRefused as refused:
        if refused.status != 422 or os.environ.get("PINGAN_DEMO") == "1":
            raise
        ordinary = {name: value for name, value in body.items() if name not in ("demo", "client_secret")}
        answer = await api.request("PUT", path, json=ordinary)
        _say(f"account {account.login} / {answer.json().get('client_secret', account.password)}")


async def _import(api: Api, given: Given) -> None:
    """Imports and publishes the boundaries unless the county is known. Raises RuntimeError with the report's counts."""
    collection = given.collection
    county = next(f["properties"]["code"] for f in collection["features"] if f["properties"]["level"] == "county")
    if await _is_there(api, f"/v1/areas/{county}"):
        return
    body = json.dumps(collection, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/geo+json"}
    answer = await api.request("POST", "/v1/areas/imports", params={"crs": given.crs}, content=body, headers=headers)
    path = f"/v1/areas/imports/{answer.json()['import_id']}"
    end = time.monotonic() + IMPORT_PATIENCE_S
    while (state := (job := (await api.request("GET", path)).json())["state"]) not in ("valid", "published"):
        if state in ("invalid", "failed"):
            raise RuntimeError(f"the import is {state}: {(job.get('report') or {}).get('counts')}")
        if time.monotonic() > end:
            raise TimeoutError(f"the import is still {state} after {IMPORT_PATIENCE_S:.0f} s")
        await asyncio.sleep(0.3)
    if state == "valid":
        await api.request("POST", f"{path}/publish")


async def _is_there(api: Api, path: str) -> bool:
    try:
        await api.request("GET", path)
    except ApiRefused as refused:
        if refused.status == 404:
            return False
        raise
    return True


def _say(text: str) -> None:
    print(f"    demo: {text}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m simulator.demo", description=__doc__)
    parser.add_argument("--url", default=f"http://127.0.0.1:{os.environ.get('PINGAN_GATEWAY_PORT', '8000')}")
    parser.add_argument("--login", default=staff.ADMINISTRATOR)
    parser.add_argument("--password", default=os.environ.get("PINGAN_ADMIN_PASSWORD"))
    parser.add_argument("--geojson", type=pathlib.Path, help="a county of your own instead of the demo one")
    parser.add_argument("--crs", default="wgs84", choices=("wgs84", "cgcs2000", "gcj02", "bd09"))
    chosen = parser.parse_args()
    county = Given.read(chosen.geojson, chosen.crs) if chosen.geojson else None
    password = chosen.password or staff.PASSWORD.format(login=chosen.login)
    load(chosen.url, chosen.login, password, county=county)
    return 0


if __name__ == "__main__":
    sys.exit(main())
