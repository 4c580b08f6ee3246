"""Debian's Chromium, headless, drawing the map in software; the page may not complain while a test looks at it."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, sync_playwright

from infra.local import place
from infra.local.bootstrap import CHROMIUM
from simulator import staff
from tests.platform import Platform, platform

__all__ = ["platform"]

ARGUMENTS = (
    "--no-sandbox",  # CI runs as root
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
)
WITHIN_MS = 30_000


@pytest.fixture(scope="session")
def shots() -> pathlib.Path:
    """Where screenshots are kept to be looked at."""
    directory = place.LINK / "screenshots"
    directory.mkdir(exist_ok=True)
    return directory


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of one module: while Playwright runs, no other test can run an event loop of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, platform: Platform) -> Iterator[Callable[..., Page]]:
    """Opens the page in a window of its own; any console error, script error or 5xx fails the test at its end."""
    complaints: list[str] = []
    contexts = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(f"console: {message.text} ({message.location})")

    def on_response(response: Response) -> None:
        if response.status >= 500:
            complaints.append(f"{response.status} {response.url}")

    def opened(
        language: str = "zh",
        expect_errors: bool = False,
        size: tuple[int, int] = (1440, 860),
        at: dict[str, float] | None = None,
        deaf: bool = False,
    ) -> Page:
        """`at`: where the device says it is; `deaf`: the page hears no events, and learns what others do too late."""
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale="zh-CN",
            geolocation=at,
            permissions=["geolocation"] if at else [],
        )
        context.add_init_script(f"localStorage.setItem('pingan.language', '{language}')")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WITHIN_MS)
        if not expect_errors:
            page.on("console", on_console)
        page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
        page.on("response", on_response)
        if deaf:
            page.route("**/v1/events/stream*", lambda route: None)  # it connects for ever
        page.goto(platform.url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page: Page, login: str) -> None:
    """By the form, as a person does; returns when the map is drawn and the event stream is open."""
    sign_in_deaf(page, login)
    page.wait_for_selector(".chip.open")


def sign_in_deaf(page: Page, login: str) -> None:
    """The same without waiting for events, which this page will not hear."""
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", staff.PASSWORD.format(login=login))
    page.click("button[type=submit]")
    page.wait_for_selector(".map-canvas[data-ready=true]", state="attached")
