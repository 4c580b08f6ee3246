"""Lists of cases in four orders, each keyset-paged, and their map.

A reader sees what lies in the scope's areas OR what the agency takes part in. An OR in one statement would be read to
its end before it is put in order; so each way in is a branch that comes in the list's own order from an index of its
own and ends after a page. What two branches find is shown once, and the rule itself stands over the whole (ADR 18).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    select,
    true,
    tuple_,
    union,
)
from sqlalchemy import DateTime as Timestamp
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object
from backbone.point_tiles import point_tile
from backbone.policy import Visibility, beside_areas, parameters, predicate, shape
from backbone.statements import Query, query
from contracts.areas import is_within
from contracts.hazards.commands.lists import AgencyPart, CaseFilter, CaseSort
from contracts.scope import Scope
from services.hazards.queries.cases import MAX_LIMIT, VISIBILITY, C, summary
from services.hazards.queries.filters import OVERDUE, POINTED, Filters, area_condition, filters_of, takes_part
from services.hazards.tables import IS_OPEN, TOWN, VILLAGE, case_participants

Cursor = tuple[Any, ...]
EVERYTHING = CaseFilter()
_PAGES = (11, 26, 51, 101, 201, MAX_LIMIT)
"""Rows that a branch may give: in the statement's text, or its plan would be made for a tenth of the table."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order of lists: its columns, all the same way; `types` of its cursor as `gateway.cursors` has them."""

    columns: tuple[ColumnElement[Any], ...]
    types: str
    descending: bool = True

    def by(self) -> list[ColumnElement[Any]]:
        return [each.desc() if self.descending else each.asc() for each in self.columns]

    def after(self) -> ColumnElement[bool]:
        kinds: dict[str, Any] = {"t": Timestamp(timezone=True), "u": Uuid(), "s": Text()}
        given: list[Any] = [cast(bindparam(f"after_{n}"), kinds[kind]) for n, kind in enumerate(self.types)]
        ours = tuple_(*self.columns)
        return ours < tuple_(*given) if self.descending else ours > tuple_(*given)


ORDERS = {
    CaseSort.NEWEST: Order((C.reported_at, C.id), "tu"),
    CaseSort.UPDATED: Order((C.updated_at, C.id), "tu"),
    CaseSort.DUE: Order((C.due_at, C.id), "tu", descending=False),
    CaseSort.GRADE: Order((C.grade, C.reported_at, C.id), "stu"),
}


@query
def case_list(
    scope: Scope,
    asked: CaseFilter = EVERYTHING,
    *,
    sort: CaseSort = CaseSort.NEWEST,
    account_id: UUID | None = None,
    after: Cursor | None = None,
    limit: int = 50,
) -> Query:
    """Cases in an order of `ORDERS`: `body`, then the order's columns as `cursor_1` …

    In the order `due` only open ones. `account_id` is who asks, for `mine`.
    """
    limit = min(max(limit, 1), MAX_LIMIT)
    page = next(each for each in _PAGES if each >= limit)
    found = filters_of(asked, account_id, scope.agency_id)
    if sort is CaseSort.DUE and "open" not in found.conditions:
        found.add("open", IS_OPEN)
    ways = ways_in(scope, asked.area_path)
    order = ORDERS[sort]
    values: dict[str, Any] = {"limit": limit, **found.values, **ways.values, **parameters(scope)}
    values |= {"our_agency": scope.agency_id, "asked_agency": asked.agency_id}
    if after is not None:
        found.add("after", order.after())
        values |= {f"after_{n}": value for n, value in enumerate(after)}
    by_agency = asked.agency_id is not None and asked.agency_part is AgencyPart.ANY and sort is CaseSort.NEWEST

    def build() -> Select[Any]:
        branches = _branches(scope, ways, found, order, page, by_agency)
        each = [select(branch.subquery().c.id) for branch in branches]
        ids = each[0].subquery("found") if len(each) == 1 else union(*each).subquery("found")
        cursor = [column.label(f"cursor_{n}") for n, column in enumerate(order.columns, start=1)]
        return (
            select(body_column(json_object(**summary())), *cursor)
            .select_from(ids.join(C.id.table, C.id == ids.c.id))
            .where(predicate(scope, VISIBILITY))
            .order_by(*order.by())
            .limit(cast(bindparam("limit"), Integer))
        )

    # What is asked beside the areas may hold for a row in two or in a million: that is for the plan to know. So it is
    # of open cases: a plan for any area reads all of it and sorts, which for a county is every open case.
    key = ("hazards.case_list", sort, page, shape(scope), ways.shape, by_agency, *found.names)
    return Query(key, build, values, plan_anew=bool(set(found.conditions) - {"after"}))


