"""The filter of cases in a query string: the same names for lists, counts and tiles."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Depends, Query
from pydantic import ValidationError, WithJsonSchema

from contracts.areas import AreaPath
from contracts.codes import Code, SystemCode
from contracts.hazards.commands.lists import AgencyPart, CaseFilter, CaseSort, Mine, SupervisedAs
from contracts.hazards.events import Grade, Kind, Source
from contracts.hazards.states import CaseLevel, State
from gateway.boxes import Bbox, box_of
from gateway.parts import Parts
from gateway.problems import Problem
from gateway.times import Moment
from services.hazards import queries


def _several(item: dict[str, Any]) -> WithJsonSchema:
    """One value, as it always was, or several: the parameter is repeated."""
    return WithJsonSchema({"anyOf": [item, {"type": "array", "items": item, "maxItems": 20}, {"type": "null"}]})


_CODE = {"type": "string", "pattern": r"^[a-z][a-z0-9_]{0,47}(\.[a-z0-9_]{1,47}){0,3}$"}
_PATH = {"type": "string", "pattern": r"^([0-9]{6,20}/){1,5}$"}
_SOURCE = {"type": "string", "enum": [each.value for each in Source]}
Time = Moment | None


def _filter(
    state: Annotated[list[State] | None, Query(max_length=len(State))] = None,
    open: Annotated[bool | None, Query(description="Every open state, or every state of rest")] = None,
    category: Annotated[
        Annotated[list[Code] | None, _several(_CODE)], Query(max_length=20, description="With what is below it")
    ] = None,
    area_path: Annotated[
        Annotated[list[AreaPath] | None, _several(_PATH)], Query(max_length=20, description="With its subtree")
    ] = None,
    agency_id: Annotated[UUID | None, Query(description="Takes part; as what, says `agency_part`")] = None,
    agency_part: AgencyPart = AgencyPart.ANY,
    source: Annotated[Annotated[list[Source] | None, _several(_SOURCE)], Query(max_length=len(Source))] = None,
    kind: Kind | None = None,
    grade: Grade | None = None,
    level: Annotated[CaseLevel | None, Query(description="Whose centre answers for it")] = None,
    supervision: SupervisedAs | None = None,
    listed: Annotated[bool | None, Query(description="On the public list 挂牌督办")] = None,
    unassigned: bool | None = None,
    undispatched: Annotated[
        bool | None, Query(description="Registered, and no agency named: who waits for a rule")
    ] = None,
    overdue: bool | None = None,
    recheck: Annotated[bool | None, Query(description="Closed, and to be looked at again 待复查")] = None,
    due_within_hours: Annotated[
        int | None, Query(ge=1, le=8784, description="Due in so many hours, not yet over")
    ] = None,
    due_after: Time = None,
    due_before: Time = None,
    reported_from: Time = None,
    reported_to: Time = None,
    closed_from: Time = None,
    closed_to: Time = None,
    has_files: bool | None = None,
    place_id: UUID | None = None,
    parent_case_id: Annotated[UUID | None, Query(description="The parts of this case")] = None,
    mine: Annotated[Mine | None, Query(description="Handled by me, or led by my agency")] = None,
    search: Annotated[
        str | None, Query(min_length=2, max_length=60, description="Words of the description, two characters at least")
    ] = None,
    case_no: Annotated[str | None, Query(min_length=1, max_length=40, description="The number's beginning")] = None,
    external_system: SystemCode | None = None,
    external_id: Annotated[str | None, Query(min_length=1, max_length=128)] = None,
    bbox: Bbox = None,
) -> CaseFilter:
    given = {name: value for name, value in locals().items() if value is not None}
    if (external_system is None) != (external_id is None):
        raise Problem("invalid_request", field="external_id", expected="external_system and external_id together")
    if bbox is not None:
        given["bbox"] = box_of(bbox)
    try:
        return CaseFilter.model_validate(given)
    except ValidationError as error:
        raise Problem.of_validation(error.errors(include_url=False, include_input=False)) from None


Asked = Annotated[CaseFilter, Depends(_filter)]
FilterId = Annotated[
    UUID | None, Query(alias="filter", description="A saved filter; whatever is said beside it goes first")
]


async def with_saved(
    platform: Parts, actor: Any, asked: CaseFilter, filter_id: UUID | None
) -> tuple[CaseFilter, CaseSort | None]:
    """`asked` over the saved filter, and the saved order. Raises Problem not_found."""
    if filter_id is None:
        return asked, None
    row = await platform.reads.row("hazards", queries.saved_filter(actor.scope, actor.account_id, filter_id))
    saved = orjson.loads(row["body"])
    over = asked.model_dump(mode="json", exclude_defaults=True)
    try:
        return CaseFilter.model_validate(saved["filter"] | over), CaseSort(saved["sort"])
    except ValidationError as error:
        raise Problem.of_validation(error.errors(include_url=False, include_input=False)) from None
