"""Two people at their pages: what one reports by a click the other sees, moves on and closes; both languages."""

from __future__ import annotations

import pathlib
import time
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.platform import Platform

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SEEN_WITHIN_S = 2.0


def report_by_click(page: Page, words: str) -> None:
    """A click into the middle of the map, the form, and its button."""
    canvas = page.locator(".map-canvas canvas").first.bounding_box()
    assert canvas is not None
    page.mouse.click(canvas["x"] + canvas["width"] * 0.47, canvas["y"] + canvas["height"] * 0.53)
    page.wait_for_selector("form.panel textarea[name=description]")
    page.select_option("select[name=category]", "fire.exit_blocked")
    page.fill("textarea[name=description]", words)
    page.click("form.panel button[type=submit]")


def make_move(page: Page, move: str, words: str = "") -> None:
    page.click(f"button[data-move={move}]")
    if words:
        page.fill("textarea[name=words]", words)
    page.click("form.ask button[type=submit]")
    page.wait_for_selector("form.ask", state="detached")


def test_a_report_by_a_click_is_seen_by_another_within_two_seconds_and_moved_on_to_closed(
    platform: Platform, open_page: Callable[..., Page], shots: pathlib.Path
) -> None:
    finder, desk = open_page(), open_page("en")
    sign_in(finder, "worker")
    sign_in(desk, "town")
    words = f"三楼安全出口被杂物堵住 {uuid.uuid4().hex[:6]}"
    report_by_click(finder, words)
    finder.wait_for_selector("[data-state]")
    sent = time.monotonic()
    row = desk.locator(".row", has_text=words)
    row.wait_for(timeout=15_000)
    seen_after = time.monotonic() - sent
    finder.screenshot(path=shots / "reported-zh.png")

    row.click()
    expect(desk.locator("[data-state]")).to_have_text("Reported")
    desk.wait_for_selector("button[data-move=verify]")
    desk.screenshot(path=shots / "case-en.png")
    make_move(desk, "verify", "looked at it")
    make_move(desk, "register")
    make_move(desk, "dispatch")
    expect(desk.locator("[data-state]")).to_have_text("Dispatched")
    # The finder's page follows without being touched.
    expect(finder.locator("[data-state]")).to_have_text("已交办", timeout=15_000)

    brigade = open_page()
    sign_in(brigade, "fire")
    brigade.locator(".row", has_text=words).click()
    for move in ("accept", "start", "finish"):
        make_move(brigade, move)
    expect(brigade.locator("[data-state]")).to_have_text("已处置")
    for move in ("pass_check", "close"):
        make_move(desk, move)
    expect(desk.locator("[data-state]")).to_have_text("Closed")
    expect(finder.locator(".row", has_text=words)).to_have_count(0, timeout=15_000)
    desk.screenshot(path=shots / "closed-en.png")
    assert seen_after <= SEEN_WITHIN_S, f"seen after {seen_after:.1f} s"


def test_both_languages_and_the_way_out(open_page: Callable[..., Page], shots: pathlib.Path) -> None:
    page = open_page()
    expect(page.locator("h1")).to_have_text("平安网格")
    page.screenshot(path=shots / "sign-in-zh.png")
    page.click(".corner")
    expect(page.locator("h1")).to_have_text("Ping'an Grid")
    sign_in(page, "county")
    expect(page.locator(".list h2")).to_contain_text("Open cases")
    page.screenshot(path=shots / "county-en.png")
    page.click("header >> text=中文")
    expect(page.locator(".list h2")).to_contain_text("未结事项")
    page.screenshot(path=shots / "county-zh.png")
    page.reload()
    page.wait_for_selector(".map-canvas[data-ready=true]")
    expect(page.locator(".list h2")).to_contain_text("未结事项")
    page.click("header >> text=退出")
    page.wait_for_selector("input[name=login]")


def test_a_wrong_password_is_told_in_the_pages_language(open_page: Callable[..., Page]) -> None:
    page = open_page(expect_errors=True)  # Chromium calls every 401 an error
    page.fill("input[name=login]", f"nobody{uuid.uuid4().hex[:6]}")
    page.fill("input[name=password]", "wrong")
    page.click("button[type=submit]")
    told = page.locator("[role=alert]").inner_text()
    assert any("一" <= letter <= "鿿" for letter in told), told
