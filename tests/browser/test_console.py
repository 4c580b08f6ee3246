"""The console as a whole: signing in, both languages, what one does is seen by another at once."""

from __future__ import annotations

import pathlib
import time
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, TimeoutError, expect

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
    _click_free_ground(finder)
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


def test_the_map_shows_what_the_list_is_narrowed_to_and_follows_what_others_do(
    platform: Platform, open_page: Callable[..., Page], shots: pathlib.Path
) -> None:
    page = open_page()
    sign_in(page, "town")
    words = f"渠边护栏断开 {uuid.uuid4().hex[:6]}"
    spot = _click_free_ground(page)
    desk.choose_category(page)
    page.fill("textarea[name=description]", words)
    page.click("form.report button[type=submit]")
    page.wait_for_selector("[data-reported]")

    _to_the_list(page, "没有这样的事项")
    _click_until(page, spot, "form.report")
    _to_the_list(page, words)
    page.screenshot(path=shots / "map-narrowed-zh.png")
    # The town's map is wide: its tile tells where the one case lies, not which it is.
    _click_until(page, spot, "[data-case-page]")
    expect(page.locator("[data-case-page]")).to_contain_text(words)
    with platform.client("town") as client:
        case = client.get("/v1/cases", params={"search": words}).json()["items"][0]
        desk.moved(client, case, "void", reason="only a test")
    _to_the_list(page, words)
    _click_until(page, spot, "form.report")


def _to_the_list(page: Page, words: str) -> None:
    page.evaluate("location.hash = '#/'")
    if page.input_value("input[name=search]") == words:
        return
    with page.expect_response(lambda answer: "/v1/tiles/cases/" in answer.url and "search=" in answer.url):
        page.fill("input[name=search]", words)


def _click_free_ground(page: Page) -> tuple[float, float]:
    """Opens the form for a place where no case is drawn: other tests have left theirs; returns where that was."""
    canvas = page.locator(".map-canvas canvas").first.bounding_box()
    assert canvas is not None
    for right, down in ((0.47, 0.53), (0.44, 0.58), (0.56, 0.44), (0.4, 0.5), (0.58, 0.58), (0.5, 0.36)):
        spot = canvas["x"] + canvas["width"] * right, canvas["y"] + canvas["height"] * down
        if _opens(page, spot, "form.report"):
            return spot
    pytest.fail("no free ground on the map")


def _click_until(page: Page, spot: tuple[float, float], wanted: str) -> None:
    """Tiles come when they come: five seconds after a change at the latest, and some for a slow machine."""
    if not any(_opens(page, spot, wanted) for _ in range(15)):
        pytest.fail(f"no {wanted} after clicks on the map")


def _opens(page: Page, spot: tuple[float, float], wanted: str) -> bool:
    page.evaluate("location.hash = '#/'")
    page.wait_for_selector(".feed")
    page.mouse.click(*spot)
    try:
        page.wait_for_selector(wanted, timeout=1_000)
    except TimeoutError:
        return False
    return True


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
