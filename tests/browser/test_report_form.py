"""The report form: whom to call first, what the category asks, one case however often it is sent."""

from __future__ import annotations

import pathlib
import random
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import desk
from tests.browser.conftest import sign_in
from tests.platform import Platform

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def fill(page: Page, spot: desk.Spot, words: str) -> None:
    page.click("[data-nav=report]")
    desk.choose_category(page)
    page.click("[data-place=here]")
    expect(page.locator(".place b")).not_to_be_empty()
    page.fill("textarea[name=description]", words)


def count(platform: Platform, words: str) -> int:
    with platform.client("town") as client:
        return len(client.get("/v1/cases", params={"search": words}).json()["items"])


def test_an_emergency_names_the_numbers_before_the_form(open_page: Callable[..., Page], shots: pathlib.Path) -> None:
    page = open_page()
    sign_in(page, "worker")
    page.click("[data-nav=report]")
    desk.choose_category(page, desk.EMERGENCY)
    expect(page.locator(".notice.emergency a")).to_have_text(["110", "119", "120"])
    expect(page.locator("textarea[name=description]")).to_have_count(0)
    page.screenshot(path=shots / "emergency-zh.png")
    page.click("[data-called]")
    expect(page.locator("textarea[name=description]")).to_be_visible()


def test_an_answer_that_does_not_fit_is_marked_before_anything_is_sent(
    platform: Platform, open_page: Callable[..., Page], shots: pathlib.Path
) -> None:
    spot = desk.spot_of(platform)
    page = open_page(at=spot.geolocation)
    sign_in(page, "worker")
    fill(page, spot, "楼道堆物")
    page.fill("[name='answers.floor']", "900")
    page.click("form.report button[type=submit]")
    expect(page.locator(".field.wrong")).to_have_attribute("data-field", "answers.floor")
    expect(page.locator(".field.wrong .bad")).to_contain_text("150")
    page.screenshot(path=shots / "answer-wrong-zh.png")


def test_a_double_click_and_a_lost_answer_make_one_case(platform: Platform, open_page: Callable[..., Page]) -> None:
    spot = desk.spot_of(platform)
    page = open_page(expect_errors=True, at=spot.geolocation)
    sign_in(page, "worker")
    words = f"充电飞线 {uuid.uuid4().hex[:8]}"
    fill(page, spot, words)
    lost: list[str] = []

    def lose(route: Route) -> None:
        if route.request.method != "POST" or lost:
            return route.fallback()
        lost.append(route.fetch().text())  # taken by the platform, and nobody heard
        return route.abort()

    page.route("**/v1/cases", lose)
    page.dblclick("form.report button[type=submit]")
    expect(page.locator("form.report .notice.bad")).to_contain_text("不会重复")
    expect(page.locator("textarea[name=description]")).to_have_value(words)
    page.click("form.report button[type=submit]")
    page.wait_for_selector("[data-reported]")
    assert page.inner_text("[data-case-no]") in lost[0]
    assert count(platform, words) == 1


def test_similar_cases_are_shown_before_a_second_report(platform: Platform, open_page: Callable[..., Page]) -> None:
    centre = desk.spot_of(platform)
    # Some metres from where every other test reports: the nearest come first.
    spot = desk.Spot(centre.lon + random.uniform(-4e-4, 4e-4), centre.lat + random.uniform(-4e-4, 4e-4))
    with platform.client("worker") as client:
        known = desk.reported(client, spot, "安全出口上锁", category=desk.CATEGORY, source="grid_worker")
    page = open_page(at=spot.geolocation)
    sign_in(page, "worker")
    fill(page, spot, "安全出口锁着")
    page.click(f"[data-similar-case='{known['case_id']}']")
    expect(page.locator(f"[data-case-page='{known['case_id']}']")).to_be_visible()
    # What was typed waits.
    page.click("[data-nav=report]")
    expect(page.locator("textarea[name=description]")).to_have_value("安全出口锁着")
