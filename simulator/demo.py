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
from typing import Any

from simulator import county as counties
from simulator import staff
from simulator.client import Api, ApiRefused

ADMINISTRATOR = "admin"
IMPORT_PATIENCE_S = 300.0


def load(
    gateway_url: str,
    login: str = ADMINISTRATOR,
    password: str = staff.PASSWORD.format(login=ADMINISTRATOR),
    *,
    collection: dict[str, Any] | None = None,
    crs: str = "wgs84",
    county_code: str | None = None,
) -> bool:
    """Loads the demo county, or `collection`, as the administrator `login`. Returns False when it was there already.

    Raises simulator.client.ApiRefused when the platform says no, TimeoutError when it does not finish.
    """
    places: list[dict[str, Any]] = []
    if collection is None:
        county = counties.generate(code=county_code or os.environ.get("PINGAN_COUNTY_CODE", "330499"))
        collection = county.feature_collection()
        places = [
            {"name": place.name, "category": place.category, "lon": place.lon, "lat": place.lat}
            for place in county.places
        ]
    plan = staff.plan(staff.area_rows(collection), places)
    return asyncio.run(_load(gateway_url, login, password, collection, crs, plan))


def accounts(collection: dict[str, Any] | None = None) -> list[dict[str, str]]:
    """The demo accounts for printing: login, password, title and roles; the administrator first."""
    rows = staff.area_rows(collection or counties.generate().feature_collection())
    administrator = {
        "login": ADMINISTRATOR,
        "password": staff.PASSWORD.format(login=ADMINISTRATOR),
        "title": "系统管理员",
        "roles": "county_admin",
    }
    made = [
        {
            "login": account.login,
            "password": account.password,
            "title": account.title,
            "roles": ",".join(account.roles) + (" (client_credentials)" if account.machine else ""),
        }
        for account in staff.plan(rows).accounts
    ]
    return [administrator, *made]


async def _load(url: str, login: str, password: str, collection: dict[str, Any], crs: str, plan: staff.Plan) -> bool:
    if await _is_loaded(url, plan):
        return False
    started = time.monotonic()
    async with Api(url, login, password) as api:
        await _import(api, collection, crs)
        _say(f"boundaries published ({time.monotonic() - started:.1f} s)")
        for title, writes in plan.stages:
            begun = time.monotonic()
            count = await api.put_all(writes)
            _say(f"{count} {title} ({time.monotonic() - begun:.1f} s)")
    _say(f"loaded in {time.monotonic() - started:.0f} s")
    return True


async def _is_loaded(url: str, plan: staff.Plan) -> bool:
    """The accounts are written last: when the last of them can sign in, everything is there."""
    last = [account for account in plan.accounts if not account.machine][-1]
    async with Api(url, last.login, last.password) as api:
        try:
            await api.sign_in()
        except ApiRefused as refused:
            if refused.status in (400, 401):
                return False
            raise
    return True


async def _import(api: Api, collection: dict[str, Any], crs: str) -> None:
    """Imports and publishes the boundaries unless the county is known. Raises RuntimeError with the report's counts."""
    county = next(f["properties"]["code"] for f in collection["features"] if f["properties"]["level"] == "county")
    if await _county_is_known(api, county):
        return
    body = json.dumps(collection, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/geo+json"}
    answer = await api.request("POST", "/v1/areas/imports", params={"crs": crs}, content=body, headers=headers)
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


async def _county_is_known(api: Api, code: str) -> bool:
    try:
        await api.request("GET", f"/v1/areas/{code}")
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
    parser.add_argument("--login", default=ADMINISTRATOR)
    parser.add_argument("--password", default=os.environ.get("PINGAN_ADMIN_PASSWORD"))
    parser.add_argument("--geojson", type=pathlib.Path, help="a county of your own instead of the demo one")
    parser.add_argument("--crs", default="wgs84", choices=("wgs84", "cgcs2000", "gcj02", "bd09"))
    chosen = parser.parse_args()
    collection = json.loads(chosen.geojson.read_text()) if chosen.geojson else None
    password = chosen.password or staff.PASSWORD.format(login=chosen.login)
    fresh = load(chosen.url, chosen.login, password, collection=collection, crs=chosen.crs)
    _say("done" if fresh else "was there already")
    return 0


if __name__ == "__main__":
    sys.exit(main())
