"""Is it alive, can it work?"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from gateway import documents
from gateway.parts import Platform
from gateway.rendering import rendered
from gateway.routing import Route

router = APIRouter(prefix="/v1/health", tags=["health"], route_class=Route)


@router.get(
    "/live",
    summary="Alive",
    description="200 while the process turns at all.",
    responses=documents.answer({"status": "live"}, "Alive"),
)
async def live() -> Response:
    return rendered({"status": "live"})


@router.get(
    "/ready",
    summary="Ready",
    description="200 when every dependency answers: each database, the broker, and each service that commands go to. "
    "503 names the ones that do not; what needs none of those is served all the same.",
    responses=documents.answer({"status": "ready", "checks": {"broker": True, "commands hazards": True}}, "Ready")
    | documents.answer(
        {"status": "not ready", "checks": {"broker": True, "commands hazards": "nobody consumes hazards.commands"}},
        "Not ready",
        503,
    ),
)
async def ready(platform: Platform) -> Response:
    states = platform.watch.everything()
    well = all(state is True for state in states.values())
    return rendered({"status": "ready" if well else "not ready", "checks": states}, 200 if well else 503)
