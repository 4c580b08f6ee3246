"""What a place's card says beside itself: who answers for it, its hardware, its printed code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, func, insert, select

from backbone.clock import Clock
from backbone.database import Session
from contracts.grid import errors
from contracts.grid.commands import (
    PlaceContacts,
    PlaceHardware,
    PlaceQr,
    PutPlaceContacts,
    PutPlaceHardware,
    RevokePlaceQr,
)
from contracts.refusals import NotVisible
from contracts.scope import Actor
from services.grid.commands import places as places_commands
from services.grid.commands import rights
from services.grid.commands.place_categories import require_hardware, require_once
from services.grid.tables import place_categories, place_contacts, place_hardware, place_qr_revocations, places

LAST_SERIAL = 0xFFFFFF
"""A printed code has three bytes for its serial."""


def put_place_contacts(session: Session, actor: Actor, command: PutPlaceContacts, *, clock: Clock) -> PlaceContacts:
    """Replace the responsible persons of a place; equal ones change nothing. Raises NotAllowed, NotVisible,
    GivenTwice."""
    place = _place_to_write(session, actor, command.place_id)
    require_once(((each.role, each.name) for each in command.contacts), "contacts")
    numbers: dict[str, int] = {}
    rows = []
    for each in command.contacts:
        numbers[each.role] = numbers.get(each.role, 0) + 1
        rows.append(
            {"role": each.role.value, "n": numbers[each.role], "name": each.name, "duty_phone": each.duty_phone}
        )
    changed = _replace(session, place_contacts, command.place_id, rows)
    version = places_commands.touch(session, command.place_id, clock()) if changed else int(place["version"])
    return PlaceContacts(place_id=command.place_id, contacts=command.contacts, version=version)


def put_place_hardware(session: Session, actor: Actor, command: PutPlaceHardware, *, clock: Clock) -> PlaceHardware:
    """Replace the hardware of a place; equal hardware changes nothing. Raises NotAllowed, NotVisible,
    UnknownHardware, GivenTwice."""
    place = _place_to_write(session, actor, command.place_id)
    require_once(((each.kind, each.state) for each in command.hardware), "hardware")
    for n, each in enumerate(command.hardware):
        require_hardware(each.kind, f"hardware.{n}.kind")
    rows = [each.model_dump() | {"state": each.state.value} for each in command.hardware]
    changed = _replace(session, place_hardware, command.place_id, rows)
    version = places_commands.touch(session, command.place_id, clock()) if changed else int(place["version"])
    c = place_categories.c
    expected = session.execute(select(c.hardware).where(c.code == place["category"])).scalar_one_or_none() or []
    there = {each.kind for each in command.hardware}
    missing = [kind for kind in expected if kind not in there]
    return PlaceHardware(place_id=command.place_id, hardware=command.hardware, missing=missing, version=version)


def revoke_place_qr(session: Session, actor: Actor, command: RevokePlaceQr, *, clock: Clock) -> PlaceQr:
    """Void what is printed; the next serial is in force. Raises NotAllowed, NotVisible, QrSerialsUsedUp."""
    _place_to_write(session, actor, command.place_id)
    q = place_qr_revocations.c
    revoked = session.execute(select(func.max(q.serial)).where(q.place_id == command.place_id)).scalar_one() or 0
    serial, now = int(revoked) + 1, clock()
    if serial >= LAST_SERIAL:
        raise errors.QrSerialsUsedUp()
    session.execute(
        insert(place_qr_revocations).values(
            place_id=command.place_id,
            serial=serial,
            revoked_at=now,
            revoked_by=actor.account_id,
            reason=command.reason,
        )
    )
    return PlaceQr(place_id=command.place_id, serial=serial + 1, issued_at=now)


def _place_to_write(session: Session, actor: Actor, place_id: UUID) -> dict[str, Any]:
    """The place, locked: changes of one card follow one another. What is not there is not visible."""
    rights.require_county_role(actor)
    p = places.c
    row = session.execute(
        select(p.area_path, p.category, p.version).where(p.place_id == place_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotVisible()
    rights.require_may_write(actor, row.area_path)
    return row._asdict()


def _replace(session: Session, table: Table, place_id: UUID, rows: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the place's rows of this table became others."""
    columns = [column for column in table.c if column.name != "place_id"]
    rows = list(rows)
    present = session.execute(select(*columns).where(table.c.place_id == place_id)).mappings()
    wanted = {tuple(row[column.name] for column in columns) for row in rows}
    if {tuple(row[column.name] for column in columns) for row in present} == wanted:
        return False
    session.execute(delete(table).where(table.c.place_id == place_id))
    if rows:
        session.execute(insert(table), [{"place_id": place_id, **row} for row in rows])
    return True
