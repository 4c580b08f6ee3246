"""Changes of accounts, clients, roles and scope; each leaves a row in `change_audit`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Self
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from backbone.database import new_id
from contracts.areas import AreaPath
from contracts.codes import Code
from contracts.scope import Role, Sensitivity
from gateway.auth import passwords

SHORTEST_PASSWORD = 10
Login = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{1,62}$")]


class NewAccount(BaseModel):
    """A person (login and password) or a machine (client id and secret), with what it may do and see."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account_id: UUID = Field(default_factory=new_id)
    login: Login | None = None
    password: Annotated[str, StringConstraints(max_length=passwords.MAX_LENGTH)] | None = Field(
        default=None, repr=False
    )
    client_id: Login | None = None
    client_secret: str | None = Field(default=None, repr=False)
    name: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
    roles: tuple[Role, ...] = Field(default=(), max_length=9)
    agency_id: UUID | None = None
    areas: tuple[AreaPath, ...] = Field(default=(), max_length=200)
    categories: tuple[Code, ...] | None = Field(default=None, max_length=200)
    ceiling: Sensitivity = Sensitivity.INTERNAL
    purposes: tuple[Code, ...] = Field(default=(), max_length=50)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.login is None) == (self.client_id is None):
            raise ValueError("either a login (a person) or a client_id (a machine)")
        if (self.login is None) != (self.password is None):
            raise ValueError("a person has a password, a machine a client secret")
        return self


class AccountRights(BaseModel):
    """What an account may do and see; replaces what it had."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
    roles: tuple[Role, ...] = Field(default=(), max_length=9)
    agency_id: UUID | None = None
    areas: tuple[AreaPath, ...] = Field(default=(), max_length=200)
    categories: tuple[Code, ...] | None = Field(default=None, max_length=200)
    ceiling: Sensitivity = Sensitivity.INTERNAL
    purposes: tuple[Code, ...] = Field(default=(), max_length=50)
    active: bool = True


async def create(
    connection: Any, account: NewAccount, *, by: UUID | None, demo: bool = False, trace_id: str | None = None
) -> bool:
    """Insert it; False when its login or client id exists already (a repeat changes nothing).

    `account.client_secret` must be given for a machine: the caller makes and shows it.
    """
    known = (
        await connection.fetchval("SELECT 1 FROM access.accounts WHERE login = $1", account.login)
        if account.login
        else await connection.fetchval("SELECT 1 FROM access.clients WHERE client_id = $1", account.client_id)
    )
    if known:
        return False
    password_hash = await passwords.hash_password_async(account.password) if account.password is not None else None
    made = await connection.fetchval(
        """INSERT INTO access.accounts (account_id, kind, login, password_hash, name, agency_id, categories, ceiling,
                                        purposes, demo)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING 1""",
        account.account_id,
        "person" if account.login else "machine",
        account.login,
        password_hash,
        account.name,
        account.agency_id,
        None if account.categories is None else sorted(account.categories),
        int(account.ceiling),
        sorted(account.purposes),
        demo,
    )
    if not made:
        return False
    if account.client_id:
        await connection.execute(
            "INSERT INTO access.clients (client_id, account_id, secret_hash) VALUES ($1, $2, $3)",
            account.client_id,
            account.account_id,
            passwords.hash_secret(account.client_secret or passwords.new_secret()),
        )
    await _grant(connection, account.account_id, account.roles, account.areas, by)
    await _audit(
        connection, by, account.account_id, "created", None, await state(connection, account.account_id), trace_id
    )
    return True


async def change(
    connection: Any, account_id: UUID, rights: AccountRights, *, by: UUID, trace_id: str | None = None
) -> int:
    """Replace what the account may do and see; a disabled one's sessions end. Returns the new version."""
    before = await state(connection, account_id)
    version: int = await connection.fetchval(
        """UPDATE access.accounts SET name = $2, agency_id = $3, categories = $4, ceiling = $5, purposes = $6,
                  active = $7, version = version + 1, changed_at = now()
           WHERE account_id = $1 RETURNING version""",
        account_id,
        rights.name,
        rights.agency_id,
        None if rights.categories is None else sorted(rights.categories),
        int(rights.ceiling),
        sorted(rights.purposes),
        rights.active,
    )
    await connection.execute("DELETE FROM access.role_assignments WHERE account_id = $1", account_id)
    await connection.execute("DELETE FROM access.scope_assignments WHERE account_id = $1", account_id)
    await _grant(connection, account_id, rights.roles, rights.areas, by)
    if not rights.active:
        await end_sessions(connection, account_id)
    await _audit(connection, by, account_id, "changed", before, await state(connection, account_id), trace_id)
    return version


