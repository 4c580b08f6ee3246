"""Accounts of people and machines: what they may do, where, and their credentials. Administrators only."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from starlette.responses import Response

from backbone import telemetry
from contracts.areas import is_within
from contracts.refusals import InvalidField, NotAllowed
from contracts.scope import Actor, Role
from gateway import cursors, documents
from gateway.access import changes
from gateway.access.changes import AccountRights, Login, NewAccount
from gateway.auth import passwords
from gateway.auth.signed_in import CurrentActor, require
from gateway.cursors import After
from gateway.keyed import keyed
from gateway.parts import Platform
from gateway.problems import Problem, refused
from gateway.reads import etag, page, raw_json
from gateway.rendering import rendered
from gateway.routing import Route
from gateway.writes import expected_version

router = APIRouter(prefix="/v1/accounts", tags=["accounts"], route_class=Route)

RIGHTS: dict[str, Any] = {
    "name": "青枫镇综治中心",
    "agency_id": "3f0c1f60-5a0e-5b0f-8f1e-0d2c5a7b9e10",
    "roles": ["town_operator"],
    "areas": ["330499/330499101/"],
    "categories": None,
    "ceiling": 1,
    "purposes": ["duty_review"],
    "active": True,
}
ACCOUNT: dict[str, Any] = {
    "account_id": "0192f0c1-2b7a-7c3e-9f00-5d1a4e6b7c80",
    "kind": "person",
    "login": "qingfeng.centre",
    "client_ids": [],
    **RIGHTS,
    "demo": False,
    "created_at": "2026-01-31T08:00:00Z",
    "version": 1,
}
PERSON: dict[str, Any] = {"kind": "person", "login": "qingfeng.centre", "password": "at least ten characters", **RIGHTS}
Password = Annotated[str, StringConstraints(min_length=changes.SHORTEST_PASSWORD, max_length=passwords.MAX_LENGTH)]
Secret = Annotated[str, StringConstraints(min_length=10, max_length=200)]


class AccountBody(AccountRights):
    """An account whole: a person has login and password, a machine a client id; both are read on creation only."""

    model_config = ConfigDict(json_schema_extra={"example": PERSON})
    kind: Literal["person", "machine"] = "person"
    login: Login | None = None
    password: Password | None = Field(default=None, repr=False)
    client_id: Login | None = None
    client_secret: Secret | None = Field(
        default=None,
        repr=False,
        description="A chosen secret: demo accounts only. Otherwise one is made and shown once",
    )
    demo: bool = Field(default=False, description="Its password is public: refused unless the platform is a demo")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        person = self.kind == "person"
        if person and (self.login is None or self.client_id or self.client_secret):
            raise ValueError("a person has a login, and no client_id")
        if not person and (self.client_id is None or self.login or self.password):
            raise ValueError("a machine has a client_id, and no login")
        return self


class NewPassword(BaseModel):
    """A person's new password."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"password": "at least ten characters"}})
    password: Password = Field(repr=False)


@router.put(
    "/{account_id}",
    status_code=201,
    summary="Create an account, or replace its rights",
    description="The caller chooses the id, so a repeat changes nothing. On an account that exists, login and "
    "credentials in the body are left alone: replace them at `/credential`. Nobody grants what lies outside their "
    "own areas, categories or ceiling, or touches an account that reaches further. A machine's secret is in the "
    "answer once, never again.",
    responses=documents.answer(ACCOUNT, "Created", 201)
    | documents.answer(ACCOUNT, "Replaced")
    | documents.CHANGED
    | documents.problems("login_taken"),
    openapi_extra={"x-idempotent": True},
)
async def put_account(
    account_id: UUID, body: AccountBody, request: Request, platform: Platform, actor: CurrentActor
) -> Response:
    require(actor, Role.COUNTY_ADMIN)
    _may_grant(actor, body)
    if body.demo and not platform.settings.demo:
        raise refused(InvalidField("Demo accounts exist only where PINGAN_DEMO is set.", field="demo"))
    if body.client_secret is not None and not body.demo:
        raise refused(InvalidField("A machine's secret is made here.", field="client_secret", expected="absent"))
    trace = telemetry.current().trace_id
    async with keyed(request, platform, actor) as use:
        if use.stored:
            return _answer(use.stored["account"], use.stored["status"])
        known = await changes.state(use.connection, account_id)
        if known is not None:
            _may_govern(actor, known)
            if "if-match" in request.headers and expected_version(request) != orjson.loads(known)["version"]:
                raise Problem("stale_version", current=orjson.loads(known))
            rights = AccountRights.model_validate(body.model_dump(include=set(AccountRights.model_fields)))
            if not _same(orjson.loads(known), rights):
                await changes.change(use.connection, account_id, rights, by=actor.account_id, trace_id=trace)
            account = await changes.state(use.connection, account_id)
            await use.store({"account": account, "status": 200})
            return _answer(account, 200)
        secret = body.client_secret
        if body.kind == "machine" and secret is None:
            secret = passwords.new_secret()
        if body.kind == "person" and body.password is None:
            raise refused(
                InvalidField("A new person needs a password.", field="password", expected="10 to 256 characters")
            )
        new = NewAccount(
            account_id=account_id,
            client_secret=secret,
            **body.model_dump(
                include={"login", "password", "client_id", "name", "roles", "agency_id", "areas", "categories",
                         "ceiling", "purposes"}
            ),
        )  # fmt: skip
        if not await changes.create(use.connection, new, by=actor.account_id, demo=body.demo, trace_id=trace):
            raise Problem("login_taken", field="login" if body.login else "client_id")
        account = await changes.state(use.connection, account_id)
        await use.store({"account": account, "status": 201})
    shown = orjson.loads(account or "{}")
    if body.kind == "machine":
        shown |= {"client_id": body.client_id, "client_secret": secret}
    return rendered(shown, 201, {"Location": f"/v1/accounts/{account_id}", **etag(1)})


