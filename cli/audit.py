"""`scripts/pingan audit …`: histories of cases proved, at the database or from a file, and fields erased by law.

It needs no running service. A history that was edited ends the command with 1.
"""

from __future__ import annotations

import getpass
import json
import pathlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import click
from sqlalchemy import Engine, bindparam, select, text

from backbone import database
from backbone.database import Session, Unavailable, from_json
from backbone.settings import DatabaseSettings
from contracts.scope import Scope
from services.hazards import chain, daily, queries
from services.hazards.queries.history import FORMAT
from services.hazards.tables import cases, history_days

PORTION = 200
C = cases.c
_PAGE = select(C.id).where(C.id > bindparam("after")).order_by(C.id).limit(PORTION)
_ERASE = text("""
INSERT INTO hazards.history_erasures (case_id, seq, field, erased_at, erased_by, basis)
VALUES (:case_id, :seq, :field, now(), :erased_by, :basis)
""")
_FIELDS = {
    name: text(f"""
UPDATE hazards.case_history SET {name} = NULL, salts = salts - '{name}'
WHERE case_id = :case_id AND seq = :seq AND {name} IS NOT NULL
""")  # noqa: S608 - names of ours
    for name in chain.ERASABLE
}


@click.group(help="Proofs that nothing was edited.")
def audit() -> None:
    """Commands on what was written."""


@audit.command("verify-case", help="Check the chain of one case's history (case number or id), or of all.")
@click.argument("case", required=False)
@click.option("--all", "everything", is_flag=True, help="Every case, and the digests of all days.")
@click.option("--head", help="The digest that the history must end in: history_digest of an event you received.")
def verify_case(case: str | None, everything: bool, head: str | None) -> None:
    if (case is None) != everything or (everything and head is not None):
        raise click.UsageError("name one case, or give --all")
    with _session("app") as session:
        broken = _verify_all(session) if case is None else _verify_one(session, case, head)
    if broken:
        raise click.exceptions.Exit(1)


@audit.command("verify-file", help="Check an exported history, offline; `-` reads standard input.")
@click.argument("file", type=click.Path(allow_dash=True, dir_okay=False))
@click.option("--head", help="The digest that the history must end in: history_digest of an event you received.")
def verify_file(file: str, head: str | None) -> None:
    try:
        read = sys.stdin.buffer.read() if file == "-" else pathlib.Path(file).read_bytes()
        history = json.loads(read)
    except (OSError, ValueError, RecursionError) as error:
        raise click.ClickException(f"{file}: {error}") from None
    if not isinstance(history, dict) or history.get("format") != FORMAT:
        raise click.ClickException(f"{file}: not an exported history ({FORMAT})")
    if _said(history, head):
        raise click.exceptions.Exit(1)


@audit.command("erase-field", help="Erase what a history row says in one field, as law may ask. The chain stays whole.")
@click.argument("case")
@click.argument("seq", type=click.IntRange(min=1))
@click.argument("field", type=click.Choice(chain.ERASABLE))
@click.option("--basis", required=True, help="The order or request it follows; kept with it.")
def erase_field(case: str, seq: int, field: str, basis: str) -> None:
    if not 3 <= len(basis.strip()) <= 500:
        raise click.BadParameter("3 to 500 characters", param_hint="--basis")
    with _session("owner") as session:
        given = {"case_id": _id_of(session, case), "seq": seq}
        session.execute(_ERASE, {**given, "field": field, "erased_by": getpass.getuser(), "basis": basis.strip()})
        if not session.execute(_FIELDS[field], given).rowcount:
            raise click.ClickException(f"row {seq} says nothing in '{field}'")
    click.echo(f"erased {field} of row {seq}")


@audit.command(help="The digest of every day, to be noted down elsewhere.")
@click.option("--last", default=30, show_default=True, type=click.IntRange(1, 100_000), help="So many days.")
def days(last: int) -> None:
    with _session("app") as session:
        found = session.execute(select(history_days).order_by(history_days.c.day.desc()).limit(last)).all()
    for row in reversed(found):
        click.echo(f"{row.day} {row.digest} cases={row.cases}")


def _verify_one(session: Session, case: str, head: str | None) -> bool:
    return _said(_history(session, _id_of(session, case)), head)


def _verify_all(session: Session) -> bool:
    seen, broken, after = 0, 0, UUID(int=0)
    while page := session.execute(_PAGE, {"after": after}).scalars().all():
        for case_id in page:
            history = _history(session, case_id)
            if chain.faults(history):
                broken += 1
                _said(history, None)
        seen, after = seen + len(page), page[-1]
        click.echo(f"{seen} cases so far, {broken} broken", err=True)
    lost = [
        day for day in session.execute(select(history_days).order_by(history_days.c.day)) if not _same(session, day)
    ]
    for day in lost:
        click.echo(f"day {day.day}: the histories are not those of its digest")
    click.echo(f"{seen} histories, {broken} broken; {len(lost)} days do not agree")
    return bool(broken or lost)


def _same(session: Session, day: Any) -> bool:
    return daily.of_day(session, day.day) == (day.cases, day.digest, day.previous)


def _history(session: Session, case_id: UUID) -> dict[str, Any]:
    query = queries.history_export(Scope.system("an operator's shell proves a history"), case_id)
    found: dict[str, Any] = from_json(session.execute(query.build(), query.parameters).scalar_one())
    return found


def _said(history: Mapping[str, Any], head: str | None) -> bool:
    """Says what was found; whether anything is wrong."""
    try:
        found = chain.faults(history)
        name, rows = history.get("case_no") or history["case_id"], len(history["rows"])
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        raise click.ClickException("it has no form that a history could have") from None
    if head is not None and history["head"] != head:
        found.append(chain.Fault(f"it ends in {history['head']}, not in {head}"))
    for fault in found:
        click.echo(f"{name}: {fault}")
    if found:
        return True
    begin, erased = history["chained_from"], len(history["erasures"])
    before = "" if begin == 1 else f", chained from {begin}" if begin else ", of the time before chains"
    click.echo(
        f"{name}: {rows} rows, nothing edited{before}" + (f", {erased} fields erased by order" if erased else "")
    )
    return False


def _id_of(session: Session, case: str) -> UUID:
    try:
        which = C.id == UUID(case)
    except ValueError:
        which = C.case_no == case
    found: UUID | None = session.execute(select(C.id).where(which)).scalar_one_or_none()
    if found is None:
        raise click.ClickException(f"no case {case}")
    return found


def _engine(role: str) -> Engine:
    settings = DatabaseSettings.for_service("hazards")
    return database.engine(settings.owner_url if role == "owner" else settings.url, pool_size=1, application_name="cli")


@contextmanager
def _session(role: str) -> Iterator[Session]:
    engine = _engine(role)
    try:
        with database.transaction(engine) as session:
            yield session
    except Unavailable as error:
        raise click.ClickException(f"hazards: {error}") from None
    finally:
        engine.dispose()
