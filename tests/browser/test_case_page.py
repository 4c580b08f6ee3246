"""The page of a case: worked from report to close, and what it says when a move is refused."""

from __future__ import annotations

import json
import pathlib
import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import desk
from tests.browser.conftest import sign_in, sign_in_deaf
from tests.platform import Platform

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PHONE = (375, 812)
WAY = ["report", "verify", "register", "dispatch", "accept", "start", "finish", "pass_check", "close"]


def test_a_case_is_worked_from_report_to_close_on_two_accounts(
    platform: Platform, open_page: Callable[..., Page], shots: pathlib.Path
) -> None:
    """A grid worker reports by phone and checks on the spot; the town's centre does all the rest at its desk."""
    spot = desk.spot_of(platform)
    with platform.client("town") as client:
        agency = client.get("/v1/agencies/" + client.get("/v1/auth/me").json()["agency_id"]).json()["name"]
    worker, town = open_page(size=PHONE, at=spot.geolocation), open_page("en")
    sign_in(worker, "worker")
    sign_in(town, "town")
    words = f"二楼疏散通道堆放杂物 {uuid.uuid4().hex[:6]}"

    worker.click("[data-tab=report]")
    desk.choose_category(worker)
    worker.click("[data-place=here]")
    expect(worker.locator(".place b")).not_to_be_empty()
    worker.fill("textarea[name=description]", words)
    worker.fill("[name='answers.floor']", "2")
    desk.add_picture(worker, "form.report")
    worker.screenshot(path=shots / "phone-report-zh.png")
    worker.click("form.report button[type=submit]")
    expect(worker.locator("[data-follow-code]")).not_to_be_empty()
    worker.screenshot(path=shots / "phone-reported-zh.png")

    town.locator(".row", has_text=words).click()
    expect(town).to_have_url(desk.CASE_ADDRESS)
    expect(town.locator("[data-answers]")).to_contain_text("2")
    expect(town.locator("[data-clock]").first).to_be_visible()
    expect(town.locator("[data-files] img")).to_be_visible(timeout=60_000)  # the worker process makes the thumbnail
    town.screenshot(path=shots / "case-en.png")
    desk.make(town, "verify", note="looked at it")
    desk.make(town, "register")
    desk.ask_for(town, "dispatch")
    desk.find(town, "agency_id", agency)
    desk.send(town)
    expect(town.locator("[data-agency=lead]")).to_contain_text(agency)
    for move in ("accept", "start"):
        desk.make(town, move)
    desk.make(town, "finish", note="cleared away")
    expect(town.locator("[data-state]")).to_have_text("Handled")
    expect(town.locator("button[data-move=pass_check]")).to_have_count(0)  # who handles does not check

    worker.click("[data-tab=mine]")
    worker.locator("[data-mine]", has_text=words).click()
    desk.ask_for(worker, "pass_check")
    worker.click("form.ask [data-place=here]")
    expect(worker.locator("form.ask .place b")).not_to_be_empty()
    desk.add_picture(worker, "form.ask")
    worker.screenshot(path=shots / "phone-check-zh.png")
    desk.send(worker)
    expect(town.locator("[data-state]")).to_have_text("Checked", timeout=15_000)
    desk.make(town, "close")
    expect(town.locator("[data-state]")).to_have_text("Closed")
    done = desk.timeline(town, "close")
    assert [move for move in done if move in WAY] == WAY
    expect(town.locator("[data-history]")).to_contain_text("cleared away")
    expect(town.locator("[data-files] li")).to_have_count(2)
    town.screenshot(path=shots / "closed-en.png")


def test_a_stale_version_is_told_with_what_changed_and_what_was_typed_stays(
    platform: Platform, open_page: Callable[..., Page], shots: pathlib.Path
) -> None:
    spot = desk.spot_of(platform)
    with platform.client("town") as other:
        case = desk.reported(other, spot, "路灯不亮")
        page = open_page(expect_errors=True, deaf=True)
        sign_in_deaf(page, "county")
        desk.open_case(page, case["case_id"])
        desk.ask_for(page, "void")
        page.fill("form.ask [name=reason]", "重复上报，已在别处办理")
        desk.moved(other, case, "verify", note="已到现场看过")
        page.click("form.ask button[type=submit]")
        expect(page.locator(".notice.stale")).to_contain_text("已到现场看过")
        expect(page.locator(".notice.stale")).to_contain_text("已核实")
        expect(page.locator("form.ask [name=reason]")).to_have_value("重复上报，已在别处办理")
        page.screenshot(path=shots / "stale-zh.png")
        page.click("[data-again]")
        page.wait_for_selector("form.ask", state="detached")
        expect(page.locator("[data-state]")).to_have_text("已作废")


