"""`scripts/pingan quarantine …`: messages that could not be applied, read, retried and dropped at the databases.

It needs no running service: what is retried lies in the consumer's inbox, due, when the service is back.
"""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import click
from sqlalchemy import Engine, select

from backbone import database, settling, tables
from backbone import quarantine as quarantined
from backbone.database import Session, Unavailable, new_id
from backbone.quarantine import Filter
from backbone.settings import SERVICES, DatabaseSettings
from contracts.refusals import Refusal
from contracts.scope import Actor, Role, Scope
from gateway.personal import Look, ReadAudit
from gateway.problems import Problem
from gateway.reads import Database

PURPOSE = "quarantine"
_TIME = click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%d"])
Decorated = Callable[..., Any]


def _filters(command: Decorated) -> Decorated:
    options = (
        click.option("--consumer", help="Only this queue's, such as hazards.on-areas."),
        click.option("--reason", help="Only with this code: undecodable, unknown_type, failed, killed_worker, ..."),
        click.option("--since", type=_TIME, help="Only what came since then, as in 2026-01-31T08:00:00Z."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group(help="Messages that could not be applied.")
def quarantine() -> None:
    """Commands on the quarantines of the services."""


@quarantine.command("list", help="What waits in quarantine, newest first.")
@click.option("--service", type=click.Choice(SERVICES), help="Only this service's.")
@_filters
@click.option("--settled", is_flag=True, help="What was retried or dropped, in place of what waits.")
@click.option("--after", type=click.UUID, help="The next page: the last id of the one before.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
def list_(
    service: str | None,
    consumer: str | None,
    reason: str | None,
    since: datetime | None,
    settled: bool,
    after: UUID | None,
    limit: int,
) -> None:
    which = Filter(consumer, reason, _utc(since), settled)
    found: list[tuple[str, dict[str, Any]]] = []
    for name in (service,) if service else SERVICES:
        with _session(name) as session:
            found += [(name, row) for row in quarantined.listing(session, which, after=after, limit=limit + 1)]
    found.sort(key=lambda each: each[1]["id"], reverse=True)
    for name, row in found[:limit]:
        at = row["created_at"].strftime("%Y-%m-%dT%H:%M:%SZ")
        end = f" {row['resolution']}: {row['resolution_reason'] or '-'}" if settled else ""
        click.echo(f"{name} {row['id']} {at} {row['consumer']} {row['reason']} attempts={row['attempts']}{end}")
    if len(found) > limit:
        click.echo(f"there are more: --after {found[limit - 1][1]['id']}", err=True)


@quarantine.command(help="One entry whole: error, headers and body. The look is on record in the read audit.")
@click.argument("service", type=click.Choice(SERVICES))
@click.argument("entry", type=click.UUID)
def show(service: str, entry: UUID) -> None:
    asyncio.run(_record(service, entry))
    with _session(service) as session:
        rows = select(tables.quarantine).where(tables.quarantine.c.id == entry)
        row = session.execute(rows).mappings().one_or_none()
    if row is None:
        raise click.ClickException("no such entry")
    for name, value in row.items():
        if name != "body" and value is not None:
            click.echo(f"{name}: {json.dumps(value) if name == 'headers' else value}")
    body = bytes(row["body"])
    click.echo(f"size: {len(body)}\n")
    try:
        click.echo(json.dumps(json.loads(body), indent=2, ensure_ascii=False))
    except (ValueError, RecursionError):
        click.echo(body.decode(errors="backslashreplace"))


@quarantine.command(help="Apply it again, or all that match: back to the consumer's inbox, due at once.")
@click.argument("service", type=click.Choice(SERVICES))
@click.argument("entry", type=click.UUID, required=False)
@_filters
@click.option("--all", "everything", is_flag=True, help="All that is open in this service.")
def retry(
    service: str, entry: UUID | None, consumer: str | None, reason: str | None, since: datetime | None, everything: bool
) -> None:
    which = Filter(consumer, reason, _utc(since))
    _settle_each(service, _chosen(service, entry, which, everything), settling.retry, "due again")


@quarantine.command(help="Give it up, or all that match: it will not be applied. The reason is kept.")
@click.argument("service", type=click.Choice(SERVICES))
@click.argument("entry", type=click.UUID, required=False)
@_filters
@click.option("--all", "everything", is_flag=True, help="All that is open in this service.")
@click.option("--because", required=True, help="Why it is given up; kept with it.")
def drop(
    service: str,
    entry: UUID | None,
    consumer: str | None,
    reason: str | None,
    since: datetime | None,
    everything: bool,
    because: str,
) -> None:
    if not 3 <= len(because.strip()) <= 500:
        raise click.BadParameter("3 to 500 characters", param_hint="--because")
    which = Filter(consumer, reason, _utc(since))

    def dropping(session: Session, each: UUID) -> object:
        return settling.drop(session, each, because.strip())

    _settle_each(service, _chosen(service, entry, which, everything), dropping, "dropped")


def _chosen(service: str, entry: UUID | None, which: Filter, everything: bool) -> list[UUID]:
    filtered = which != Filter()
    if sum((entry is not None, filtered, everything)) != 1:
        raise click.UsageError("name one entry, or give filters, or --all")
    if entry is not None:
        return [entry]
    with _session(service) as session:
        return quarantined.matching(session, which)


def _settle_each(service: str, entries: list[UUID], how: Callable[[Session, UUID], object], word: str) -> None:
    """Each in its own transaction: one that is refused does not hold the others."""
    done, refused = 0, 0
    for entry in entries:
        try:
            with _session(service) as session:
                how(session, entry)
        except Refusal as refusal:
            refused += 1
            click.echo(f"{entry}: {refusal.code}: {refusal.detail}", err=True)
        else:
            done += 1
            click.echo(f"{entry} is {word}")
    click.echo(f"{done} {word}, {refused} refused", err=True)
    if refused:
        raise click.exceptions.Exit(1)


async def _record(service: str, entry: UUID) -> None:
    """No record, no look: the same rule as the API's."""
    nobody = UUID(int=0)
    scope = Scope.system("an operator's shell reads a quarantined message")
    actor = Actor(nobody, nobody, frozenset({Role.COUNTY_ADMIN}), scope)
    access = Database("access", DatabaseSettings.for_service("access").url, 1)
    route = f"shell of {getpass.getuser()}: pingan quarantine show"
    try:
        look = Look(actor, route, f"quarantine {service}", str(entry), str(new_id()))
        await ReadAudit(access).write(look, PURPOSE)
    except Problem as problem:
        raise click.ClickException(f"the look cannot be put on record, so there is none: {problem}") from None
    finally:
        await access.close()


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone()


@cache
def _engine(service: str) -> Engine:
    return database.engine(DatabaseSettings.for_service(service).url, pool_size=1, application_name="cli")


@contextmanager
def _session(service: str) -> Iterator[Session]:
    try:
        with database.transaction(_engine(service)) as session:
            yield session
    except Unavailable as error:
        raise click.ClickException(f"{service}: {error}") from None
