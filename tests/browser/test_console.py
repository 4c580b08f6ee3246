"""The console as a whole: signing in, both languages, what one does is seen by another at once."""

from __future__ import annotations

import pathlib
import time
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import desk
from tests.browser.conftest import sign_in
from tests.platform import Platform

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SEEN_WITHIN_S = 2.0


def test_a_report_by_a_click_on_the_map_is_seen_by_another_within_two_seconds(
    platform: Platform, open_page: Callable[..., Page], shots: pathlib.Path
) -> None:
    finder, centre = open_page(), open_page("en")
    sign_in(finder, "worker")
    sign_in(centre, "town")
    words = f"三楼安全出口被杂物堵住 {uuid.uuid4().hex[:6]}"
    canvas = finder.locator(".map-canvas canvas").first.bounding_box()
    assert canvas is not None
    finder.mouse.click(canvas["x"] + canvas["width"] * 0.47, canvas["y"] + canvas["height"] * 0.53)
    desk.choose_category(finder)
    expect(finder.locator(".place b")).not_to_be_empty()
    finder.fill("textarea[name=description]", words)
    finder.click("form.report button[type=submit]")
    finder.wait_for_selector("[data-reported]")
    sent = time.monotonic()
    row = centre.locator(".row", has_text=words)
    row.wait_for(timeout=15_000)
    seen_after = time.monotonic() - sent
    finder.screenshot(path=shots / "reported-zh.png")
    assert seen_after <= SEEN_WITHIN_S, f"seen after {seen_after:.1f} s"

    finder.click("[data-open-case]")
    row.click()
    expect(centre.locator("[data-state]")).to_have_text("Reported")
    desk.make(centre, "verify", note="looked at it")
    # The finder's page follows without being touched.
    expect(finder.locator("[data-state]")).to_have_text("已核实", timeout=15_000)
    desk.make(centre, "void", reason="only a test")
    expect(finder.locator(".row", has_text=words)).to_have_count(0, timeout=15_000)


def test_both_languages_and_the_way_out(open_page: Callable[..., Page], shots: pathlib.Path) -> None:
    page = open_page()
    expect(page.locator("h1")).to_have_text("平安网格")
    page.screenshot(path=shots / "sign-in-zh.png")
    page.click(".corner")
    expect(page.locator("h1")).to_have_text("Ping'an Grid")
    sign_in(page, "county")
    expect(page.locator(".list h2")).to_contain_text("Cases")
    page.screenshot(path=shots / "county-en.png")
    page.click("header >> text=中文")
    expect(page.locator(".list h2")).to_contain_text("事项")
    page.screenshot(path=shots / "county-zh.png")
    page.reload()
    page.wait_for_selector(".map-canvas[data-ready=true]")
    expect(page.locator(".list h2")).to_contain_text("事项")
    page.click("header >> text=退出")
    page.wait_for_selector("input[name=login]")


def test_a_wrong_password_is_told_in_the_pages_language(open_page: Callable[..., Page]) -> None:
    page = open_page(expect_errors=True)  # Chromium calls every 401 an error
    page.fill("input[name=login]", f"nobody{uuid.uuid4().hex[:6]}")
    page.fill("input[name=password]", "wrong")
    page.click("button[type=submit]")
    told = page.locator("[role=alert]").inner_text()
    assert any("一" <= letter <= "鿿" for letter in told), told
