"""`scripts/pingan topology …`: what the broker has."""

from __future__ import annotations

import click

from backbone.settings import BrokerSettings
from backbone.topology import TopologyMismatch
from backbone.topology import declare as declare_topology


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
