"""Categories of cases: what they ask, how long they have, who answers at last; every put is a version."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import ValidationError
from starlette.responses import Response

from contracts.codes import Code
from contracts.hazards.commands import PutCategory
from gateway import cursors, documents, examples, forms
from gateway.auth.signed_in import CurrentActor
from gateway.cursors import After
from gateway.parts import Platform
from gateway.problems import Problem
from gateway.reads import page, single
from gateway.rendering import rendered
from gateway.routes.puts import put_route
from gateway.routing import Route
from gateway.writes import body_of, media_type_of
from services.hazards import queries

router = APIRouter(prefix="/v1", tags=["cases"], route_class=Route)
CategoryCode = Annotated[Code, Path()]
Days = Annotated[int, Query(ge=1, le=366, description="How far back; of very many cases the newest 5,000")]


@router.get(
    "/categories",
    summary="Categories of cases",
    description="By code, with their time in hours and the number of questions (`asks`); `whole=true` adds the "
    "questions and stages themselves. `emergency` ones show 110/119/120 before a form.",
    responses=documents.listing(examples.CATEGORY_LISTED, "All categories") | documents.GUARDED,
)
async def categories(
    platform: Platform,
    actor: CurrentActor,
    whole: bool = False,
    public: Annotated[bool | None, Query(description="Those that the public may report, or the others")] = None,
    active: bool | None = None,
) -> Response:
    rows = await platform.reads.rows(
        "hazards", queries.categories(actor.scope, whole=whole, public=public, active=active)
    )
    return page(rows, kind="categories", limit=len(rows))


@router.get(
    "/categories/{code}",
    summary="One category",
    description="Whole: questions in the order they are asked, stages, close conditions, the categories right below.",
    responses=documents.answer({**examples.CATEGORY_WHOLE, "children": []}, "The category") | documents.GUARDED,
)
async def category(code: CategoryCode, platform: Platform, actor: CurrentActor) -> Response:
    return single(await platform.reads.row("hazards", queries.category(actor.scope, code)))


@router.get(
    "/categories/{code}/versions",
    summary="What a category was",
    description="Newest first, each whole, with who put it and when; a case names its version (`category_version`).",
    responses=documents.listing(examples.CATEGORY_VERSION, "A page of versions") | documents.GUARDED,
)
async def versions(
    code: CategoryCode,
    platform: Platform,
    actor: CurrentActor,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: After = None,
) -> Response:
    keyset = cursors.decode("category-versions", after, "i")
    rows = await platform.reads.rows(
        "hazards",
        queries.category_version_list(actor.scope, code, after=(int(keyset[0]),) if keyset else None, limit=limit + 1),
    )
    if not rows and keyset is None:
        raise Problem("not_found")  # a category that exists has at least one version
    return page(rows, kind="category-versions", limit=limit)


put_route(
    router, "/categories", PutCategory, "code",
    summary="Put a category",
    description="Whole: what is absent takes its default. Its time is either `stages` or the two hours. "
    "`If-Match` refuses to overwrite what somebody else put meanwhile. Deactivating one that rules or categories "
    "below it use answers 409 with `children` and `rules`.",
    example=examples.CATEGORY,
)  # fmt: skip


def _proposal() -> dict[str, Any]:
    schema = documents.schema(PutCategory)
    for hidden in ("code", "expected_version"):
        schema["properties"].pop(hidden)
    schema["required"] = [name for name in schema["required"] if name != "code"]
    sent = {name: value for name, value in examples.CATEGORY_WHOLE.items() if name in schema["properties"]}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": sent}}}}


@router.post(
    "/categories/{code}/dry-run",
    summary="Try a category on past cases",
    description="The category as it would be; nothing is written. How many of its cases under the caller's scope would "
    "have been due earlier or later, overdue or not, and whose answers would not fit. Pauses and extensions of a case "
    "are kept. `complete` is false when there were more than 5,000.",
    responses=documents.answer(examples.CATEGORY_DRY_RUN, "What it would have meant")
    | documents.GUARDED
    | documents.problems("invalid_request", "forbidden", "unsupported_media_type"),
    openapi_extra=_proposal(),
)
async def dry_run(
    code: CategoryCode, request: Request, platform: Platform, actor: CurrentActor, days: Days = 30
) -> Response:
    queries.require_category_maker(actor)
    if media_type_of(request) != "application/json":
        raise Problem("unsupported_media_type", expected="application/json")
    fields = forms.json_object(await body_of(request))
    try:
        command = PutCategory.model_validate({**fields, "code": code})
    except ValidationError as error:
        raise Problem.of_validation(error.errors(include_url=False, include_input=False)) from None
    now = platform.clock()
    calendar = queries.calendar_of(map(dict, await platform.reads.rows("hazards", queries.calendar_days(actor.scope))))
    row = await platform.reads.row("hazards", queries.category_dry_run(actor.scope, code, now - timedelta(days=days)))
    # Thousands of cases are judged: not on the loop.
    judged = partial(queries.dry_run_of_category, row["body"], command, calendar, now, days)
    return rendered(await asyncio.to_thread(judged))
