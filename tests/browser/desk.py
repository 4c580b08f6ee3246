"""What people do at the console, by the words and names that they see."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Page, expect

from tests.platform import Platform

CATEGORY = "fire.exit_blocked"
"""Asks for a floor, among others."""
PLAIN = "request.sanitation"
EMERGENCY = "gas.leak"
CASE_ADDRESS = re.compile(r"#/cases/[0-9a-f-]{36}$")


@dataclass(frozen=True)
class Spot:
    """A point of the demo's grid worker's own grid."""

    lon: float
    lat: float

    @property
    def geolocation(self) -> dict[str, float]:
        return {"longitude": self.lon, "latitude": self.lat, "accuracy": 8}


def spot_of(platform: Platform, login: str = "worker") -> Spot:
    """The label point of the first area of an account."""
    with platform.client(login) as client:
        code = client.get("/v1/auth/me").json()["scope"]["areas"][0].strip("/").rpartition("/")[2]
        area = client.get(f"/v1/areas/{code}").json()
    return Spot(area["lon"], area["lat"])


def picture(colour: str = "#7a5") -> dict[str, Any]:
    """A small JPEG as a file field takes it."""
    out = io.BytesIO()
    Image.new("RGB", (640, 480), colour).save(out, "JPEG")
    return {"name": "site.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def reported(client: httpx.Client, spot: Spot, words: str, **more: Any) -> dict[str, Any]:
    """A case that was reported by the API."""
    body = {"category": PLAIN, "source": "inspection", "description": words, "lon": spot.lon, "lat": spot.lat}
    answer = client.post("/v1/cases", json={**body, "crs": "wgs84", **more})
    assert answer.status_code == 201, answer.text
    case: dict[str, Any] = answer.json()
    return case


def moved(client: httpx.Client, case: dict[str, Any], move: str, **fields: Any) -> dict[str, Any]:
    """The case after a move by the API, on the version that it has now."""
    now = client.get(f"/v1/cases/{case['case_id']}").json()
    answer = client.post(
        f"/v1/cases/{case['case_id']}/moves",
        json={"move": move, **fields},
        headers={"If-Match": f'"{now["version"]}"'},
    )
    assert answer.status_code == 200, answer.text
    after: dict[str, Any] = answer.json()
    return after


def choose_category(page: Page, code: str = CATEGORY) -> None:
    """By its code, in the picker's search."""
    page.fill("input[name=find-category]", code)
    page.click(f"[data-category='{code}']")


def open_case(page: Page, case_id: str) -> None:
    """By its address, as from a link."""
    page.evaluate("id => { location.hash = `#/cases/${id}` }", case_id)
    page.wait_for_selector(f"[data-case-page='{case_id}'] [data-history] li")


def ask_for(page: Page, move: str) -> None:
    """Opens a move's form, behind "other moves" where it is there."""
    button = page.locator(f"button[data-move={move}]")
    button.wait_for(state="attached")
    more = page.locator("details.more-moves")
    if not button.is_visible():
        more.locator("summary").click()
    button.click()
    page.wait_for_selector("form.ask")


def make(page: Page, move: str, **texts: str) -> None:
    """A move with texts by their fields' names; returns when it was taken."""
    ask_for(page, move)
    for name, text in texts.items():
        page.fill(f"form.ask [name={name}]", text)
    send(page)


def send(page: Page) -> None:
    page.click("form.ask button[type=submit]")
    page.wait_for_selector("form.ask", state="detached")


def find(page: Page, name: str, words: str) -> None:
    """Chooses the first that a finder (agency, area, case) has for these words."""
    page.fill(f"input[name={name}]", words)
    page.locator("ul[role=listbox] li[role=option]", has_text=words).first.click()


def add_picture(page: Page, within: str) -> None:
    page.set_input_files(f"{within} input[type=file]", files=[picture()])
    page.wait_for_selector(f"{within} [data-kept]")


def timeline(page: Page, last: str) -> list[str]:
    """The moves of the page's timeline, oldest first, once it tells of the `last` one."""
    page.wait_for_selector(f"[data-history] > li:first-child[data-entry={last}]")
    entries = page.locator("[data-history] > li").evaluate_all("all => all.map(each => each.dataset.entry)")
    return [str(each) for each in reversed(entries)]


def fits(page: Page) -> None:
    """Nothing is wider than the window."""
    wide = page.evaluate(
        """() => [...document.querySelectorAll('.console *')]
             .filter(each => !each.closest('.maplibregl-map, .unseen') && each.getClientRects().length)
             .filter(each => getComputedStyle(each).visibility !== 'hidden')
             .filter(each => each.getBoundingClientRect().right > innerWidth + 1)
             .map(each => each.className || each.tagName).slice(0, 5)"""
    )
    assert wide == [], wide
    expect(page.locator("body")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
