"""A service's own copy of grid's agencies: who works where, without asking grid.

projection = AgenciesProjection.of(metadata)   # in tables.py: the table <schema>.agencies
projection.store(session, events)              # reaction to AgencyChanged, a batch of them
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Boolean, Column, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from backbone.database import Session
from backbone.outbox import Event
from backbone.projections import NewestStates
from contracts.grid.events import AgencyChanged


class AgenciesProjection:
    """The table, and how it follows events: the newest state of each agency wins; a closed one stays, not active."""

    def __init__(self, agencies: Table) -> None:
        self.agencies = agencies
        self._newest = NewestStates(agencies)

    @classmethod
    def of(cls, metadata: MetaData) -> AgenciesProjection:
        """The projection whose table belongs to `metadata` and its schema."""
        return cls(
            Table(
                "agencies",
                metadata,
                Column("id", UUID(as_uuid=True), primary_key=True),
                Column("code", Text, nullable=False),
                Column("kind", Text, nullable=False),
                Column("parent_id", UUID(as_uuid=True)),
                Column("area_path", Text(collation="C"), nullable=False),
                Column("active", Boolean, nullable=False),
                Column("version", Integer, nullable=False),
            )
        )

    def store(self, session: Session, events: Sequence[Event[AgencyChanged]]) -> None:
        """Keeps the newest state of each agency; one statement for all."""
        self._newest.keep(
            session,
            (
                {
                    "id": event.data.agency_id,
                    "code": event.data.code,
                    "kind": event.data.kind,
                    "parent_id": event.data.parent_id,
                    "area_path": event.data.area_path,
                    "active": event.data.active,
                    "version": event.entity_version,
                }
                for event in events
            ),
        )
