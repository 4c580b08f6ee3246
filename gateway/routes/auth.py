"""Signing in and out, and who one is."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from contracts.scope import Actor
from gateway import documents
from gateway.auth.login import Grant, address_of
from gateway.auth.signed_in import Caller, claims_of
from gateway.parts import Platform
from gateway.problems import Problem
from gateway.rendering import rendered
from gateway.routing import Route

router = APIRouter(prefix="/v1/auth", tags=["auth"], route_class=Route)

TOKEN = {"access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9…", "token_type": "Bearer", "expires_in": 900}
ME = {
    "account_id": "0192f0c1-2b7a-7c3e-9f00-5d1a4e6b7c80",
    "name": "青枫镇综治中心",
    "agency_id": "3f0c1f60-5a0e-5b0f-8f1e-0d2c5a7b9e10",
    "roles": ["town_operator"],
    "scope": {"areas": ["330499/330499101/"], "categories": None, "ceiling": 1, "purposes": ["duty_review"]},
    "demo": False,
    "session_expires_at": "2026-01-31T08:15:00Z",
}
Field_ = Annotated[str | None, Form(max_length=512)]


@router.post(
    "/token",
    summary="Get an access token",
    description="OAuth2 password grant for people, client credentials for machines (form fields or HTTP Basic). "
    "The token lasts 15 minutes and carries no rights of its own. Repeated failures lock the name for a while.",
    responses=documents.answer(TOKEN, "A bearer token")
    | documents.problems(
        "invalid_grant_request",
        "unsupported_grant_type",
        "invalid_credentials",
        "invalid_request",
        "too_many_requests",
        "login_locked",
        "service_unavailable",
    ),
)
async def token(
    request: Request,
    platform: Platform,
    grant_type: Annotated[str | None, Form(max_length=64, examples=["password"])] = None,
    username: Annotated[str | None, Form(max_length=512, examples=["town"])] = None,
    password: Annotated[str | None, Form(max_length=512, examples=["pingan-demo-town"])] = None,
    client_id: Field_ = None,
    client_secret: Field_ = None,
    scope: Annotated[str | None, Form(max_length=512, description="Ignored: rights belong to the account")] = None,
) -> Response:
    address = address_of(request)
    if grant_type == "password":
        name, secret = _both(username, password, "username", "password")
        grant = await platform.login.password(name, secret, address)
    elif grant_type == "client_credentials":
        if (basic := _basic(request)) is not None:
            client_id, client_secret = basic
        name, secret = _both(client_id, client_secret, "client_id", "client_secret")
        grant = await platform.login.client(name, secret, address)
    elif grant_type:
        raise Problem(
            "unsupported_grant_type",
            field="grant_type",
            expected="password | client_credentials",
            error="unsupported_grant_type",
        )
    else:
        raise Problem("invalid_grant_request", field="grant_type", expected="a value", error="invalid_request")
    return _granted(grant)


def _granted(grant: Grant) -> Response:
    return rendered(
        {"access_token": grant.access_token, "token_type": "Bearer", "expires_in": grant.expires_in_s},
        headers={"Cache-Control": "no-store", "Pragma": "no-cache"},
    )


@router.post(
    "/renew",
    summary="Get the next token of this session",
    description="For people, before the token runs out; the token used here is void within two seconds. Twelve hours "
    "after signing in, or once the session has ended: 401, sign in again. Machines ask for a new token.",
    responses=documents.answer(TOKEN, "A bearer token") | documents.problems("unauthenticated", "service_unavailable"),
)
async def renew(request: Request, platform: Platform, caller: Caller) -> Response:
    claims = claims_of(request)
    grant = await platform.login.renew(claims)
    platform.actors.forget(claims.session_id)
    return _granted(grant)


@router.post(
    "/logout",
    status_code=204,
    summary="End this session",
    description="Revokes the session behind the token; within two seconds no gateway accepts it any more.",
    responses=documents.problems("unauthenticated", "service_unavailable"),
)
async def logout(platform: Platform, caller: Caller) -> Response:
    if caller.actor.session_id is not None:
        await platform.login.logout(caller.actor.session_id)
        platform.actors.forget(caller.actor.session_id)
    return Response(status_code=204)


@router.get(
    "/me",
    summary="Who am I, and what may I see",
    description="The account behind the token with its roles and scope, as they stand now.",
    responses=documents.answer(ME, "The caller") | documents.problems("unauthenticated", "service_unavailable"),
)
async def me(caller: Caller) -> Response:
    return rendered(
        {
            "name": caller.name,
            **who(caller.actor),
            "demo": caller.demo,
            "session_expires_at": caller.expires_at,
        }
    )


def who(actor: Actor) -> dict[str, object]:
    """The actor in words of the API."""
    scope = actor.scope
    return {
        "account_id": actor.account_id,
        "agency_id": scope.agency_id,
        "roles": sorted(actor.roles),
        "scope": {
            "areas": scope.areas,
            "categories": None if scope.categories is None else sorted(scope.categories),
            "ceiling": int(scope.ceiling),
            "purposes": sorted(scope.purposes),
        },
    }


def _both(name: str | None, secret: str | None, name_field: str, secret_field: str) -> tuple[str, str]:
    for value, field in ((name, name_field), (secret, secret_field)):
        if not value:
            raise Problem("invalid_grant_request", field=field, expected="a value", error="invalid_request")
        if "\x00" in value:
            raise Problem("invalid_grant_request", field=field, expected="no NUL", error="invalid_request")
    return str(name), str(secret)


def _basic(request: Request) -> tuple[str, str] | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Problem("invalid_grant_request", field="Authorization", expected="HTTP Basic") from None
    return name, secret
