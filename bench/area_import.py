"""A county's file taken in over HTTP: upload, both topology checks by the worker, published as a boundary version.

The demo county's some 2,400 polygons, and the same shifted to GCJ-02 corner by corner, as county files are; measured
from the upload to the answer of the publication. 20 s are asked for 2,500 polygons (issue "The grid registry, whole").
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import shapely

from bench import place
from bench.b3_commands import demo_accounts
from bench.harness import QUICK, RUNS, Row
from geo.coordinates import from_wgs84
from simulator import county, staff

MODULES = ("backbone.runner services.grid.service", "backbone.jobs services.grid.jobs", "gateway")
ASKED_S, ASKED_POLYGONS = 20.0, 2_500


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as files, place.platform_parts(files) as (_, environment):
        port = place.free_port()
        environment = {**environment, "PINGAN_GATEWAY_PORT": str(port)}
        demo_accounts(environment)
        with contextlib.ExitStack() as stack:
            for module in MODULES:
                stack.enter_context(place.process(module, environment, place.free_port()))
            with _signed_in(f"http://127.0.0.1:{port}") as client:
                return [_row(client, crs) for crs in ("wgs84", "gcj02")]


def _row(client: httpx.Client, crs: str) -> Row:
    """Polygons a second, each time with another name for the county so that there is something to publish."""
    rates = []
    for turn in range(1 if QUICK else RUNS):
        content = _file(crs, f"第{turn}版 {crs}")
        rates.append(len(content["features"]) / _seconds(client, json.dumps(content).encode(), crs))
    must = ASKED_POLYGONS / ASKED_S
    return Row(f"import, check, publish ({crs})", "/s", tuple(rates), "asked", (must,) * len(rates), must)


def _file(crs: str, name: str) -> dict[str, Any]:
    content = county.generate().feature_collection()
    for feature in content["features"]:
        properties = feature["properties"]
        properties["name"] = name if properties["level"] == "county" else properties["name"]
        if crs != "wgs84":
            shape = shapely.from_geojson(json.dumps(feature["geometry"]))
            moved = shapely.transform(shape, lambda at: np.column_stack(from_wgs84(at[:, 0], at[:, 1], crs)))
            feature["geometry"] = shapely.geometry.mapping(moved)
    return content


def _seconds(client: httpx.Client, body: bytes, crs: str) -> float:
    started = time.perf_counter()
    taken = client.post(f"/v1/areas/imports?crs={crs}", content=body).raise_for_status()
    found: dict[str, Any] = {"state": "received"}
    while found["state"] in ("received", "validating"):
        time.sleep(0.05)
        found = client.get(taken.headers["Location"]).raise_for_status().json()
    if found["state"] != "valid":
        sys.exit(f"the county is no partition: {found['report']['counts']}")
    client.post(f"{taken.headers['Location']}/publish").raise_for_status()
    return time.perf_counter() - started


@contextlib.contextmanager
def _signed_in(url: str) -> Iterator[httpx.Client]:
    form = {"grant_type": "password", "username": staff.ADMINISTRATOR}
    form["password"] = staff.PASSWORD.format(login=staff.ADMINISTRATOR)
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        token = client.post("/v1/auth/token", data=form).raise_for_status().json()["access_token"]
        client.headers = httpx.Headers({"Authorization": f"Bearer {token}", "Content-Type": "application/geo+json"})
        yield client