async def replace_credential(
    connection: Any, account_id: UUID, *, password: str | None, secret: str | None, by: UUID, trace_id: str | None
) -> None:
    """A new password (person) or secret (machine); every session of the account ends."""
    if password is not None:
        await connection.execute(
            "UPDATE access.accounts SET password_hash = $2, changed_at = now() WHERE account_id = $1",
            account_id,
            await passwords.hash_password_async(password),
        )
    if secret is not None:
        await connection.execute(
            "UPDATE access.clients SET secret_hash = $2 WHERE account_id = $1",
            account_id,
            passwords.hash_secret(secret),
        )
    await end_sessions(connection, account_id)
    await _audit(connection, by, account_id, "credential_replaced", None, None, trace_id)


async def end_sessions(connection: Any, account_id: UUID) -> None:
    await connection.execute(
        "UPDATE access.sessions SET revoked_at = now() WHERE account_id = $1 AND revoked_at IS NULL", account_id
    )


ACCOUNT_BODY = """
json_build_object(
    'account_id', a.account_id, 'kind', a.kind, 'login', a.login, 'name', a.name, 'agency_id', a.agency_id,
    'client_ids', ARRAY(SELECT client_id FROM access.clients c WHERE c.account_id = a.account_id ORDER BY 1),
    'roles', ARRAY(SELECT role FROM access.role_assignments r WHERE r.account_id = a.account_id ORDER BY 1),
    'areas', ARRAY(SELECT area_path FROM access.scope_assignments s WHERE s.account_id = a.account_id ORDER BY 1),
    'categories', a.categories, 'ceiling', a.ceiling, 'purposes', a.purposes, 'active', a.active, 'demo', a.demo,
    'created_at', a.created_at, 'version', a.version)::text
"""


async def state(connection: Any, account_id: UUID) -> str | None:
    """The account as JSON text, without any credential; None when there is none."""
    found: str | None = await connection.fetchval(
        f"SELECT {ACCOUNT_BODY} FROM access.accounts a WHERE account_id = $1",  # noqa: S608 - a constant
        account_id,
    )
    return found


async def _grant(
    connection: Any, account_id: UUID, roles: tuple[Role, ...], areas: tuple[str, ...], by: UUID | None
) -> None:
    for role in sorted(set(roles)):
        await connection.execute(
            "INSERT INTO access.role_assignments (account_id, role, granted_by) VALUES ($1, $2, $3)",
            account_id,
            role.value,
            by,
        )
    for path in sorted(set(areas)):
        await connection.execute(
            "INSERT INTO access.scope_assignments (account_id, area_path, granted_by) VALUES ($1, $2, $3)",
            account_id,
            path,
            by,
        )


async def _audit(
    connection: Any,
    by: UUID | None,
    account_id: UUID,
    what: str,
    before: str | None,
    after: str | None,
    trace_id: str | None,
) -> None:
    await connection.execute(
        """INSERT INTO access.change_audit (changed_by, account_id, what, before, after, trace_id)
           VALUES ($1, $2, $3, $4::jsonb, $5::jsonb, $6)""",
        by,
        account_id,
        what,
        before,
        after,
        trace_id,
    )


async def claim_key(connection: Any, client: str, route: str, key: str, print_: str) -> Any:
    """Idempotency inside this transaction: None for a first use, the stored reply for a repeat.

    Two at once: the second waits on the row until the first commits. Raises KeyError for another fingerprint.
    """
    fresh = await connection.fetchval(
        """INSERT INTO access.idempotency (client, route, key, fingerprint) VALUES ($1, $2, $3, $4)
           ON CONFLICT DO NOTHING RETURNING 1""",
        client,
        route,
        key,
        print_,
    )
    if fresh:
        return None
    row = await connection.fetchrow(
        "SELECT fingerprint, reply FROM access.idempotency WHERE client = $1 AND route = $2 AND key = $3",
        client,
        route,
        key,
    )
    if row["fingerprint"] != print_:
        raise KeyError(hashlib.sha256(key.encode()).hexdigest()[:12])
    return orjson.loads(row["reply"] or "{}")


async def store_reply(connection: Any, client: str, route: str, key: str, reply: Mapping[str, Any]) -> None:
    await connection.execute(
        "UPDATE access.idempotency SET reply = $4::jsonb WHERE client = $1 AND route = $2 AND key = $3",
        client,
        route,
        key,
        orjson.dumps(reply).decode(),
    )