@dataclass(frozen=True, slots=True)
class Ways:
    """The areas to look in, by how deep they lie, and whether the agency's part opens a way of its own.

    `within` are the areas that were asked for, if any.
    """

    everywhere: bool
    roots: dict[int, list[str]]
    within: tuple[str, ...]
    by_part: bool

    @property
    def shape(self) -> tuple[Any, ...]:
        depths = tuple((depth, len(roots) > 1) for depth, roots in sorted(self.roots.items()))
        return (self.everywhere, depths, len(self.within), self.by_part)

    @property
    def values(self) -> dict[str, Any]:
        values = area_condition(self.within)[1] if self.within else {}
        for depth, roots in self.roots.items():
            values |= {f"root_{depth}": roots[0]} if len(roots) == 1 else {f"roots_{depth}": roots}
        return values

    def asked(self) -> tuple[ColumnElement[bool], ...]:
        return (area_condition(self.within)[0],) if self.within else ()


def ways_in(scope: Scope, within: Sequence[str]) -> Ways:
    """The scope's areas, cut to those that were asked for."""
    if scope.unrestricted:
        roots = disjoint(within)
        return Ways(not within, _by_depth(roots), roots, by_part=False)
    cut = disjoint(within)
    if cut:
        both = [path for path in cut if any(is_within(path, root) for root in scope.areas)]
        both += [root for root in scope.areas if any(is_within(root, path) for path in cut)]
    else:
        both = list(scope.areas)
    return Ways(False, _by_depth(disjoint(both)), cut, by_part=scope.agency_id is not None)


def disjoint(paths: Sequence[str]) -> tuple[str, ...]:
    """The widest of them, in order: none lies within another."""
    kept: list[str] = []
    for path in sorted(set(paths)):  # what lies within another follows it
        if not kept or not is_within(path, kept[-1]):
            kept.append(path)
    return tuple(kept)


