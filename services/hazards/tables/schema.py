"""The schema, other services' facts in it, and the types that all its tables share."""

from __future__ import annotations

import uuid

from sqlalchemy import DateTime, MetaData, Text
from sqlalchemy.dialects.postgresql import UUID

from backbone.agencies_projection import AgenciesProjection
from backbone.areas_projection import AreasProjection

metadata = MetaData(schema="hazards")
projection = AreasProjection.of(metadata)
agencies_projection = AgenciesProjection.of(metadata)
agencies = agencies_projection.agencies


def uuid_type() -> UUID[uuid.UUID]:
    return UUID(as_uuid=True)


def path_type() -> Text:
    return Text(collation="C")


def at_type() -> DateTime:
    return DateTime(timezone=True)
