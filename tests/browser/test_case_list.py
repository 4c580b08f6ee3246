"""The list beside the map: narrowed, searched, paged, kept, moved and exported as a whole; and all of it on a phone."""

from __future__ import annotations

import pathlib
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser import desk
from tests.browser.conftest import sign_in
from tests.platform import Platform

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
MANY = 57
"""More than one page."""
PHONE = (375, 740)


@pytest.fixture(scope="module")
def words(platform: Platform) -> str:
    """What is said by so many cases, and by no other."""
    said = f"巷道{uuid.uuid4().hex[:6]}灯不亮"
    spot = desk.spot_of(platform)
    with platform.client("town") as client:
        for n in range(MANY):
            desk.reported(client, spot, f"第{n}处{said}")
    return said


def narrow(page: Page, words: str) -> None:
    # Not yet narrowed, a new county's list may look the same.
    with page.expect_response(lambda answer: "/v1/cases?" in answer.url and "search=" in answer.url):
        page.fill("input[name=search]", words)
    expect(page.locator("[data-total]")).to_contain_text(str(MANY), timeout=15_000)
    expect(page.locator(".rows li").first).to_contain_text(words)


def test_a_list_is_searched_filtered_and_paged(words: str, open_page: Callable[..., Page], shots: pathlib.Path) -> None:
    page = open_page()
    sign_in(page, "town")
    narrow(page, words)
    expect(page.locator(".rows li")).to_have_count(50)
    page.locator(".list-end").scroll_into_view_if_needed()
    expect(page.locator(".rows li")).to_have_count(MANY)
    page.click("[data-filters]")
    expect(page.locator(".filters label", has_text="已上报")).to_contain_text(f"({MANY})")
    page.screenshot(path=shots / "list-zh.png")
    page.locator("input[name=state][value=handled]").check()
    expect(page.locator("[data-empty]")).to_contain_text("没有符合条件的事项")
    page.click("[data-reset]")
    expect(page.locator("input[name=search]")).to_have_value("")
    expect(page.locator(".rows li").first).to_be_visible()


def test_rows_are_walked_by_the_keyboard(words: str, open_page: Callable[..., Page]) -> None:
    page = open_page("en")
    sign_in(page, "town")
    narrow(page, words)
    page.locator(".rows button.row").first.focus()
    page.keyboard.press("ArrowDown")
    second = page.locator(".rows button.row").nth(1)
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-case-page]")).to_have_attribute(
        "data-case-page", second.get_attribute("data-case") or ""
    )


def test_a_filter_is_kept_under_a_name_and_comes_back(words: str, open_page: Callable[..., Page]) -> None:
    page = open_page()
    sign_in(page, "town")
    narrow(page, words)
    page.click("[data-filters]")
    page.click("[data-save-filter]")
    name = f"灯不亮 {uuid.uuid4().hex[:6]}"
    page.fill("input[name=filter-name]", name)
    page.click(".saved button[type=submit]")
    page.wait_for_selector(f"[data-saved='{name}']")
    page.click("[data-reset]")
    expect(page.locator("input[name=search]")).to_have_value("")
    page.click(f"[data-saved='{name}']")
    expect(page.locator("[data-total]")).to_contain_text(str(MANY))


def test_many_are_moved_at_once_and_the_refused_are_named(
    platform: Platform, words: str, open_page: Callable[..., Page], shots: pathlib.Path
) -> None:
    page = open_page()
    sign_in(page, "town")
    narrow(page, words)
    for n in range(3):
        page.locator(".rows input[name=selected]").nth(n).check()
    expect(page.locator("[data-selected]")).to_contain_text("3")
    page.select_option("select[name=bulk-move]", "register")
    page.click(".bulk button[type=submit]")
    expect(page.locator("[data-bulk-result]")).to_contain_text("3 件已办理，0 件未办理")
    # Reported ones and registered ones together: what does not fit one stops no other.
    page.click("[data-bulk-result] button")
    for n in range(5):
        page.locator(".rows input[name=selected]").nth(n).check()
    page.select_option("select[name=bulk-move]", "register")
    page.click(".bulk button[type=submit]")
    expect(page.locator("[data-bulk-result]")).to_contain_text("2 件已办理，3 件未办理")
    page.screenshot(path=shots / "bulk-zh.png")


def test_what_is_filtered_is_exported_and_downloaded(words: str, open_page: Callable[..., Page]) -> None:
    page = open_page()
    sign_in(page, "town")
    narrow(page, words)
    page.click("[data-filters]")
    page.click("[data-export=csv]")
    page.wait_for_selector("[data-export-state=ready]", timeout=60_000)
    with page.expect_download() as downloading:
        page.click("[data-download]")
    text = pathlib.Path(downloading.value.path()).read_text("utf-8-sig")
    assert text.count(words) == MANY


@pytest.mark.parametrize("language", ["zh", "en"])
def test_everything_fits_a_phone(
    platform: Platform, words: str, open_page: Callable[..., Page], shots: pathlib.Path, language: str
) -> None:
    spot = desk.spot_of(platform)
    page = open_page(language, size=PHONE, at=spot.geolocation)
    sign_in(page, "town")
    narrow(page, words)
    desk.fits(page)
    page.screenshot(path=shots / f"phone-list-{language}.png")
    page.click("[data-filters]")
    desk.fits(page)
    page.screenshot(path=shots / f"phone-filters-{language}.png")
    page.locator(".rows button.row").first.click()
    page.wait_for_selector("[data-history] li")
    desk.fits(page)
    page.screenshot(path=shots / f"phone-case-{language}.png")
    desk.ask_for(page, "relocate")
    page.fill("form.ask [name=reason]", "ten metres off")
    # The map comes to the front until the place is picked, and what was typed is still there.
    page.click("form.ask [data-place=pick]")
    canvas = page.locator(".map-canvas canvas").first.bounding_box()
    assert canvas is not None
    page.mouse.click(canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2)
    expect(page.locator("form.ask [name=reason]")).to_have_value("ten metres off")
    expect(page.locator("form.ask .place b")).not_to_be_empty()
    desk.fits(page)
    page.screenshot(path=shots / f"phone-move-{language}.png")
    page.click("[data-tab=report]")
    desk.choose_category(page)
    desk.fits(page)
    page.screenshot(path=shots / f"phone-form-{language}.png")
    page.click("[data-tab=map]")
    page.screenshot(path=shots / f"phone-map-{language}.png")
