"""How many cases of each kind a list holds: kept figures where there are such, counted ones where there are not.

Kept (`services.hazards.commands.counting`): the whole of some areas, or of them one state's, one category's or the
reader's own agency's; what lies unfolded is added, so that the figures are those of this moment. Whatever is asked
beside that is counted as it stands, up to `MOST`; the answer says so when there were more (ADR 18).

Seen = (in the scope's areas, up to its ceiling) + (there, above it, the agency's) + (elsewhere, the agency's).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.sql import ColumnElement

from backbone.policy import parameters, predicate, shape
from backbone.statements import Query, query
from contracts.hazards.commands.lists import AgencyPart, CaseFilter
from contracts.hazards.states import State
from contracts.scope import Scope
from services.hazards.domain.machine import ENDS, OPEN
from services.hazards.queries.cases import VISIBILITY, C
from services.hazards.queries.filters import OVERDUE, Filters, filters_of, takes_part
from services.hazards.queries.lists import EVERYTHING, PARTS, Ways, inside, ways_in
from services.hazards.tables import case_counts, case_deltas, case_participants, projection

MOST = 20_000
"""Cases that are counted one by one for an answer; of more it tells the newest so many."""
KEPT, COUNTED = "kept", "counted"


def is_kept(scope: Scope, asked: CaseFilter) -> bool:
    """Whether the answer comes from kept figures: then it is whole, however many cases there are."""
    if scope.unrestricted or scope.categories is not None or any(path.count("/") > 3 for path in asked.area_path):
        return False
    ways = ways_in(scope, asked.area_path)
    given = asked.given - {"area_path"}
    if given == {"agency_id"}:
        return asked.agency_id == scope.agency_id and asked.agency_part is AgencyPart.ANY
    if not given:
        return 4 not in ways.roots
    deepest = max(ways.roots, default=0)
    return len(given) == 1 and given <= {"state", "open", "category"} and deepest <= 2


@query
def case_facets(scope: Scope, asked: CaseFilter = EVERYTHING, *, account_id: UUID | None = None) -> Query:
    """Rows of `value` (`state:closed`, `category:fire.charging`, `area:<path>` …; empty: all) and `cases`.

    A row `capped` says that more than `MOST` would have had to be counted, and that the others speak of so many.
    """
    ways = ways_in(scope, asked.area_path)
    found = filters_of(asked, account_id, scope.agency_id)
    values: dict[str, Any] = {**found.values, **ways.values, **parameters(scope)}
    kept = is_kept(scope, asked)
    if not kept:
        base = asked.area_path[0] if len(asked.area_path) == 1 else next(iter(scope.areas), "")
        values |= {"base": base, "base_depth": base.count("/") + 1}

        def build_counted() -> Select[Any]:
            return _counted(scope, ways, found)

        key = ("hazards.case_facets", COUNTED, shape(scope), ways.shape, *found.names)
        return Query(key, build_counted, values, plan_anew=True)
    states, categories = _states(asked), asked.category
    values |= {
        "roots": [path for paths in ways.roots.values() for path in paths],
        "whole": list(ways.within),
        "states": states,
        "given": [f"state:{each}" for each in states],
        "kept_categories": [f"category:{each}" for each in categories],
        "our_given": f"agency:{scope.agency_id}",
        "our_agencies": [scope.agency_id] if scope.agency_id else [],
        "our_ceiling": int(scope.ceiling),
    }

    def build() -> Select[Any]:
        return _kept(scope, ways, found, of, may_be_open)

    of = _Of(bool(states), bool(categories), ours=asked.agency_id is not None)
    may_be_open = not states or not ENDS.issuperset(states)
    kinds = (of.states, of.categories, of.ours, may_be_open)
    key = ("hazards.case_facets", KEPT, shape(scope), ways.shape, kinds, *found.names)
    return Query(key, build, values, plan_anew=bool(ways.within or found.conditions))


def _states(asked: CaseFilter) -> list[str]:
    if asked.open is not None:
        return sorted(each.value for each in (OPEN if asked.open else ENDS))
    return [State(each).value for each in asked.state]


def _kept(scope: Scope, ways: Ways, found: Filters, of: _Of, may_be_open: bool) -> Select[Any]:
    roots, ours = _paths("roots"), _Of(ours=True)
    ceiling = cast(bindparam("our_ceiling"), Integer)
    whole = _paths("whole") if ways.within else _county()
    parts: list[Select[Any]] = []
    if of.ours:
        parts += _term(whole, of)
    else:
        parts += _term(roots, of, lambda level: level <= ceiling)
    if scope.agency_id is not None and not of.ours:
        if of.states or of.categories:
            parts += _values_of(_elsewhere(scope, ways, found), None)
        else:
            parts += _term(roots, ours, lambda level: level > ceiling)
            parts += _term(whole, ours, areas=False)
            parts += _term(roots, ours, areas=False, sign=-1)
    if may_be_open:
        parts += _overdue(scope, ways, found)
    return _added(parts)


def _counted(scope: Scope, ways: Ways, found: Filters) -> Select[Any]:
    columns = (C.area_path, C.state, C.category, C.source, C.grade, C.lead_agency_id, C.supervision)
    seen = (
        select(*columns, OVERDUE.label("overdue"))
        .where(predicate(scope, VISIBILITY), *ways.asked(), *found.all())
        .limit(literal_column(str(MOST + 1)))
    )
    return _added(_values_of(seen, _below_base))


def _added(parts: list[Select[Any]]) -> Select[Any]:
    lines = union_all(*parts).subquery("lines")
    total = func.sum(lines.c.cases)
    return select(lines.c.value, cast(total, BigInteger).label("cases")).group_by(lines.c.value).having(total != 0)


@dataclass(frozen=True, slots=True)
class _Of:
    """Of which cases a term speaks: as the kept figures name them, and as an unfolded change shows them."""

    states: bool = False
    categories: bool = False
    ours: bool = False

    def kept(self) -> ColumnElement[bool]:
        given = case_counts.c.given
        if self.ours:
            return given == cast(bindparam("our_given"), Text)
        if self.states:
            return given == func.any(cast(bindparam("given"), ARRAY(Text)))
        if self.categories:
            return _below(given, "kept_categories")
        return given == literal_column("''")

    def changed(self) -> ColumnElement[bool]:
        d = case_deltas.c
        if self.ours:
            return d.participants.op("@>", is_comparison=True)(cast(bindparam("our_agencies"), ARRAY(Uuid)))
        if self.states:
            return d.state == func.any(cast(bindparam("states"), ARRAY(Text)))
        return (
            _below(func.concat(literal_column("'category:'"), d.category), "kept_categories")
            if self.categories
            else true()
        )


def _below(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    code = func.unnest(cast(bindparam(name), ARRAY(Text))).column_valued("wanted")
    dot: ColumnElement[str] = literal_column("'.'")
    return select(1).where(func.starts_with(func.concat(column, dot), func.concat(code, dot))).exists()


def _term(
    paths: ColumnElement[Any],
    of: _Of,
    sensitive: Callable[[ColumnElement[int]], ColumnElement[bool]] = lambda _: true(),
    *,
    areas: bool = True,
    sign: int = 1,
) -> list[Select[Any]]:
    """What is kept of these areas, and what has not been added to it yet."""
    k, d = case_counts.c, case_deltas.c
    roots = _each(paths, "roots")
    root = roots.c.value
    times: ColumnElement[int] = literal_column(str(sign))
    here: ColumnElement[str] = literal_column("'area:'")
    child = func.substr(k.value, literal_column("6"))
    named = case(
        (k.value == here, func.concat(here, k.area_path)),
        (func.starts_with(k.value, here), func.concat(here, k.area_path, child, literal_column("'/'"))),
        else_=k.value,
    )
    kept = select(named.label("value"), (k.cases * times).label("cases")).where(
        k.area_path == func.any(paths), of.kept(), sensitive(k.sensitivity)
    )
    if not areas:
        kept = kept.where(~func.starts_with(k.value, here))
    end = func.concat(func.left(root, literal_column("-1")), literal_column("'0'"))
    rest = func.substr(d.area_path, func.length(root) + literal_column("1"))
    beyond = func.split_part(rest, literal_column("'/'"), literal_column("1"))
    below = case((beyond == literal_column("''"), root), else_=func.concat(root, beyond, literal_column("'/'")))
    value = _each(_values(d, below if areas else None), "counted")
    changed = (
        select(value.c.value, cast(d.cases * times, BigInteger).label("cases"))
        .select_from(case_deltas.join(roots, and_(d.area_path >= root, d.area_path < end)).join(value, true()))
        .where(of.changed(), sensitive(d.sensitivity))
    )
    return [kept, changed]


def _values(of: Any, area: ColumnElement[str] | None) -> ColumnElement[Any]:
    """The figures that one case counts in."""

    def named(name: str, value: ColumnElement[Any]) -> ColumnElement[str]:
        return func.concat(literal_column(f"'{name}:'"), value)

    values: list[ColumnElement[Any]] = [
        literal_column("''"),
        named("state", of.state),
        named("category", of.category),
        named("source", of.source),
        named("grade", of.grade),
        named("agency", of.lead_agency_id),
        named("supervision", of.supervision),
    ]
    if area is not None:
        values.append(named("area", area))
    return array(values, type_=Text)


def _each(values: ColumnElement[Any], name: str) -> Any:
    """A row for each of an array's values: the column `value`."""
    return func.unnest(values).table_valued(column("value", Text), name=name).render_derived()


