"""The console's files: kept by content, never from anywhere else; without them the gateway says what to do."""

from __future__ import annotations

import gzip
import pathlib
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import Response

from gateway import pages
from gateway.problems import Problem

SCRIPT = "console.log('平安')".encode()


@pytest.fixture
def built(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>x</title>")
    (tmp_path / "icon.svg").write_text("<svg/>")
    (tmp_path / "assets" / "index-abc.js").write_bytes(SCRIPT)
    (tmp_path / ".stamp").write_text("secret")
    return tmp_path


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch, built: pathlib.Path) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr(pages, "_files", pages.built_files(built))
    app = FastAPI()
    app.include_router(pages.router)

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> Response:
        return Response(status_code=error.status)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway") as client:
        yield client


async def test_the_page_is_asked_for_anew_and_its_parts_are_kept(client: httpx.AsyncClient) -> None:
    page, part = await client.get("/"), await client.get("/assets/index-abc.js")
    assert (page.headers["cache-control"], part.headers["cache-control"]) == ("no-cache", pages.FOREVER)
    assert part.content == SCRIPT
    assert part.headers["content-type"].startswith("text/javascript")
    assert "script-src 'self';" in page.headers["content-security-policy"]
    again = await client.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_client_that_unpacks_gets_it_packed(client: httpx.AsyncClient) -> None:
    packed = await client.get("/assets/index-abc.js", headers={"Accept-Encoding": "gzip"})
    plain = await client.get("/assets/index-abc.js", headers={"Accept-Encoding": "identity"})
    assert (packed.headers["content-encoding"], "content-encoding" in plain.headers) == ("gzip", False)
    assert packed.content == plain.content == SCRIPT
    assert gzip.decompress(pages.built_files(pages.BUILT.parent / "public")["/icon.svg"].packed).startswith(b"<svg")


@pytest.mark.parametrize("address", ["/assets/other.js", "/assets/..%2f.stamp", "/.stamp", "/assets/.stamp"])
async def test_nothing_else_is_served(client: httpx.AsyncClient, address: str) -> None:
    assert (await client.get(address)).status_code == 404


async def test_without_a_build_it_says_how_to_make_one(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_files", {})
    answer = await client.get("/")
    assert answer.status_code == 200
    assert "make run" in answer.text
