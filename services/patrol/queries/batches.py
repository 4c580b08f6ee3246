"""What became of batches of positions: numbers alone, no unit and no place."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, bindparam, cast, null, select
from sqlalchemy.dialects.postgresql import array

from backbone.answers import body_column, json_object, utc
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.patrol.positions import BatchHeaders
from contracts.refusals import NotAllowed
from contracts.scope import Actor, Role, Scope
from services.patrol.tables import position_batches

REPORTING_FOR_AREAS = (Role.COUNTY_ADMIN, Role.COUNTY_OPERATOR, Role.TOWN_OPERATOR, Role.INTEGRATOR)

B = position_batches.c
# A batch lies nowhere: its sender's agency alone may see it.
_BATCH = Visibility(area_path=cast(null(), Text), agencies=array([B.agency_id]))


def headers_for(
    actor: Actor, *, batch_id: UUID, crs: str, received_at: datetime, rejected: int, source: str = "api"
) -> BatchHeaders:
    """What goes beside a batch to ingest: whose units this sender may report. Raises NotAllowed.

    Everybody reports the units of the own agency; operators and integrators those of their areas too.
    """
    if actor.roles <= {Role.AUDITOR}:
        raise NotAllowed()
    return BatchHeaders(
        batch_id=batch_id,
        account_id=actor.account_id,
        agency_id=actor.agency_id,
        crs=crs,
        received_at=received_at,
        areas=actor.scope.areas if actor.has(*REPORTING_FOR_AREAS) else (),
        source=source,
        rejected=rejected,
    )


@query
def batch(scope: Scope, batch_id: UUID) -> Query:
    """What became of a batch of the own agency: `body`; no row until ingest has it (or it is not yours)."""

    def build() -> Select[Any]:
        body = json_object(
            batch_id=B.id,
            state=B.state,
            crs=B.crs,
            source=B.source,
            received_at=utc(B.received_at),
            done_at=utc(B.done_at),
            rejected=B.rejected,
            received=B.received,
            stored=B.stored,
            unknown_unit=B.unknown_unit,
            off_duty=B.off_duty,
            duplicate=B.duplicate,
            implausible=B.implausible,
        )
        return select(body_column(body)).where(B.id == bindparam("batch_id", type_=Uuid()), predicate(scope, _BATCH))

    return Query(("patrol.batch", shape(scope)), build, {"batch_id": batch_id, **parameters(scope)})
