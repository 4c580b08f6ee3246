"""The dependency of every guarded route: a bearer token to the caller behind it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.openapi.models import OAuthFlowClientCredentials, OAuthFlowPassword, OAuthFlows
from fastapi.security import OAuth2

from contracts.refusals import NotAllowed
from contracts.scope import Actor, Role
from gateway.auth.actors import SessionGone, SignedIn
from gateway.auth.tokens import Claims, InvalidToken
from gateway.parts import parts_of
from gateway.problems import Problem, refused

TOKEN_URL = "/v1/auth/token"  # noqa: S105 - an address
bearer = OAuth2(
    flows=OAuthFlows(
        password=OAuthFlowPassword(tokenUrl=TOKEN_URL),
        clientCredentials=OAuthFlowClientCredentials(tokenUrl=TOKEN_URL),
    ),
    scheme_name="oauth2",
    description="People sign in with the password grant, machines with client credentials. A token lasts 15 minutes.",
    auto_error=False,
)


def _unauthenticated() -> Problem:
    # One answer for every fault of a token: what exactly was wrong helps only who forges one.
    return Problem("unauthenticated", headers={"WWW-Authenticate": 'Bearer realm="pingan"'})


def claims_of(request: Request) -> Claims:
    """The checked claims of the request's token. Raises Problem unauthenticated."""
    given = request.headers.getlist("authorization")
    scheme, _, token = (given[0] if len(given) == 1 else "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthenticated()
    try:
        return parts_of(request).tokens.check(token.strip())
    except InvalidToken:
        raise _unauthenticated() from None


async def caller(request: Request, _: Annotated[str | None, Depends(bearer)] = None) -> SignedIn:
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


async def actor(found: Annotated[SignedIn, Depends(caller)]) -> Actor:
    return found.actor


Caller = Annotated[SignedIn, Depends(caller)]
CurrentActor = Annotated[Actor, Depends(actor)]


def require(actor: Actor, *roles: Role) -> None:
    """Raises the same refusal that services give when none of `roles` is the actor's."""
    if not actor.has(*roles):
        raise refused(NotAllowed(expected=", ".join(sorted(roles))))
