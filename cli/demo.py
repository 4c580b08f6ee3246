"""`pingan demo …`: the demo county and its accounts; only with the setting PINGAN_DEMO."""

from __future__ import annotations

import asyncio
import unicodedata

import click

from backbone.settings import DatabaseSettings, PlatformSettings, required
from contracts.areas import child_path
from contracts.scope import Role, Sensitivity
from gateway.access import changes
from gateway.reads import Database
from simulator import demo as county

COLUMNS = ("login", "password", "roles", "title")


@click.group(help="The demo county. Its passwords are public: never where real people work.")
def demo() -> None:
    if not PlatformSettings().demo:
        raise click.ClickException("PINGAN_DEMO is not set: this platform takes no demo accounts")


@demo.command(help="Make the demo administrator, then load the demo county through the API; as often as one likes.")
def load() -> None:
    administrator = county.accounts()[0]
    login, password = administrator["login"], administrator["password"]
    account = changes.NewAccount(
        login=login,
        password=password,
        name=administrator["title"],
        roles=(Role.COUNTY_ADMIN, Role.COUNTY_OPERATOR),
        areas=(child_path(None, PlatformSettings().county_code),),
        ceiling=Sensitivity.CONFIDENTIAL,
    )
    asyncio.run(_store(account))
    county.load(f"http://127.0.0.1:{required('PINGAN_GATEWAY_PORT')}", login, password)


@demo.command(help="Show the demo accounts.")
def accounts() -> None:
    rows = [COLUMNS, *(tuple(entry[name] for name in COLUMNS) for entry in county.accounts())]
    widths = [max(_width(row[n]) for row in rows) for n in range(len(COLUMNS))]
    for row in rows:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        click.echo(("    " + "  ".join(cells)).rstrip())


def _width(text: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


async def _store(account: changes.NewAccount) -> None:
    access = Database("access", DatabaseSettings.for_service("access").url, size=1)
    try:
        async with access.transaction() as connection:
            await changes.create(connection, account, by=None, demo=True)
    finally:
        await access.close()
