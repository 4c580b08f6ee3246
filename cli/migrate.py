"""`scripts/pingan migrate`: every schema to its newest revision, as its owner role."""

from __future__ import annotations

import click

from backbone.migrations import upgrade
from backbone.settings import SCHEMAS, DatabaseSettings


@click.command(help="Bring schemas to their newest revision, as their owner roles.")
@click.option("--service", type=click.Choice(SCHEMAS), help="Only this schema.")
def migrate(service: str | None) -> None:
    for schema in (service,) if service else SCHEMAS:
        upgrade(schema, DatabaseSettings.for_service(schema).owner_url)
        click.echo(f"migrated {schema}")
