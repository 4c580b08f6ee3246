"""`scripts/pingan events …`: states announced, and events sent again, to one consumer alone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import click

from backbone import retention
from backbone.refill import Refill
from backbone.relay import DATABASE_AWAY, Publisher, connect_database
from backbone.rpc import CommandClient, CommandRefused, CommandUnavailable
from backbone.settings import SERVICES, BrokerSettings, DatabaseSettings
from backbone.topology import EVENTS, queues
from contracts.commands import Announce
from contracts.registry import all_events
from contracts.scope import Actor, Role, Scope

PORTION = 2000
FORGET = "DELETE FROM inbox WHERE consumer = $1 AND status = 'done' AND event_id = ANY($2::uuid[])"
_TIME = click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%d"])


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
            click.echo(f"{count} {entity} so far", err=True)
    except CommandRefused as error:
        wanted = f" ({error.field}: {error.expected})" if error.field else ""
        raise click.ClickException(f"{service}: {error.detail}{wanted}") from None
    except CommandUnavailable as error:
        raise click.ClickException(f"{service}: {error}") from None
    finally:
        await client.close()


@events.command(help="Send one consumer again what its sources have had confirmed since a time.")
@click.option("--consumer", required=True, help="The consumer's queue, such as notify.on-everything.")
@click.option("--since", required=True, type=_TIME, help="From when on, as in 2026-01-31T08:00:00Z.")
@click.option("--type", "event_type", help="Only this event type, such as county.grid.agency.changed.v1.")
@click.option(
    "--anew", is_flag=True, help="What was applied already is applied again: for a projection that was emptied."
)
def redrive(consumer: str, since: datetime, event_type: str | None, anew: bool) -> None:
    if not any(queue.name == consumer and queue.exchange == EVENTS for queue in queues()):
        raise click.BadParameter("no event queue of this name", param_hint="--consumer")
    if event_type is not None and event_type not in {cls.type for cls in all_events()}:
        raise click.BadParameter("no event type of this name", param_hint="--type")
    since = since.astimezone()
    if since < datetime.now(UTC) - retention.OUTBOX:
        click.echo(f"the outboxes keep {retention.OUTBOX.days} days: what is older comes only by announce", err=True)
    if not anew:
        # An outbox may hold more while some queue is owed it; what the inbox has forgotten would be applied twice.
        since = max(since, datetime.now(UTC) - retention.INBOX + timedelta(days=1))
    count = asyncio.run(_redrive(consumer, since, event_type, anew))
    click.echo(f"sent {count} events again to {consumer}")


async def _redrive(consumer: str, since: datetime, event_type: str | None, anew: bool) -> int:
    publisher = Publisher(BrokerSettings().url)
    owner = await connect_database(DatabaseSettings.for_service(consumer.partition(".")[0]).url, "cli-redrive")

    async def forget(ids: list[UUID]) -> None:
        await owner.execute(FORGET, consumer, ids)

    count = 0
    try:
        for service in SERVICES:
            database = await connect_database(DatabaseSettings.for_service(service).url, "cli-redrive")
            begin: datetime | None = since
            while begin is not None:
                sent = await Refill(publisher).since(
                    database, consumer, begin, most=PORTION, event_type=event_type, before=forget if anew else None
                )
                count, begin = count + sent.events, sent.left_from
                click.echo(f"{service}: {count} so far", err=True)
            await database.close()
        return count
    except (RuntimeError, *DATABASE_AWAY) as error:
        raise click.ClickException(f"after {count} events: {error}") from None
    finally:
        owner.terminate()
        await publisher.close()


def _operator() -> Actor:
    return Actor(
        account_id=UUID(int=0),
        agency_id=UUID(int=0),
        roles=frozenset({Role.COUNTY_ADMIN}),
        scope=Scope.system("an operator's shell announces events"),
    )
