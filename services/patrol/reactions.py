"""What patrol does when grid speaks, and what it does by the clock to its own stores."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Date, cast, delete, func, literal, select, update

from backbone.clock import Clock
from backbone.database import Session
from backbone.outbox import Event
from contracts.grid.events import AgencyChanged, AreaChanged, BoundaryPublished
from services.patrol.tables import agencies_projection, last_positions, position_batches, projection, units

KEPT = timedelta(days=30)
"""How long tracks are kept (domain.md, Patrol and field duty)."""

DAYS_AHEAD = 2


def areas_changed(session: Session, events: Sequence[Event[AreaChanged]]) -> None:
    """Keep grid's areas under their boundary version."""
    projection.store_areas(session, events)


def boundary_published(session: Session, event: Event[BoundaryPublished]) -> None:
    """Put the version in force once all its areas are here; ingest then locates by it."""
    projection.publish(session, event)


def settle_boundaries(session: Session) -> None:
    """The same for versions whose areas came later."""
    projection.settle(session)


def area_succeeded(session: Session, path: str, into: str) -> None:
    """Units of an area that is gone belong to the largest of those that have its land. Shifts keep the area of the day
    they were planned."""
    session.execute(
        update(units)
        .where(units.c.area_path == path)
        .values(area_path=into, version=units.c.version + 1, changed_at=func.clock_timestamp())
    )


def agencies_changed(session: Session, events: Sequence[Event[AgencyChanged]]) -> None:
    """Keep grid's agencies: a closed one gets no units. Newest version wins."""
    agencies_projection.store(session, events)


def make_partitions(session: Session, *, clock: Clock) -> None:
    """The day partitions from yesterday to two days ahead; ingest makes those of later arrivals itself."""
    today = clock().date()
    for offset in range(-1, DAYS_AHEAD + 1):
        session.execute(select(func.patrol.make_partition(cast(literal(today + timedelta(days=offset)), Date))))


def forget(session: Session, *, clock: Clock) -> None:
    """Drop tracks, newest fixes and batch records that are older than KEPT."""
    before = clock() - KEPT
    session.execute(select(func.patrol.drop_partitions(cast(literal(before.date()), Date))))
    session.execute(delete(last_positions).where(last_positions.c.device_at < before))
    session.execute(delete(position_batches).where(position_batches.c.received_at < before))
