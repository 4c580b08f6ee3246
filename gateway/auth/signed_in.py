"""The dependency of every guarded route: a bearer token to the caller behind it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Security
from fastapi.openapi.models import OAuthFlowClientCredentials, OAuthFlowPassword, OAuthFlows
from fastapi.security import OAuth2
from starlette.requests import HTTPConnection

from contracts.refusals import NotAllowed
from contracts.scope import Actor, Role
from gateway.auth.actors import SessionGone, SignedIn
from gateway.auth.tokens import Claims, InvalidToken
from gateway.parts import parts_of
from gateway.problems import Problem, refused

TOKEN_URL = "/v1/auth/token"  # noqa: S105 - an address
FLOWS = OAuthFlows(
    password=OAuthFlowPassword(tokenUrl=TOKEN_URL),
    clientCredentials=OAuthFlowClientCredentials(tokenUrl=TOKEN_URL),
)


def _unauthenticated() -> Problem:
    # One answer for every fault of a token: what exactly was wrong helps only who forges one.
    return Problem("unauthenticated", headers={"WWW-Authenticate": 'Bearer realm="pingan"'})


def claims_of(request: HTTPConnection) -> Claims:
    """The checked claims of the request's token. Raises Problem unauthenticated."""
    given = request.headers.getlist("authorization")
    scheme, _, token = (given[0] if len(given) == 1 else "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthenticated()
    try:
        return parts_of(request).tokens.check(token.strip())
    except InvalidToken:
        raise _unauthenticated() from None


async def caller(request: HTTPConnection) -> SignedIn:
    """Who is calling; asked once a request. Raises Problem unauthenticated, or 503 when `access` cannot be read."""
    known: SignedIn | None = getattr(request.state, "caller", None)
    if known is not None:
        return known
    try:
        found = await parts_of(request).actors.of(claims_of(request))
    except SessionGone:
        raise _unauthenticated() from None
    request.state.caller = found
    request.state.account_id = str(found.actor.account_id)
    return found


class Bearer(OAuth2):
    """The security scheme and the dependency in one, a level that every request would pay for saved."""

    def __init__(self) -> None:
        super().__init__(
            flows=FLOWS,
            scheme_name="oauth2",
            description="People sign in with the password grant, machines with client credentials. "
            "A token lasts 15 minutes.",
        )

    async def __call__(self, request: HTTPConnection) -> Any:
        return await caller(request)


class BearerActor(Bearer):
    """The same, giving the actor alone."""

    async def __call__(self, request: HTTPConnection) -> Any:
        return (await caller(request)).actor


Caller = Annotated[SignedIn, Security(Bearer())]
CurrentActor = Annotated[Actor, Security(BearerActor())]


def require(actor: Actor, *roles: Role) -> None:
    """Raises the same refusal that services give when none of `roles` is the actor's."""
    if not actor.has(*roles):
        raise refused(NotAllowed(expected=", ".join(sorted(roles))))
