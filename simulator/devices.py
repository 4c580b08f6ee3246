"""Some devices of the demo county: a camera at the gate of each place, smoke detectors, alarm buttons of schools. Pure.

Every number is made of the county's code and the place's position in the list, so planning twice gives the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

CAMERAS, FIRE_DEVICES = 60, 40
_SECTORS = ((60.0, 80.0), (90.0, 50.0), (110.0, 40.0), (360.0, 30.0))
"""Angle and range of a long lens, an ordinary one, a wide one and a dome."""


@dataclass(frozen=True, slots=True)
class Owners:
    """Agency ids: who has the cameras and buttons, and who the fire devices."""

    watching: str
    fire: str


def bodies(
    places: list[tuple[str, dict[str, Any]]], county_code: str, owners: Owners, seed: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, body of PUT /v1/devices/…) for key places as (place id, body), in their order."""
    random = Random(f"devices:{seed}")
    for n, (place_id, place) in enumerate(places[:CAMERAS]):
        at = {"lon": place["lon"], "lat": place["lat"], "crs": "wgs84", "place_id": place_id}
        yield f"camera/{n}", {**at, **_camera(random, n, place, county_code), "agency_id": owners.watching}
        if n < FIRE_DEVICES:
            yield f"fire/{n}", {**at, **_fire_device(n, place), "agency_id": owners.fire}
        if place["category"] == "school":
            button = {"kind": "alarm_button", "name": f"{place['name']}门卫室一键报警", "spot": "duty_room"}
            yield f"button/{n}", {**at, **button, "agency_id": owners.watching}


def _camera(random: Random, n: int, place: dict[str, Any], county_code: str) -> dict[str, Any]:
    angle, reach = random.choice(_SECTORS)
    # Some are not on the police's file: there is something to remind of.
    filed = {} if n % 7 == 3 else {"filed_on": "2026-01-20", "filing_no": f"{county_code}-2026-{n:04}"}
    return {
        "kind": "camera",
        "name": f"{place['name']}大门",
        "spot": "entrance",
        "gb_id": f"{county_code}0000132{n + 1:07}",
        "bearing_deg": float(random.randrange(0, 360, 15)),
        "angle_deg": angle,
        "range_m": reach,
        "height_m": 4.0,
        "shared": n % 3 > 0,
        "installed_on": "2026-01-05",
        **filed,
    }


def _fire_device(n: int, place: dict[str, Any]) -> dict[str, Any]:
    """A smoke detector (part type 40) of a fire alarm system (type 1) behind the place's own transmitter."""
    address = {"source_address": f"{n + 1:012x}", "system_type": 1, "system_address": 1}
    name = f"{place['name']}烟感"
    return {"kind": "fire_device", "name": name, "spot": "corridor", **address, "part_type": 40, "part_address": 1}