def _by_depth(paths: Sequence[str]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for path in paths:
        found.setdefault(min(path.count("/"), 4), []).append(path)
    return found


PARTS = Visibility(
    area_path=case_participants.c.area_path,
    category=case_participants.c.category,
    sensitivity=case_participants.c.sensitivity,
)
USUAL = frozenset({"after", "state", "states", "at_rest"})
"""Conditions that a closed case fits as a rule: a page of them is soon together."""


def inside(scope: Scope, of: Visibility = VISIBILITY) -> ColumnElement[bool]:
    """The scope's rule without what the agency takes part in."""
    return predicate(replace(scope, agency_id=None), of)


def _branches(scope: Scope, ways: Ways, found: Filters, order: Order, page: int, by_agency: bool) -> list[Select[Any]]:
    """Statements that give the ids of at most a page of cases each, in order."""
    conditions = (*ways.asked(), *found.all())
    size: ColumnElement[int] = literal_column(str(page))

    def of(*way: ColumnElement[bool]) -> Select[Any]:
        return select(C.id).where(*way, *conditions).order_by(*order.by()).limit(size)

    if found.conditions.keys() & POINTED:
        return [of(predicate(scope, VISIBILITY))]
    if by_agency:
        # Whoever asks for an agency's cases sees most of them: its own order, and the rule on each.
        return [_of_agency("asked_agency", (*conditions, predicate(scope, VISIBILITY)), found, size)]
    branches = [of()] if ways.everywhere else []
    for depth, roots in sorted(ways.roots.items()):
        if len(roots) == 1:
            branches.append(of(*under(depth, cast(bindparam(f"root_{depth}"), Text)), *beside_areas(scope, VISIBILITY)))
        else:
            several: Any = func.unnest(cast(bindparam(f"roots_{depth}"), ARRAY(Text)))
            several = several.table_valued(column("path", Text), name=f"of_{depth}").render_derived()
            each = of(*under(depth, several.c.path), *beside_areas(scope, VISIBILITY)).lateral(f"in_{depth}")
            branches.append(select(each.c.id).select_from(several.join(each, true())))
    if not ways.by_part:
        return branches or [of(inside(scope))]  # no way in: nothing is seen
    if "open" in found.conditions or order is not ORDERS[CaseSort.NEWEST]:
        branches.append(of(takes_part("scope_agencies")))
    elif found.conditions.keys() - USUAL:
        # Few may fit, and most of an agency's cases lie in its areas: those are told by the index alone.
        branches.append(_of_agency("our_agency", (~inside(scope, PARTS), *conditions), found, size))
    else:
        branches.append(_of_agency("our_agency", conditions, found, size))
    return branches


def under(depth: int, path: ColumnElement[str]) -> tuple[ColumnElement[bool], ...]:
    """Within the area `path`, as the index of its depth has it."""
    if depth in (2, 3):
        return ({2: TOWN, 3: VILLAGE}[depth] == path,)
    end = func.left(path, literal_column("-1"), type_=Text).concat(literal_column("'0'"))
    return C.area_path >= path, C.area_path < end


def _of_agency(
    name: str, conditions: tuple[ColumnElement[bool], ...], found: Filters, size: ColumnElement[int]
) -> Select[Any]:
    """What an agency takes part in, newest first; `name` binds it."""
    part = case_participants.c
    newest = Order((part.reported_at, part.case_id), "tu")
    ours = part.agency_id == cast(bindparam(name), Uuid)
    beyond = (newest.after(),) if "after" in found.conditions else ()
    joined = case_participants.join(C.id.table, C.id == part.case_id)
    return (
        select(part.case_id.label("id"))
        .select_from(joined)
        .where(ours, *beyond, *conditions)
        .order_by(*newest.by())
        .limit(size)
    )


_SAYS_WHICH = frozenset({"state", "states", "open", "at_rest", "recheck", "closed_from", "closed_to"})
"""Conditions that say of themselves whether cases are open."""


@query
def case_tile(
    scope: Scope, z: int, x: int, y: int, asked: CaseFilter = EVERYTHING, *, account_id: UUID | None = None
) -> Query:
    """One tile of open cases, or of what `asked` says: `tile` (bytes; layer `cases`).

    Those at rest only where a state, `recheck` or a day of closing asks for them. `account_id` is who asks, for `mine`.
    """
    properties: dict[str, ColumnElement[Any]] = {
        name: C[name] for name in ("case_no", "category", "state", "grade", "area_path")
    }
    properties["overdue"] = case((OVERDUE, literal_column("'yes'")), else_=literal_column("'no'"))
    properties["supervision"] = func.coalesce(C.supervision, literal_column("'none'"))
    found = filters_of(asked, account_id, scope.agency_id)
    if not found.conditions.keys() & _SAYS_WHICH:
        found.add("open", IS_OPEN)
    where = found.all()
    values = dict(found.values)
    if asked.area_path:
        condition, more = area_condition(disjoint(asked.area_path))
        where, values = (*where, condition), values | more
    made = point_tile(
        "cases",
        scope,
        VISIBILITY,
        C.geom,
        key=C.id,
        properties=properties,
        agreed=("state", "overdue", "supervision"),
        where=where,
        of=(z, x, y),
    )
    key = (*made.key, *found.names, len(asked.area_path))
    return Query(key, made.build, made.parameters | values, plan_anew=True)
