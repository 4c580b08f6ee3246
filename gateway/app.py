"""The application: routes, the edge layer around them, problems for everything that is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from backbone import telemetry
from backbone.settings import PlatformSettings
from contracts.refusals import Refusal
from gateway import manual, middleware, pages
from gateway.access import demo
from gateway.documents import described
from gateway.middleware import Edge
from gateway.parts import Parts
from gateway.problems import Problem, refused
from gateway.routes import (
    accounts,
    alliances,
    areas,
    auth,
    boundaries,
    calendar,
    case_batches,
    case_exports,
    case_files,
    case_linkage,
    case_lists,
    case_moves,
    cases,
    categories,
    changes,
    codes,
    devices,
    events,
    files,
    follow,
    health,
    imports,
    my_reports,
    overlays,
    patrol,
    places,
    positions,
    posts,
    public,
    public_listings,
    public_reports,
    quarantine,
    registry,
    routing_rules,
    similar,
    staff,
    states,
    subscriptions,
    supervision,
    tiles,
)

log = telemetry.logger(__name__)

# Routes are tried one after another: those that are asked most often stand first.
ROUTERS = (
    case_exports.router,  # before /v1/cases/{case_id}
    case_lists.router,  # likewise
    cases.router,
    case_batches.router,
    case_moves.router,
    case_files.router,
    case_linkage.router,
    similar.router,
    supervision.router,
    positions.router,
    patrol.router,
    events.router,
    auth.router,
    imports.router,  # before /v1/areas/{code}
    changes.router,  # likewise
    boundaries.router,  # likewise
    areas.router,
    overlays.router,
    registry.router,
    posts.router,
    staff.router,
    places.router,
    devices.router,
    alliances.router,
    codes.router,
    files.router,
    my_reports.router,
    public.router,
    public_reports.router,
    follow.router,
    public_listings.router,
    states.router,
    calendar.router,
    categories.router,
    routing_rules.router,
    tiles.router,
    subscriptions.router,
    accounts.router,
    quarantine.router,
    health.router,
)
DESCRIPTION = """
One guarded API over a county's areas, cases, patrols and events.

- Times are RFC 3339; coordinates are `lon, lat` in that order and always name their `crs`.
- Lists are `{"items": [...], "next": cursor}`; send `next` back as `after`. A parameter nobody knows is refused
  (`unknown_parameter`), never ignored.
- Writes take an `Idempotency-Key`: the same request under the same key has one effect. Changes take
  `If-Match: "<version>"`, the `ETag` of the last read.
- Every refusal is `application/problem+json` with a stable `code`, in Chinese or English by `Accept-Language`.
- What you may not see does not exist: 404.
"""


def create_app(settings: PlatformSettings) -> FastAPI:
    """The gateway of one platform; connects when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        parts: Parts = app.state.parts
        await demo.guard(parts.access, allowed=settings.demo)
        await parts.start()
        try:
            yield
        finally:
            await parts.stop()

    app = _routed(lifespan)
    app.state.parts = Parts.build(settings)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(Edge)
    return app


def document() -> dict[str, Any]:
    """The OpenAPI document; needs no settings and connects to nothing."""
    return described(_routed(None))


def _routed(lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None) -> FastAPI:
    app = FastAPI(
        title="Ping'an Grid 平安网格",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        default_response_class=Response,
        redirect_slashes=False,
    )
    app.openapi = lambda: described(app)  # type: ignore[method-assign]
    for router in ROUTERS:
        app.include_router(router)
    app.include_router(manual.router)
    app.include_router(pages.router)
    return app


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - for the type checker
    return middleware.refused(request.scope, error)


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101
    return middleware.refused(request.scope, refused(error))


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return middleware.refused(request.scope, Problem.of_validation(error.errors()))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    headers = dict(error.headers or {})
    if error.status_code == 405:
        # The framework names the methods of the first route with this path; others may share it.
        headers["Allow"] = ", ".join(_methods(request.scope["path"]))
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": headers["Allow"]})
    return middleware.refused(request.scope, Problem.of_status(error.status_code, headers))


def _methods(path: str) -> list[str]:
    routes = (route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute))
    found = {"OPTIONS"}.union(*(route.methods or () for route in routes if route.path_regex.match(path)))
    return sorted(found | ({"HEAD"} if "GET" in found else set()))
