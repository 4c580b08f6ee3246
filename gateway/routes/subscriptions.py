"""Webhook subscriptions of the caller's agency, and what became of each delivery."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from backbone.database import new_id
from contracts.areas import AreaPath
from contracts.codes import Code
from contracts.notify.commands import (
    ChangeSubscription,
    CreateSubscription,
    ReplaySubscription,
    ResendDelivery,
    TypePattern,
)
from gateway import documents, examples
from gateway.auth.signed_in import CurrentActor
from gateway.cursors import After
from gateway.parts import Platform
from gateway.reads import etag, single
from gateway.rendering import rendered
from gateway.routing import Route
from gateway.writes import expected_version
from services.notify import queries

router = APIRouter(prefix="/v1/subscriptions", tags=["subscriptions"], route_class=Route)
Limit = Annotated[int, Query(ge=1, le=200)]


class NewSubscription(BaseModel):
    """Where to send what; rights are those of the account that creates it, checked again at every delivery."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"example": {"url": "https://example.com/hooks/pingan", "types": ["hazards.case.*"]}},
    )

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]{1,2000}$")]
    types: tuple[TypePattern, ...] = Field(min_length=1, max_length=50)
    area_path: AreaPath | None = None
    categories: tuple[Code, ...] | None = Field(default=None, max_length=100)


class SubscriptionMove(BaseModel):
    """Pause, resume, delete, or make a new secret (both sign for a day)."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"example": {"move": "pause"}})
    move: Literal["pause", "resume", "delete", "rotate_secret"]


class Replay(BaseModel):
    """From where to send again; from the journal's start when absent."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"example": {"after": None}})
    after: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None


@router.post(
    "",
    status_code=201,
    summary="Subscribe a webhook",
    description="Deliveries follow Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature` "
    "(v1, HMAC-SHA256). The `secret` is in this answer and never again: a repeat under the same Idempotency-Key has "
    "null there. Whoever lost it makes a new one (`rotate_secret`).",
    responses=documents.answer({**examples.SUBSCRIPTION, "secret": "whsec_…"}, "Subscribed", 201) | documents.WRITTEN,
)
async def subscribe(body: NewSubscription, request: Request, platform: Platform, actor: CurrentActor) -> Response:
    command = CreateSubscription(subscription_id=new_id(), **body.model_dump())
    reply = await platform.writes.send(request, actor, command)
    return rendered(reply, 201, {"Location": f"/v1/subscriptions/{reply['subscription_id']}", **etag(reply["version"])})


@router.get(
    "",
    summary="List your agency's subscriptions",
    description="Whoever of the agency made them. Secrets are not shown.",
    responses=documents.listing(examples.SUBSCRIPTION, "A page of subscriptions") | documents.GUARDED,
)
async def subscriptions(platform: Platform, actor: CurrentActor, limit: Limit = 50, after: After = None) -> Response:
    return await platform.reads.page(
        "notify",
        partial(queries.subscriptions_of_agency, actor.scope),
        kind="subscriptions",
        types="u",
        limit=limit,
        after=after,
    )


@router.get(
    "/{subscription_id}",
    summary="One subscription",
    description="Its state, and when it last succeeded.",
    responses=documents.answer(examples.SUBSCRIPTION, "The subscription") | documents.GUARDED,
)
async def subscription(subscription_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    query = queries.subscription(actor.scope, subscription_id=subscription_id)
    return single(await platform.reads.row("notify", query))


@router.post(
    "/{subscription_id}/moves",
    summary="Pause, resume, delete or renew the secret",
    description="What happened while it was paused is sent after `resume`: nothing is lost.",
    responses=documents.answer(examples.SUBSCRIPTION, "As it now stands") | documents.CHANGED,
)
async def move(
    subscription_id: UUID, body: SubscriptionMove, request: Request, platform: Platform, actor: CurrentActor
) -> Response:
    command = ChangeSubscription(
        subscription_id=subscription_id, move=body.move, expected_version=expected_version(request)
    )
    reply = await platform.writes.send(request, actor, command)
    return rendered(reply, headers=etag(reply["version"]))


@router.get(
    "/{subscription_id}/deliveries",
    summary="What became of each event",
    description="Newest first: state, attempts, last status, latency, next attempt.",
    responses=documents.listing(examples.DELIVERY, "A page of deliveries") | documents.GUARDED,
)
async def deliveries(
    subscription_id: UUID,
    platform: Platform,
    actor: CurrentActor,
    state: Annotated[str | None, Query(pattern=r"^[a-z_]{1,20}$")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Response:
    # A subscription that is not yours has no deliveries page either.
    await platform.reads.row("notify", queries.subscription(actor.scope, subscription_id=subscription_id))
    return await platform.reads.page(
        "notify",
        partial(queries.subscription_deliveries, actor.scope, subscription_id=subscription_id, state=state),
        kind="deliveries",
        types="i",
        limit=limit,
        after=after,
    )


@router.post(
    "/{subscription_id}/replay",
    status_code=202,
    summary="Send again from a cursor",
    description="Everything that matches after `after` (a cursor of GET /v1/events), under the same event ids.",
    responses=documents.answer(examples.SUBSCRIPTION, "Accepted", 202) | documents.WRITTEN,
)
async def replay(
    subscription_id: UUID, body: Replay, request: Request, platform: Platform, actor: CurrentActor
) -> Response:
    command = ReplaySubscription(subscription_id=subscription_id, after=body.after)
    return rendered(await platform.writes.send(request, actor, command), 202)


@router.post(
    "/{subscription_id}/deliveries/{event_id}/resend",
    status_code=202,
    summary="Send one event again",
    description="Whatever became of it before.",
    responses=documents.answer(examples.SUBSCRIPTION, "Accepted", 202) | documents.WRITTEN,
)
async def resend(
    subscription_id: UUID, event_id: UUID, request: Request, platform: Platform, actor: CurrentActor
) -> Response:
    command = ResendDelivery(subscription_id=subscription_id, event_id=event_id)
    return rendered(await platform.writes.send(request, actor, command), 202)
