"""What a route asks first: the caller, then the query's names, then the body's form. No server, no sockets."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from backbone.settings import SCHEMAS, PlatformSettings
from contracts.scope import Actor, Role, Scope
from gateway.app import ROUTERS, create_app
from gateway.auth.actors import SignedIn
from gateway.auth.signed_in import Bearer
from gateway.auth.tokens import Claims
from gateway.routing import Route, _tree

ADMIN = Actor(UUID(int=1), UUID(int=2), frozenset(Role), Scope(areas=("330499/",)))
OPEN = {"token", "live", "ready", "place_card", "report_publicly", "follow", "rate", "appeal", "public_listings"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    with pytest.MonkeyPatch.context() as patch:
        for schema in SCHEMAS:
            for kind in ("", "READ_"):
                patch.setenv(f"PINGAN_{schema.upper()}_{kind}DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
        patch.setenv("PINGAN_BROKER_URL", "amqp://127.0.0.1:1/")
        patch.setenv("PINGAN_BROKER_MANAGEMENT_URL", "http://127.0.0.1:1")
        directory = tmp_path_factory.mktemp("files")
        yield create_app(PlatformSettings(county_code="330499", secret_key="s" * 40, files_directory=directory))


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway") as client:
        yield client


@pytest.fixture
async def admin(app: FastAPI, stranger: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> httpx.AsyncClient:
    async def of(claims: Claims) -> SignedIn:
        return SignedIn(ADMIN, "admin", False, datetime.now(UTC) + timedelta(minutes=5))

    monkeypatch.setattr(app.state.parts.actors, "of", of)
    token, _ = app.state.parts.tokens.issue(ADMIN.account_id, UUID(int=3))
    stranger.headers["Authorization"] = f"Bearer {token}"
    return stranger


def routes() -> Iterator[APIRoute]:
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            yield route


def calls() -> list[tuple[str, str]]:
    """(method, path with made-up ids) of every guarded operation."""
    found = []
    for route in routes():
        if any(isinstance(each.call, Bearer) for each in _tree(route.dependant)):
            path = route.path_format
            for name in route.param_convertors:
                path = path.replace(f"{{{name}}}", str(UUID(int=9)))
            found += [(method, path) for method in sorted(route.methods or ())]
    return found


def test_every_route_judges_and_all_but_the_open_ones_are_guarded() -> None:
    assert all(isinstance(route, Route) for route in routes())
    unguarded = {
        route.name for route in routes() if not any(isinstance(each.call, Bearer) for each in _tree(route.dependant))
    }
    assert unguarded == OPEN


@pytest.mark.parametrize(("method", "path"), calls())
async def test_who_has_not_signed_in_hears_only_that(stranger: httpx.AsyncClient, method: str, path: str) -> None:
    bodies = (b"", b"{", b'{"no such field": 1}', b"\xff", b"[" * 5000)
    types = ("application/json", "text/plain", "multipart/form-data; boundary=b", None)
    for body in bodies if method != "GET" else (b"",):
        for media_type in types:
            headers = {"Content-Type": media_type} if media_type else {}
            answer = await stranger.request(method, path + "?nonsense=1&limit=no", content=body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), (body, media_type)
            assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path"), calls())
async def test_a_parameter_nobody_knows_is_refused_by_name(admin: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await admin.request(method, path + "?categroy=fire", headers={"Accept-Language": "zh"})
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["field"]) == (422, "unknown_parameter", "categroy")
    assert problem["detail"] == "不存在该查询参数"


async def test_a_misspelt_parameter_is_told_the_right_one(admin: httpx.AsyncClient) -> None:
    assert (await admin.get("/v1/cases?categroy=fire")).json()["expected"] == "category"
    assert "bbox" in (await admin.get("/v1/cases?zzz=1")).json()["expected"]


async def test_a_filter_given_twice_is_refused_where_it_means_one_value(admin: httpx.AsyncClient) -> None:
    answer = await admin.get("/v1/cases?kind=hazard&kind=request")
    assert (answer.status_code, answer.json()["field"]) == (422, "kind")
    listed = await admin.get("/v1/cases?state=reported&state=verified&limit=no")
    assert listed.json()["field"] == "limit", "several states are fine"


@pytest.mark.parametrize("path", ["/v1/subscriptions", "/v1/patrol/shifts", "/v1/auth/token"])
async def test_a_body_of_another_form_is_415_and_says_which(admin: httpx.AsyncClient, path: str) -> None:
    answer = await admin.post(path, content=b"x=1", headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert answer.json()["expected"].startswith("application/")


async def test_another_method_hears_every_method_of_the_path(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.delete("/v1/cases")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    asked = await stranger.options("/v1/cases")
    assert (asked.status_code, asked.headers["allow"], asked.content) == (204, "GET, HEAD, OPTIONS, POST", b"")


async def test_head_is_judged_as_get(stranger: httpx.AsyncClient, admin: httpx.AsyncClient) -> None:
    assert (await admin.head("/v1/states")).status_code == 200
    assert (await admin.head("/v1/events/stream")).headers["content-type"].startswith("text/event-stream")
    del stranger.headers["Authorization"]
    assert (await stranger.head("/v1/states")).status_code == 401


async def test_an_endless_address_is_414(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/v1/cases?category=" + "x" * 20_000)
    assert (answer.status_code, answer.json()["code"]) == (414, "uri_too_long")
