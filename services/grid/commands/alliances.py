"""Alliances (联盟) of homes, firms and business streets: places that look after one another (S3.1)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from backbone.clock import Clock
from backbone.database import Session
from backbone.policy import visible
from contracts.grid import errors
from contracts.grid.commands import Alliance, PutAlliance
from contracts.scope import Actor, Role
from services.grid.commands import links, rights, upserts
from services.grid.commands.place_categories import require_once
from services.grid.tables import alliances, places


def put_alliance(session: Session, actor: Actor, command: PutAlliance, *, clock: Clock) -> Alliance:
    """Create or replace an alliance. Raises NotAllowed, NotVisible, UnknownArea, VoidedArea, UnknownPlace, GivenTwice,
    StaleVersion."""
    present = links.present_path(session, alliances, command.alliance_id)
    rights.require_may_write(actor, command.area_path, *present)
    links.require_area(session, present, command.area_path)
    require_once(command.members, "members")
    _require_places(session, actor, command.members)
    values = command.model_dump(exclude={"alliance_id", "expected_version"})
    # In one order, so that the same members named otherwise are no change.
    values["members"] = sorted(command.members)
    version, _ = upserts.put(
        session, alliances, command.alliance_id, values, clock(), expected_version=command.expected_version
    )
    return Alliance(alliance_id=command.alliance_id, version=version, **values)


def _require_places(session: Session, actor: Actor, members: list[UUID]) -> None:
    """Each is a place that the actor may see: what is invisible does not exist."""
    p = places.c
    paths = {row.place_id: row.area_path for row in session.execute(
        select(p.place_id, p.area_path).where(p.place_id.in_(members)))} if members else {}  # fmt: skip
    founding = actor.has(Role.COUNTY_ADMIN) and not actor.scope.areas
    for n, member in enumerate(members):
        path = paths.get(member)
        if path is None or not (founding or visible(actor.scope, area_path=path)):
            raise errors.UnknownPlace(field=f"members.{n}")
