"""`scripts/pingan demo …`: the demo county and its accounts; only with the setting PINGAN_DEMO."""

from __future__ import annotations

import asyncio
import unicodedata
from typing import Any

import click

from backbone.settings import DatabaseSettings, PlatformSettings, required
from contracts.scope import Role
from gateway.access import changes
from gateway.reads import Database
from simulator import demo as county

HEAD = ("login", "password", "roles", "name")


@click.group(help="The demo county. Its passwords are public: never where real people work.")
def demo() -> None:
    if not PlatformSettings().demo:
        raise click.ClickException("PINGAN_DEMO is not set: this platform takes no demo accounts")


@demo.command(help="Write the demo accounts, then load the demo county through the API; as often as one likes.")
def load() -> None:
    entries = county.accounts()
    asyncio.run(_store([_account(entry) for entry in entries]))
    administrator = next(entry for entry in entries if Role.COUNTY_ADMIN in entry["roles"])
    gateway = f"http://127.0.0.1:{required('PINGAN_GATEWAY_PORT')}"
    county.load(gateway, administrator["login"], administrator["password"])


@demo.command(help="Show the demo accounts.")
def accounts() -> None:
    rows = [HEAD, *map(_row, county.accounts())]
    widths = [max(_width(row[n]) for row in rows) for n in range(len(HEAD))]
    for row in rows:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        click.echo(("    " + "  ".join(cells)).rstrip())


def _account(entry: dict[str, Any]) -> changes.NewAccount:
    """The entry is in the form of PUT /v1/accounts/{id}; what only the API reads (kind, demo) is left out."""
    known = changes.NewAccount.model_fields
    return changes.NewAccount.model_validate({name: value for name, value in entry.items() if name in known})


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    machine = "client_id" in entry and entry["client_id"] is not None
    login, secret = (entry["client_id"], entry["client_secret"]) if machine else (entry["login"], entry["password"])
    return login, secret, ",".join(entry["roles"]) + (" (client_credentials)" if machine else ""), entry["name"]


def _width(text: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


async def _store(entries: list[changes.NewAccount]) -> None:
    access = Database("access", DatabaseSettings.for_service("access").url, size=1)
    try:
        for entry in entries:
            async with access.transaction() as connection:
                await changes.create(connection, entry, by=None, demo=True)
    finally:
        await access.close()
