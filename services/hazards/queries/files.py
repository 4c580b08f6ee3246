"""Files of a case: seen by whoever sees the case."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, bindparam, cast, select
from sqlalchemy.sql import ColumnElement

from backbone.policy import parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.hazards.queries.cases import VISIBILITY, C
from services.hazards.tables import case_files, cases

F = case_files.c
SHOWN, SCREEN, THUMB = "shown", "screen", "thumb"
"""Under which names `backbone.files` keeps the readers' copies: whole, 1,600 and 320 pixels at the longer side."""


@query
def case_file(scope: Scope, case_id: UUID, file_id: UUID) -> Query:
    """One file of a case: kind, media_type, blob, copies; no row when there is none or the case may not be seen."""
    return _one("hazards.case_file", scope, case_id, F.id == bindparam("file_id", type_=Uuid()), file_id=file_id)


@query
def case_photo(scope: Scope, case_id: UUID, blob: str) -> Query:
    """The same for a picture by its bytes' hash, as `photos` names it."""
    condition = (F.blob == cast(bindparam("blob"), Text)) & (F.kind == cast(bindparam("kind"), Text))
    return _one("hazards.case_photo", scope, case_id, condition, blob=blob, kind="photo")


def _one(name: str, scope: Scope, case_id: UUID, condition: ColumnElement[bool], **values: Any) -> Query:
    def build() -> Select[Any]:
        return (
            select(F.id, F.kind, F.media_type, F.blob, F.copies)
            .select_from(case_files.join(cases, C.id == F.case_id))
            .where(F.case_id == bindparam("case_id", type_=Uuid()), condition, predicate(scope, VISIBILITY))
            .order_by(F.seq, F.position)
            .limit(1)
        )

    return Query((name, shape(scope)), build, {"case_id": case_id, **values, **parameters(scope)})
