"""What comes with a case and what becomes of it: pictures with their place, recordings, papers, watching, merging."""

from __future__ import annotations

import io
import pathlib
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import desk
from tests.browser.conftest import sign_in
from tests.platform import Platform
from tests.unit import recordings
from tests.unit.pictures import telling

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
FORM = "form.report"


def notice() -> dict[str, Any]:
    """A paper of two pages."""
    out = io.BytesIO()
    pages = [Image.new("RGB", (60, 80), "white") for _ in range(2)]
    pages[0].save(out, "PDF", save_all=True, append_images=pages[1:])
    return {"name": "notice.pdf", "mimeType": "application/pdf", "buffer": out.getvalue()}


def test_a_pictures_own_place_is_taken_when_asked_and_what_was_sent_is_opened_again(
    platform: Platform, open_page: Callable[..., Page], shots: pathlib.Path
) -> None:
    spot = desk.spot_of(platform)
    page = open_page()
    sign_in(page, "town")
    words = f"配电箱门脱落 {uuid.uuid4().hex[:6]}"
    page.click("[data-nav=report]")
    desk.choose_category(page, desk.PLAIN)
    page.fill("textarea[name=description]", words)
    phone = {"name": "phone.jpg", "mimeType": "image/jpeg", "buffer": telling("JPEG", (spot.lon, spot.lat))}
    page.set_input_files(f"{FORM} input[type=file]", files=[phone])
    page.locator("[data-exif]").wait_for()
    page.screenshot(path=shots / "exif-zh.png")
    page.click("[data-exif] button.main")
    expect(page.locator("[data-exif]")).to_have_count(0)
    sound = {"name": "call.wav", "mimeType": "audio/wav", "buffer": recordings.wav(2)}
    page.set_input_files(f"{FORM} input[type=file]", files=[sound, notice()])
    expect(page.locator(f"{FORM} [data-kept]")).to_have_count(3)
    page.click(f"{FORM} button[type=submit]")
    page.click("[data-open-case]")

    files = page.locator("[data-files] li")
    expect(files).to_have_count(3)
    expect(files.locator("img")).to_be_visible(timeout=20_000)
    page.click("[data-files] .thumb")
    expect(page.locator(".lightbox img")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".lightbox")).to_have_count(0)
    page.click("[data-files] li.audio button")
    expect(page.locator("[data-files] audio")).to_have_count(1)
    with page.expect_download() as download:
        page.click("[data-files] li:not(.photo):not(.audio) button")
    assert pathlib.Path(download.value.path()).read_bytes().startswith(b"%PDF-")
    page.screenshot(path=shots / "files-zh.png")
    with platform.client("town") as client:
        case = client.get("/v1/cases", params={"search": words}).json()["items"][0]
    assert (case["lon"], case["lat"]) == pytest.approx((spot.lon, spot.lat), abs=1e-5)


def test_what_is_watched_over_and_what_was_merged_stands_on_the_page_and_can_be_taken_back(
    platform: Platform, open_page: Callable[..., Page], shots: pathlib.Path
) -> None:
    spot = desk.spot_of(platform)
    words = f"河埠头石阶松动 {uuid.uuid4().hex[:6]}"
    with platform.client("town") as town, platform.client("county") as county:
        stays, goes = (desk.moved(town, desk.reported(town, spot, words), "register") for _ in range(2))
        desk.moved(county, stays, "supervise", reason="多次反映", supervision="yellow")
        desk.moved(town, goes, "merge", into_case_id=stays["case_id"])
    page = open_page("en")
    sign_in(page, "county")
    desk.open_case(page, stays["case_id"])
    expect(page.locator("[data-watch]")).to_contain_text("Yellow")
    expect(page.locator("[data-linked]")).to_contain_text(goes["case_no"])
    page.screenshot(path=shots / "watched-en.png")
    desk.make(page, "lift_supervision", reason="seen to")
    expect(page.locator("[data-watch] li")).to_have_class("over")

    page.locator("[data-linked] a", has_text=goes["case_no"]).click()
    expect(page.locator("[data-case-page]")).to_have_attribute("data-case-page", goes["case_id"])
    expect(page.locator("[data-linked]")).to_contain_text(stays["case_no"])
    desk.make(page, "unmerge", reason="another step")
    expect(page.locator("[data-state]")).to_have_text("Registered")
    assert desk.timeline(page, "unmerge")[-1] == "unmerge"