def _paths(name: str) -> ColumnElement[Any]:
    return cast(bindparam(name), ARRAY(Text))


def _county() -> ColumnElement[Any]:
    """The whole county: what lies outside it bears its path too."""
    b = projection.boundaries.c
    newest = (
        select(b.county_path).where(b.published_at.is_not(None)).order_by(b.version.desc()).limit(literal_column("1"))
    )
    return array([newest.scalar_subquery()], type_=Text)


def _elsewhere(scope: Scope, ways: Ways, found: Filters) -> Select[Any]:
    """What the agency takes part in and the scope does not show by itself."""
    columns = (C.area_path, C.state, C.category, C.source, C.grade, C.lead_agency_id, C.supervision)
    part = case_participants.c
    if "open" in found.conditions:
        rows = select(*columns).where(takes_part("scope_agencies"), ~inside(scope))
    else:
        joined = case_participants.join(C.id.table, C.id == part.case_id)
        ours = part.agency_id == func.any(cast(bindparam("our_agencies"), ARRAY(Uuid)))
        rows = select(*columns).select_from(joined).where(ours, ~inside(scope, PARTS))
    return rows.where(*ways.asked(), *found.all()).limit(literal_column(str(MOST + 1)))


def _values_of(rows: Select[Any], area: Callable[[ColumnElement[str]], ColumnElement[str]] | None) -> list[Select[Any]]:
    """What these rows count in, and the row `capped` when there are more than are counted."""
    seen = rows.cte("seen")
    values = _values(seen.c, area(seen.c.area_path) if area else None)
    if area is not None:
        late = case((seen.c.overdue, literal_column("'overdue:yes'")), else_=literal_column("'overdue:no'"))
        values = func.array_append(values, late)
    value = _each(values, "counted")
    count = cast(func.count(), BigInteger).label("cases")
    capped: ColumnElement[str] = literal_column("'capped'", Text)
    return [
        select(value.c.value, count).select_from(seen.join(value, true())).group_by(value.c.value),
        select(capped.label("value"), count).select_from(seen).having(func.count() > literal_column(str(MOST))),
    ]


