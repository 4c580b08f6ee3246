"""Parameters that the lists of the registry have in common."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Query

from backbone.clock import COUNTY_TIME
from contracts.areas import AreaPath
from contracts.codes import SystemCode
from gateway.problems import Problem

Limit = Annotated[int, Query(ge=1, le=200)]
Within = Annotated[AreaPath | None, Query(description="Path of an area; it and all below")]
Name = Annotated[str | None, Query(min_length=1, max_length=100, description="Part of the name")]


async def _external_ref(
    external_system: Annotated[SystemCode | None, Query(description="Another system; with `external_id`")] = None,
    external_id: Annotated[str | None, Query(min_length=1, max_length=128, description="Its id there")] = None,
) -> tuple[str, str] | None:
    if external_system is None and external_id is None:
        return None
    for field, value in (("external_system", external_system), ("external_id", external_id)):
        if value is None:
            raise Problem("invalid_request", field=field, expected="external_system and external_id together")
    return str(external_system), str(external_id)


ExternalRefFilter = Annotated[tuple[str, str] | None, Depends(_external_ref)]


def county_today() -> date:
    """The day that it is in the county."""
    return datetime.now(COUNTY_TIME).date()
