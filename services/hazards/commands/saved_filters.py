"""Filters that somebody keeps under a name, for oneself or for one's agency to look through."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from backbone.clock import Clock
from backbone.database import Session
from contracts.hazards.commands import PutSavedFilter, RemoveSavedFilter, SavedFilter, SavedFilterRemoved
from contracts.hazards.errors import FilterNameTaken, TooManyFilters
from contracts.refusals import NotVisible
from contracts.scope import Actor
from services.hazards.tables import saved_filters as table

MOST = 100
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('hazards.saved_filters'), hashtext(:account))")
_MINE = select(table).where(table.c.account_id == bindparam("account"))


def put_saved_filter(session: Session, actor: Actor, command: PutSavedFilter, *, clock: Clock) -> SavedFilter:
    """Makes or replaces one's own filter; the same again changes nothing.

    Raises NotVisible for another's id, FilterNameTaken, TooManyFilters.
    """
    session.execute(_ONE_AT_A_TIME, {"account": str(actor.account_id)})
    values = {
        "account_id": actor.account_id,
        "agency_id": actor.agency_id,
        "name": command.name,
        "shared": command.shared,
        "sort": command.sort.value,
        "filter": command.filter.model_dump(mode="json", exclude_defaults=True),
    }
    known = session.execute(select(table).where(table.c.id == command.filter_id)).mappings().one_or_none()
    if known is not None and known["account_id"] != actor.account_id:
        raise NotVisible()
    mine = session.execute(_MINE, {"account": actor.account_id}).mappings().all()
    if any(each["name"] == command.name and each["id"] != command.filter_id for each in mine):
        raise FilterNameTaken(field="name", expected="another name")
    if known is None:
        if len(mine) >= MOST:
            raise TooManyFilters(expected=f"at most {MOST}")
        made = insert(table).values(id=command.filter_id, **values, version=1).on_conflict_do_nothing().returning(table)
        row = session.execute(made).mappings().one_or_none()
        if row is None:  # the id was taken by somebody else this very moment
            raise NotVisible()
    elif all(known[name] == value for name, value in values.items()):
        row = known
    else:
        changed = update(table).where(table.c.id == command.filter_id).values(**values, version=known["version"] + 1)
        row = session.execute(changed.returning(table)).mappings().one()
    return SavedFilter(filter_id=row["id"], **{n: row[n] for n in ("name", "shared", "sort", "filter", "version")})


def remove_saved_filter(
    session: Session, actor: Actor, command: RemoveSavedFilter, *, clock: Clock
) -> SavedFilterRemoved:
    """Forgets one's own filter. Raises NotVisible for another's."""
    of = session.execute(select(table.c.account_id).where(table.c.id == command.filter_id)).scalar_one_or_none()
    if of is not None and of != actor.account_id:
        raise NotVisible()
    session.execute(delete(table).where(table.c.id == command.filter_id))
    return SavedFilterRemoved(filter_id=command.filter_id)