@router.post(
    "/{account_id}/credential",
    summary="Replace a password or a machine's secret",
    description="Ends every session of the account. A person's new password is in the body; a machine's new secret "
    "is made here and shown once.",
    responses=documents.answer({"client_secret": "pgs_…"}, "Replaced") | documents.WRITTEN,
)
async def replace_credential(
    account_id: UUID, request: Request, platform: Platform, actor: CurrentActor, body: NewPassword | None = None
) -> Response:
    require(actor, Role.COUNTY_ADMIN)
    async with keyed(request, platform, actor) as use:
        if use.stored:
            return rendered({"client_secret": None})
        known = await changes.state(use.connection, account_id)
        if known is None:
            raise Problem("not_found")
        _may_govern(actor, known)
        machine = orjson.loads(known)["kind"] == "machine"
        if not machine and body is None:
            raise Problem("invalid_request", field="password", expected="10 to 256 characters")
        secret = passwords.new_secret() if machine else None
        await changes.replace_credential(
            use.connection,
            account_id,
            password=body.password if body and not machine else None,
            secret=secret,
            by=actor.account_id,
            trace_id=telemetry.current().trace_id,
        )
        await use.store({"done": True})
    return rendered({"client_secret": secret})


@router.get(
    "",
    summary="List accounts",
    description="By account id. For administrators and auditors; credentials are never shown.",
    responses=documents.listing(ACCOUNT, "A page of accounts") | documents.GUARDED,
)
async def accounts(
    platform: Platform,
    actor: CurrentActor,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: After = None,
) -> Response:
    require(actor, Role.COUNTY_ADMIN, Role.AUDITOR)
    keyset = cursors.decode("accounts", after, "u")
    rows = await platform.access.fetch(
        f"""SELECT {changes.ACCOUNT_BODY} AS body, a.account_id FROM access.accounts a
            WHERE a.account_id > $1 ORDER BY a.account_id LIMIT $2""",  # noqa: S608 - a constant
        keyset[0] if keyset else UUID(int=0),
        limit + 1,
    )
    return page(rows, kind="accounts", limit=limit)


@router.get(
    "/{account_id}",
    summary="One account",
    description="For administrators and auditors.",
    responses=documents.answer(ACCOUNT, "The account") | documents.GUARDED,
)
async def account(account_id: UUID, platform: Platform, actor: CurrentActor) -> Response:
    require(actor, Role.COUNTY_ADMIN, Role.AUDITOR)
    async with platform.access.transaction() as connection:
        known = await changes.state(connection, account_id)
    if known is None:
        raise Problem("not_found")
    return _answer(known, 200)


def _may_grant(actor: Actor, rights: AccountRights) -> None:
    outside = [path for path in rights.areas if not any(is_within(path, root) for root in actor.scope.areas)]
    if outside:
        raise refused(NotAllowed("These areas are not inside your own.", field="areas", areas=outside))
    if rights.ceiling > actor.scope.ceiling:
        raise refused(
            NotAllowed("The ceiling is above your own.", field="ceiling", expected=f"<= {actor.scope.ceiling:d}")
        )
    own = actor.scope.categories
    if own is not None and (rights.categories is None or not set(rights.categories) <= own):
        raise refused(NotAllowed("These categories are not all your own.", field="categories"))


def _may_govern(actor: Actor, known: str) -> None:
    """An account that reaches further than the actor is not the actor's to narrow, to disable or to take over."""
    _may_grant(actor, AccountRights.model_validate(orjson.loads(known), extra="ignore"))


def _same(known: dict[str, Any], rights: AccountRights) -> bool:
    wanted = rights.model_dump(mode="json")
    for name in ("roles", "areas", "purposes", "categories"):
        if wanted[name] is not None:
            wanted[name] = sorted(set(wanted[name]))
    return all(known[name] == value for name, value in wanted.items())


def _answer(account: str | None, status: int) -> Response:
    text = account or "{}"
    return raw_json(text, status, etag(orjson.loads(text).get("version")))
