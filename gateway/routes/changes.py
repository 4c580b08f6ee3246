"""Changes of the boundary in force: split, merge, rename; the plan of what follows; the way back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
import shapely
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from backbone.database import new_id
from contracts.areas import AreaCode
from contracts.grid.commands import Crs, Operation, ReviewPlan, StartBoundaryChange, UndoBoundaryChange
from contracts.hazards.commands import CaseFilter
from contracts.scope import Scope
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.parts import Parts, Platform
from gateway.problems import Problem
from gateway.reads import etag
from gateway.rendering import rendered
from gateway.routing import Route
from services.grid import queries
from services.hazards import queries as hazards_queries

router = APIRouter(prefix="/v1/areas", tags=["areas"], route_class=Route)
MOST_CASES = 5_000
_PAGE = 500


class NewChange(BaseModel):
    """What shall be done to the boundary in force, in this order; a split's line is in `crs`."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"example": examples.CHANGE})
    crs: Crs
    operations: list[Operation] = Field(min_length=1, max_length=50)


class PostChoices(BaseModel):
    """Other grids for posts than the plan proposes: post id -> code."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"example": examples.POST_CHOICES})
    posts: dict[UUID, AreaCode] = Field(min_length=1, max_length=1000)


@router.post(
    "/changes",
    status_code=202,
    summary="Split, merge or rename grids",
    description="A draft like an import's: a worker carries the operations out on the boundary in force, checks the "
    "whole county, and makes a plan of what has to follow. Look at `Location`; review its plan; publish.",
    responses=documents.answer({**examples.IMPORT, "state": "received", "progress": 0.0, "report": None}, "Taken", 202)
    | documents.WRITTEN
    | documents.problems("crs_required"),
)
async def change(body: NewChange, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    command = StartBoundaryChange(import_id=new_id(), crs=body.crs, operations=body.operations)
    reply = await platform.writes.send(request, actor, command)
    return rendered(reply, 202, {"Location": f"/v1/areas/imports/{reply['import_id']}", **etag(reply.get("version"))})


@router.get(
    "/imports/{import_id}/plan",
    summary="What follows a change",
    description="Voided and made grids, posts with the grid proposed for each, places, and the open cases that the new "
    f"borders would give to each grid now (the newest {MOST_CASES} are looked at).",
    responses=documents.answer(examples.PLAN, "The plan") | documents.GUARDED,
)
async def plan(import_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    row = await platform.reads.row("grid", queries.import_by_id(actor.scope, import_id, importer=actor.account_id))
    found = orjson.loads(row["body"])["plan"]
    if found is None:
        raise Problem("not_found", "There is no plan: this is no change, or it is not valid yet.", zh="尚无方案")
    cases = await _cases(platform, actor.scope, found)
    return rendered({**found, "cases": cases}, headers=etag(row["version"]))


async def _cases(platform: Parts, scope: Scope, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Open cases in the grids that go, each with the made grid it would lie in."""
    shapes = {made["code"]: shapely.from_geojson(orjson.dumps(made["geometry"])) for made in found["made"]}
    moved: list[dict[str, Any]] = []
    for code, path in found["paths"].items():
        own = sorted(found["became"][code])
        asked = CaseFilter(open=True, area_path=(path,))
        after = None
        while len(moved) < MOST_CASES:
            query = hazards_queries.case_list(scope, asked, after=after, limit=_PAGE)
            rows = await platform.reads.rows("hazards", query)
            for row in rows:
                case = orjson.loads(row["body"])
                to = next((each for each in own if shapely.intersects_xy(shapes[each], case["lon"], case["lat"])), None)
                moved.append({"case_id": case["case_id"], "case_no": case["case_no"], "from": code, "to": to})
            if len(rows) < _PAGE:
                break
            after = tuple(rows[-1])[1:]
    return moved


@router.put(
    "/imports/{import_id}/plan",
    summary="Choose where posts go",
    description="For posts of a grid that is split: one of the grids made of it.",
    responses=documents.answer({**examples.IMPORT, "plan": examples.PLAN}, "The change") | documents.WRITTEN,
)
async def review(
    import_id: UUID, body: PostChoices, request: Request, platform: Platform, actor: CurrentActor
) -> Response:
    reply = await platform.writes.send(request, actor, ReviewPlan(import_id=import_id, posts=body.posts))
    return rendered(reply, headers=etag(reply.get("version")))


@router.post(
    "/imports/{import_id}/undo",
    summary="Undo a change",
    description="Until something else is published: the former areas become the next version, and posts that the "
    "change moved go back where nobody moved them since.",
    responses=documents.answer(examples.UNDONE, "Undone") | documents.WRITTEN,
)
async def undo(import_id: UUID, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    reply = await platform.writes.send(request, actor, UndoBoundaryChange(import_id=import_id), deadline=30.0)
    return rendered(reply)
