"""What cases are made of: routing rules, categories, the state machine."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Select, Uuid, bindparam, cast, select, tuple_

from backbone.answers import body_column, json_object
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.scope import Scope
from services.hazards.domain.machine import table_json
from services.hazards.queries.cases import MAX_LIMIT
from services.hazards.tables import categories as category_table
from services.hazards.tables import routing_rules


@query
def routing(scope: Scope, *, after: tuple[int, UUID] | None = None, limit: int = 200) -> Query:
    """Routing rules of the scope's areas as they are tried: `body`, `cursor_1` = position, `cursor_2` = id."""
    r = routing_rules.c

    def build() -> Select[Any]:
        body = json_object(
            rule_id=r.id,
            position=r.position,
            category=r.category,
            area_path=r.area_path,
            agency_id=r.agency_id,
            active=r.active,
            version=r.version,
        )
        later = tuple_(r.position, r.id) > tuple_(
            cast(bindparam("after_position"), Integer), cast(bindparam("after_id"), Uuid)
        )
        return (
            select(body_column(body), r.position.label("cursor_1"), r.id.label("cursor_2"))
            .where(predicate(scope, Visibility(area_path=r.area_path)), later)
            .order_by(r.position, r.id)
            .limit(cast(bindparam("limit"), Integer))
        )

    position, rule_id = after or (-1, UUID(int=0))
    values = {
        "after_position": position,
        "after_id": rule_id,
        "limit": min(max(limit, 1), MAX_LIMIT),
        **parameters(scope),
    }
    return Query(("hazards.routing", shape(scope)), build, values)


def categories(scope: Scope) -> Query:
    """All categories by code: `body`. Open to every scope: a reporter must know them before any case exists.

    Without a predicate, and so not registered: tests/architecture/test_reads_carry_the_scope.py names it.
    """
    k = category_table.c

    def build() -> Select[Any]:
        body = json_object(
            code=k.code,
            name=k.name,
            name_en=k.name_en,
            kind=k.kind,
            handle_hours=k.handle_hours,
            accept_hours=k.accept_hours,
            emergency=k.emergency,
            sensitivity=k.sensitivity,
            active=k.active,
            version=k.version,
        )
        return select(body_column(body), k.code.label("cursor_1")).order_by(k.code)

    return Query(("hazards.categories",), build, {})


def states() -> dict[str, Any]:
    """The state machine for GET /v1/states; no statement."""
    return table_json()
