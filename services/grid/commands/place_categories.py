"""Categories of places: their checklists, the hardware they expect, how often a place is due."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from uuid import UUID

from sqlalchemy import bindparam, exists, or_, select, text

from backbone.clock import Clock
from backbone.database import Session
from contracts.grid import errors
from contracts.grid.commands import PlaceCategory, PutPlaceCategory
from contracts.refusals import NotAllowed
from contracts.scope import Actor, Role
from services.grid.commands import upserts
from services.grid.domain.hardware import HARDWARE
from services.grid.tables import place_categories, places

_c = place_categories.c
_TAKEN = select(
    or_(
        exists().where(_c.code == bindparam("code"), _c.active),
        # A place keeps the category it has, so that it can still be moved or closed.
        exists().where(places.c.place_id == bindparam("place_id"), places.c.category == bindparam("code")),
    )
)
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('grid.place_categories'))")


def put_place_category(session: Session, actor: Actor, command: PutPlaceCategory, *, clock: Clock) -> PlaceCategory:
    """Create or replace a category. Raises NotAllowed, UnknownCategory and CategoryCycle (its parent), UnknownHardware,
    GivenTwice, StaleVersion."""
    if not (actor.scope.unrestricted or actor.has(Role.COUNTY_ADMIN)):
        raise NotAllowed(expected="county_admin")
    # One at a time: a circle is seen in committed rows alone.
    session.execute(_ONE_AT_A_TIME)
    _require_no_circle(session, command.code, command.parent)
    for n, kind in enumerate(command.hardware):
        require_hardware(kind, f"hardware.{n}")
    require_once(command.hardware, "hardware")
    require_once((item.code for item in command.checklist), "checklist")
    values = command.model_dump(mode="json", exclude={"code", "expected_version"})
    version, _ = upserts.put(
        session, place_categories, command.code, values, clock(), expected_version=command.expected_version
    )
    return PlaceCategory(code=command.code, version=version, **values)


def require(session: Session, code: str, *, for_place: UUID) -> None:
    """The category is in force, or the place's own. Raises UnknownCategory, which names what is near."""
    if session.execute(_TAKEN, {"code": code, "place_id": for_place}).scalar_one():
        return
    known = session.execute(select(_c.code).where(_c.active).order_by(_c.code)).scalars().all()
    near = get_close_matches(code, known, n=3)
    raise errors.UnknownCategory(field="category", expected=" | ".join(near or known))


def require_hardware(kind: str, field: str) -> None:
    """A code of the list of hardware. Raises UnknownHardware, which names what is near."""
    if kind not in HARDWARE:
        near = get_close_matches(kind, HARDWARE, n=3)
        raise errors.UnknownHardware(field=field, expected=" | ".join(near or HARDWARE))


def require_once(things: Iterable[object], field: str) -> None:
    """Raises GivenTwice, naming the second of two that are equal."""
    seen: set[object] = set()
    for n, thing in enumerate(things):
        if thing in seen:
            raise errors.GivenTwice(field=f"{field}.{n}", expected="each thing once")
        seen.add(thing)


def _require_no_circle(session: Session, code: str, parent: str | None) -> None:
    parents = {row.code: row.parent for row in session.execute(select(_c.code, _c.parent))}
    if parent is not None and parent != code and parent not in parents:
        near = get_close_matches(parent, parents, n=3)
        raise errors.UnknownCategory(field="parent", expected=" | ".join(near or sorted(parents)))
    above = parent
    while above is not None:
        if above == code:
            raise errors.CategoryCycle(field="parent")
        above = parents[above]