def _below_base(area_path: ColumnElement[str]) -> ColumnElement[str]:
    """The child of the asked area (else of the scope's first) that a case lies in; nothing for what lies elsewhere."""
    base, depth = cast(bindparam("base"), Text), cast(bindparam("base_depth"), Integer)
    codes = func.string_to_array(area_path, literal_column("'/'"))
    child = func.array_to_string(
        func.trim_array(codes, func.greatest(func.cardinality(codes) - depth, 1)), literal_column("'/'")
    )
    return case((func.starts_with(area_path, base), func.concat(child, literal_column("'/'"))))


def _overdue(scope: Scope, ways: Ways, found: Filters) -> list[Select[Any]]:
    """Of open cases: those whose miss was said; what the scope shows, and what the agency takes part in elsewhere.

    Each has an index of its own over overdue cases alone: a plan for both would look at every one of them.
    """
    late: ColumnElement[str] = literal_column("'overdue:yes'")
    line: list[ColumnElement[Any]] = [late.label("value"), cast(func.count(), BigInteger).label("cases")]
    seen = [inside(scope)]
    if scope.agency_id is not None:
        seen.append(and_(takes_part("scope_agencies"), ~inside(scope)))
    asked = (*ways.asked(), *found.all())
    return [select(*line).select_from(C.id.table).where(OVERDUE, each, *asked) for each in seen]
