"""`scripts/pingan topology|events|quarantine …`: what the broker has, and events that need a second go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

import click
from sqlalchemy import Engine, select

from backbone import database, tables
from backbone import quarantine as quarantined
from backbone.rpc import CommandClient, CommandRefused, CommandUnavailable
from backbone.settings import SERVICES, BrokerSettings, DatabaseSettings
from backbone.topology import declare as declare_topology
from contracts.commands import Announce
from contracts.scope import Actor, Role, Scope


@click.group(help="Exchanges, queues and bindings.")
def topology() -> None:
    """Commands on the topology."""


@topology.command(help="Declare every exchange, queue and binding; as often as one likes.")
def declare() -> None:
    declare_topology(BrokerSettings().url)
    click.echo("topology declared")


@click.group(help="Facts and their delivery.")
def events() -> None:
    """Commands on events."""


@events.command(help="Have the owner send one consumer the current state of every entity of a kind.")
@click.argument("service", type=click.Choice(SERVICES))
@click.argument("entity")
@click.option("--to", "consumer", required=True, help="The consumer's queue, such as hazards.on-areas.")
@click.option("--since", help="Only what changed since this time (RFC 3339).")
def announce(service: str, entity: str, consumer: str, since: str | None) -> None:
    count = asyncio.run(_announce(service, entity, consumer, since))
    click.echo(f"announced {count} {entity} of {service} to {consumer}")


async def _announce(service: str, entity: str, consumer: str, since: str | None) -> int:
    client = CommandClient(BrokerSettings().url)
    await client.connect()
    count, after = 0, None
    try:
        while True:
            command = Announce(entity=entity, consumer=consumer, since=since, after=after)
            reply = await client.send(command, _operator(), service=service, deadline=30.0)
            count, after = count + int(reply["count"]), reply.get("next")
            if after is None:
                return count
    except (CommandRefused, CommandUnavailable) as error:
        raise click.ClickException(f"{service}: {error}") from None
    finally:
        await client.close()


def _operator() -> Actor:
    return Actor(
        account_id=UUID(int=0),
        agency_id=UUID(int=0),
        roles=frozenset({Role.COUNTY_ADMIN}),
        scope=Scope.system("an operator's shell announces events"),
    )


@click.group(help="Events that could not be applied.")
def quarantine() -> None:
    """Commands on the quarantines of the services."""


@quarantine.command("list", help="What waits in quarantine, newest first.")
@click.option("--service", type=click.Choice(SERVICES), help="Only this service's.")
@click.option("--limit", default=50, show_default=True)
def list_(service: str | None, limit: int) -> None:
    for name in (service,) if service else SERVICES:
        with database.transaction(_engine(name)) as session:
            for row in quarantined.listing(session, limit):
                error = (row["error"] or "").strip().splitlines()[-1:] or [""]
                at = row["created_at"].strftime("%Y-%m-%dT%H:%M:%SZ")
                click.echo(f"{name} {row['id']} {at} {row['consumer']} {row['reason']} {error[0]}")


@quarantine.command(help="One entry with its payload.")
@click.argument("service", type=click.Choice(SERVICES))
@click.argument("entry", type=click.UUID)
def show(service: str, entry: UUID) -> None:
    with database.transaction(_engine(service)) as session:
        rows = select(tables.quarantine).where(tables.quarantine.c.id == entry)
        row = session.execute(rows).mappings().one_or_none()
    if row is None:
        raise click.ClickException("no such entry")
    for name, value in row.items():
        if name != "body":
            click.echo(f"{name}: {value}")
    click.echo("\n" + bytes(row["body"]).decode(errors="backslashreplace"))


@quarantine.command(help="Apply it again: it goes back to its consumer's inbox, due at once.")
@click.argument("service", type=click.Choice(SERVICES))
@click.argument("entry", type=click.UUID)
def retry(service: str, entry: UUID) -> None:
    _settle(service, entry, quarantined.retry)
    click.echo(f"{entry} is due again")


@quarantine.command(help="Give it up: it will not be applied.")
@click.argument("service", type=click.Choice(SERVICES))
@click.argument("entry", type=click.UUID)
def drop(service: str, entry: UUID) -> None:
    _settle(service, entry, quarantined.drop)
    click.echo(f"{entry} is dropped")


def _settle(service: str, entry: UUID, how: Callable[[database.Session, UUID], None]) -> None:
    try:
        with database.transaction(_engine(service)) as session:
            how(session, entry)
    except quarantined.NotRetriable:
        raise click.ClickException("no such open entry, or it names no event and can only be dropped") from None


def _engine(service: str) -> Engine:
    return database.engine(DatabaseSettings.for_service(service).url, pool_size=1, application_name="cli")
