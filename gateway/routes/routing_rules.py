"""Who answers for a case: routing rules, what they would have meant, and asking them again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from backbone.database import new_id
from contracts.areas import AreaPath
from contracts.codes import Code
from contracts.hazards.commands import PutRoutingRule, RerunRouting, RuleTerms
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.cursors import After
from gateway.parts import Platform
from gateway.reads import etag, single
from gateway.rendering import rendered
from gateway.routes.puts import put_route
from gateway.routing import Route
from services.hazards import queries

router = APIRouter(prefix="/v1", tags=["cases"], route_class=Route)
Limit = Annotated[int, Query(ge=1, le=200)]


class ProposedRule(RuleTerms):
    """A rule as it would be: `rule_id` of one that is there, or none for a new one."""

    rule_id: UUID | None = None


class RoutingProposal(BaseModel):
    """Rules as they would be put, and those that would go; `only`: no other rule of the caller's areas would stay."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"example": examples.ROUTING_CHANGE})
    days: int = Field(default=30, ge=1, le=366)
    put: tuple[ProposedRule, ...] = Field(default=(), max_length=500)
    remove: tuple[UUID, ...] = Field(default=(), max_length=500)
    only: bool = False


class Rerun(BaseModel):
    """Which waiting cases: of a category with what is below it, of an area with its subtree; absent: all in scope."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"example": examples.ROUTING_RERUN})
    category: Code | None = None
    area_path: AreaPath | None = None


@router.get(
    "/routing-rules",
    summary="Routing rules",
    description="Category × area × time × source × grade → lead and assisting agencies, in the order they are tried; "
    "the first that matches wins. `shadowed`: an active rule before it covers all of it, so that it never decides.",
    responses=documents.listing(examples.ROUTING_RULE, "A page of rules") | documents.GUARDED,
)
async def routing_rules(
    platform: Platform,
    actor: CurrentActor,
    shadowed: Annotated[bool | None, Query(description="Only those that never decide, or only the others")] = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    return await platform.reads.page(
        "hazards",
        partial(queries.routing, actor.scope, shadowed=shadowed),
        kind="routing-rules",
        types="iu",
        limit=limit,
        after=after,
    )


put_route(
    router, "/routing-rules", PutRoutingRule, "rule_id",
    summary="Put a routing rule",
    description="The lowest `position` that matches names the lead agency and those that assist. `warnings` say what "
    "the rule shadows, what shadows it, and that no active category has its code.",
    example=examples.ROUTING_RULE,
)  # fmt: skip


@router.post(
    "/routing-rules/dry-run",
    summary="Try rules on past cases",
    description="Nothing is written. How many cases of the last days under the caller's scope would have another "
    "agency, from whom to whom, each asked at the moment of its report, by today's jurisdictions and defaults. "
    "`complete` is false when there were more than 5,000 (the newest are judged).",
    responses=documents.answer(examples.ROUTING_DRY_RUN, "What they would have meant")
    | documents.GUARDED
    | documents.problems("invalid_request", "forbidden"),
)
async def dry_run(body: RoutingProposal, platform: Platform, actor: CurrentActor) -> Response:
    queries.require_rule_maker(actor)
    put = tuple(
        PutRoutingRule(**rule.model_dump(exclude={"rule_id"}), rule_id=rule.rule_id or new_id()) for rule in body.put
    )
    change = queries.RoutingChange(put, body.remove, body.only)
    since = platform.clock() - timedelta(days=body.days)
    row = await platform.reads.row("hazards", queries.routing_dry_run(actor.scope, since, agency_ids=change.agencies))
    # Thousands of cases are judged twice: not on the loop.
    judged = partial(queries.dry_run_of_routing, row["body"], actor, change, body.days)
    return rendered(await asyncio.to_thread(judged))


@router.post(
    "/routing-rules/re-run",
    status_code=202,
    summary="Ask the rules again",
    description="For the registered cases that have no agency because nobody was named: the worker writes "
    "`suggested_agency_ids` beside each; nothing is dispatched, and a case that is with an agency stays as it is. "
    "Look at `Location` for how far it is.",
    responses=documents.answer(examples.ROUTING_RUN | {"state": "queued"}, "Taken", 202) | documents.WRITTEN,
)
async def rerun(body: Rerun, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    command = RerunRouting(run_id=new_id(), category=body.category, area_path=body.area_path)
    reply = await platform.writes.send(request, actor, command)
    headers = {"Location": f"/v1/routing-rules/runs/{reply['run_id']}", **etag(reply["version"])}
    return rendered(reply, 202, headers)


@router.get(
    "/routing-rules/runs",
    summary="Runs over waiting cases",
    description="Newest first: those of the caller's areas, and those that the caller's agency asked for.",
    responses=documents.listing(examples.ROUTING_RUN, "A page of runs") | documents.GUARDED,
)
async def runs(platform: Platform, actor: CurrentActor, limit: Limit = 50, after: After = None) -> Response:
    return await platform.reads.page(
        "hazards",
        partial(queries.routing_run_list, actor.scope),
        kind="routing-runs",
        types="tu",
        limit=limit,
        after=after,
    )


@router.get(
    "/routing-rules/runs/{run_id}",
    summary="How far a run is",
    description="`looked` of `total`; `named` now have a suggestion, `changed` another than before.",
    responses=documents.answer(examples.ROUTING_RUN, "The run") | documents.GUARDED,
)
async def run(run_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    return single(await platform.reads.row("hazards", queries.routing_run(actor.scope, run_id)))


@router.get(
    "/cases/{case_id}/routing",
    summary="Who would answer for a case now",
    description="By which rule, jurisdiction or default of the category; when nobody is named, why, and which rules "
    "failed on what (`time`, `source`, `grade`).",
    responses=documents.answer(examples.CASE_ROUTING, "Who, and why") | documents.GUARDED,
)
async def case_routing(case_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    row = await platform.reads.row("hazards", queries.case_routing(actor.scope, case_id))
    return rendered(queries.routing_answer(row["body"], platform.clock()))
