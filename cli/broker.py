"""`scripts/pingan topology|events …`: what the broker has, and events that need a second go."""

from __future__ import annotations

import asyncio
from uuid import UUID

import click

from backbone.rpc import CommandClient, CommandRefused, CommandUnavailable
from backbone.settings import SERVICES, BrokerSettings
from backbone.topology import TopologyMismatch
from backbone.topology import declare as declare_topology
from contracts.commands import Announce
from contracts.scope import Actor, Role, Scope


@click.group(help="Exchanges, queues and bindings.")
def topology() -> None:
    """Commands on the topology."""


@topology.command(help="Declare every exchange, queue and binding; as often as one likes.")
def declare() -> None:
    try:
        declare_topology(BrokerSettings().url)
    except TopologyMismatch as error:
        raise click.ClickException(f"the broker has another topology: {error}") from None
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
