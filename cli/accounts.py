"""`scripts/pingan admin create`: the first administrator, straight into schema `access`."""

from __future__ import annotations

import asyncio
import secrets
import sys

import click
from pydantic import ValidationError

from backbone.settings import DatabaseSettings, PlatformSettings
from contracts.areas import child_path
from contracts.scope import Role, Sensitivity
from gateway.access import changes
from gateway.reads import Database


@click.group(help="Administrators.")
def admin() -> None:
    """Commands on administrators."""


@admin.command(help="Create a county administrator; the password is asked for, or made and shown once.")
@click.option("--login", required=True, help="Lower case letters, digits, dot, dash, underscore.")
@click.option("--name", default="", help="Shown name; the login by default.")
@click.option("--password-from-stdin", is_flag=True, help="Read the password from standard input.")
def create(login: str, name: str, password_from_stdin: bool) -> None:
    made = "" if password_from_stdin else secrets.token_urlsafe(18)
    password = sys.stdin.readline().rstrip("\n") if password_from_stdin else made
    if len(password) < changes.SHORTEST_PASSWORD:
        raise click.ClickException(f"the password needs at least {changes.SHORTEST_PASSWORD} characters")
    county = child_path(None, PlatformSettings().county_code)
    try:
        account = changes.NewAccount(
            login=login,
            password=password,
            name=name or login,
            roles=(Role.COUNTY_ADMIN,),
            areas=(county,),
            ceiling=Sensitivity.CONFIDENTIAL,
        )
    except ValidationError as error:
        # Never the whole error: it repeats what was given, a password among it.
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise click.ClickException(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if not asyncio.run(_store(account)):
        raise click.ClickException(f"the login {login!r} is taken")
    click.echo(f"created {login}" + (f", password {made}" if made else ""))


async def _store(account: changes.NewAccount) -> bool:
    access = Database("access", DatabaseSettings.for_service("access").url, size=1)
    try:
        async with access.transaction() as connection:
            return await changes.create(connection, account, by=None)
    finally:
        await access.close()