def test_a_second_move_follows_at_once_before_the_page_is_loaded_anew(
    platform: Platform, open_page: Callable[..., Page]
) -> None:
    with platform.client("town") as client:
        case = desk.reported(client, desk.spot_of(platform), "护栏松动")
    page = open_page("en")
    sign_in(page, "town")
    desk.open_case(page, case["case_id"])
    page.route("**/v1/cases/*/history*", lambda route: None)  # held back
    desk.make(page, "verify", note="looked at it")
    desk.make(page, "register")  # a refusal would be a console error, and fail the test
    expect(page.locator("[data-state]")).to_have_text("Registered")
    page.unroute("**/v1/cases/*/history*")  # lets go of what was held
    assert desk.timeline(page, "register") == ["report", "verify", "register"]


def test_what_is_typed_outlives_a_closed_form_and_a_reload(platform: Platform, open_page: Callable[..., Page]) -> None:
    with platform.client("town") as client:
        case = desk.reported(client, desk.spot_of(platform), "井盖松动")
    page = open_page()
    sign_in(page, "town")
    desk.open_case(page, case["case_id"])
    desk.ask_for(page, "refuse")
    page.fill("form.ask [name=reason]", "不属于本镇")
    page.click("form.ask .quiet >> text=暂不办理")
    page.reload()
    desk.ask_for(page, "refuse")
    expect(page.locator("form.ask [name=reason]")).to_have_value("不属于本镇")
    # Nothing of it waits for the next one who signs in here.
    page.click("header >> text=退出")
    page.wait_for_selector("input[name=login]")
    assert page.evaluate("Object.keys(sessionStorage).filter(key => key.startsWith('pingan.draft')).length") == 0


@pytest.mark.parametrize(("sent", "told"), [("close", "现在可以办理"), ("pass_check", "经办人不得核查")])
def test_a_refused_move_is_told_in_the_readers_words(
    platform: Platform, open_page: Callable[..., Page], shots: pathlib.Path, sent: str, told: str
) -> None:
    """The page offers only what is legal; here what it sends becomes another move on its way (409, 403)."""
    with platform.client("town") as client:
        case = desk.reported(client, desk.spot_of(platform), "占道经营")
        own = client.get("/v1/auth/me").json()["agency_id"]
        desk.moved(client, case, "register")
        if sent == "pass_check":
            desk.moved(client, case, "dispatch", agency_id=own)
            for move in ("accept", "start", "finish"):
                desk.moved(client, case, move)
    page = open_page(expect_errors=True)

    def changed(route: Route) -> None:
        if route.request.method != "POST":
            return route.fallback()
        body = json.loads(route.request.post_data or "{}")
        return route.continue_(post_data=json.dumps({"move": sent, "note": body.get("reason")}))

    page.route(
        "**/v1/cases/*/moves", lambda route: changed(route) if route.request.method == "POST" else route.fallback()
    )
    sign_in(page, "town")
    desk.open_case(page, case["case_id"])
    desk.ask_for(page, "void")
    page.fill("form.ask [name=reason]", "写好的理由")
    page.click("form.ask button[type=submit]")
    expect(page.locator("form.ask .notice.bad")).to_contain_text(told)
    expect(page.locator("form.ask [name=reason]")).to_have_value("写好的理由")
    page.screenshot(path=shots / f"refused-{sent}-zh.png")


def test_a_missing_field_is_marked_and_gets_the_focus(platform: Platform, open_page: Callable[..., Page]) -> None:
    with platform.client("town") as client:
        case = desk.reported(client, desk.spot_of(platform), "电线裸露")
    page = open_page("en")
    sign_in(page, "town")
    desk.open_case(page, case["case_id"])
    desk.ask_for(page, "supervise")
    page.fill("form.ask [name=reason]", "a week without an answer")
    page.click("form.ask button[type=submit]")
    expect(page.locator(".field.wrong")).to_have_attribute("data-field", "supervision")
    assert page.evaluate("document.activeElement.name") == "supervision"


def test_a_case_that_may_not_be_seen_is_as_one_that_is_not_there(open_page: Callable[..., Page]) -> None:
    page = open_page(expect_errors=True)
    sign_in(page, "worker")
    page.evaluate("id => { location.hash = `#/cases/${id}` }", str(uuid.uuid4()))
    expect(page.locator("[data-case-page] [role=alert]")).to_have_text("事项不存在或您无权查看")
