"""A filter as SQL: one condition for each of its fields that says something."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Double,
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    not_,
    or_,
    select,
)
from sqlalchemy import DateTime as Timestamp
from sqlalchemy.sql import ColumnElement

from contracts.areas import path_end
from contracts.hazards.commands.lists import AgencyPart, CaseFilter, Mine, SupervisedAs
from services.hazards.domain.machine import ENDS
from services.hazards.queries.cases import C
from services.hazards.tables import (
    IS_AT_REST,
    IS_OPEN,
    IS_OVERDUE,
    IS_UNDISPATCHED,
    TO_RECHECK,
    TOP_CATEGORY,
    case_files,
    case_texts,
    external_refs,
)

Condition = ColumnElement[bool]
_CORNERS = ("west", "south", "east", "north")
OVERDUE = IS_OVERDUE


POINTED = frozenset(
    {
        "search",
        "case_no",
        "ref",
        "place",
        "parent",
        "bbox",
        "handled_by_me",
        "supervision",
        "supervised",
        "listed",
    }
)
"""Conditions that find few: their own index is the way in."""


@dataclass(slots=True)
class Filters:
    """Named conditions with their values. The names, in order, tell one statement's text from another's."""

    conditions: dict[str, Condition] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, condition: Condition, **values: Any) -> None:
        self.conditions[name] = condition
        self.values |= values

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.conditions)

    def all(self) -> tuple[Condition, ...]:
        return tuple(self.conditions.values())


def filters_of(asked: CaseFilter, account_id: UUID | None, agency_id: UUID | None) -> Filters:
    """The conditions of `asked` but its areas, which decide the way in; `account_id`, `agency_id` are who asks."""
    found = Filters()
    _of_kind(found, asked)
    _of_agency(found, asked, account_id, agency_id)
    _of_time(found, asked)
    _of_text(found, asked)
    if asked.has_files is not None:
        files = select(1).where(case_files.c.case_id == C.id).exists()
        found.add("files" if asked.has_files else "bare", files if asked.has_files else ~files)
    if asked.place_id is not None:
        found.add("place", C.place_id == _uuid("place_id"), place_id=asked.place_id)
    if asked.parent_case_id is not None:
        found.add("parent", C.parent_case_id == _uuid("parent_case_id"), parent_case_id=asked.parent_case_id)
    if asked.bbox is not None:
        corners = [cast(bindparam(name), Double) for name in _CORNERS]
        envelope = func.ST_MakeEnvelope(*corners, literal_column("4326"))
        inside = C.geom.op("&&", is_comparison=True)(envelope)
        found.add("bbox", inside, **dict(zip(_CORNERS, asked.bbox, strict=True)))
    return found


def area_condition(paths: tuple[str, ...]) -> tuple[Condition, dict[str, Any]]:
    """Within any of these subtrees."""
    ranges: list[Condition] = []
    values: dict[str, Any] = {}
    for n, path in enumerate(paths):
        low, high = _text(f"area_low_{n}"), _text(f"area_high_{n}")
        ranges.append(and_(C.area_path >= low, C.area_path < high))
        values |= {f"area_low_{n}": path, f"area_high_{n}": path_end(path)}
    return or_(*ranges), values


def takes_part(name: str) -> Condition:
    return C.participants.op("@>", is_comparison=True)(cast(bindparam(name), ARRAY(Uuid)))


def _of_kind(found: Filters, asked: CaseFilter) -> None:
    _one_or_several(found, "state", C.state, [each.value for each in asked.state])
    _one_or_several(found, "source", C.source, [each.value for each in asked.source])
    # The words of the partial indexes, also where states say the same.
    if asked.open or (asked.state and not ENDS.intersection(asked.state)):
        found.add("open", IS_OPEN)
    if asked.open is False:
        found.add("at_rest", IS_AT_REST)
    if asked.category:
        _of_categories(found, asked.category)
    for name, column, value in (
        ("kind", C.kind, asked.kind),
        ("grade", C.grade, asked.grade),
        ("level", C.level, asked.level),
    ):
        if value is not None:
            found.add(name, column == _text(name), **{name: value.value})
    if asked.supervision is SupervisedAs.NONE:
        found.add("unsupervised", C.supervision.is_(None))
    elif asked.supervision is SupervisedAs.ANY:
        found.add("supervised", C.supervision.is_not(None))
    elif asked.supervision is not None:
        found.add("supervision", C.supervision == _text("supervision"), supervision=asked.supervision.value)
    if asked.listed is not None:
        listed = C.listing_agency_id.is_not(None)
        found.add("listed" if asked.listed else "unlisted", listed if asked.listed else ~listed)
    if asked.undispatched:
        found.add("undispatched", IS_UNDISPATCHED)
    if asked.unassigned is not None:
        found.add("unassigned" if asked.unassigned else "assigned", C.unassigned if asked.unassigned else ~C.unassigned)


def _of_categories(found: Filters, codes: tuple[str, ...]) -> None:
    """Each with what is below it. The top of the tree is what the index knows."""
    tops = sorted({code.partition(".")[0] for code in codes})
    if len(tops) == 1:
        found.add("top_category", _text("top_category") == TOP_CATEGORY, top_category=tops[0])
    else:
        wanted = cast(bindparam("top_categories"), ARRAY(Text))
        found.add("top_categories", any_(wanted) == TOP_CATEGORY, top_categories=tops)
    if set(codes) - set(tops):
        code = func.unnest(cast(bindparam("categories"), ARRAY(Text))).column_valued("wanted_category")
        below = select(1).where(
            func.starts_with(C.category.concat(literal_column("'.'")), code.concat(literal_column("'.'")))
        )
        found.add("categories", below.exists(), categories=sorted(codes))


def _of_agency(found: Filters, asked: CaseFilter, account_id: UUID | None, agency_id: UUID | None) -> None:
    if asked.agency_id is not None:
        if asked.agency_part is AgencyPart.LEAD:
            found.add("lead", C.lead_agency_id == _uuid("of_agency"), of_agency=asked.agency_id)
        elif asked.agency_part is AgencyPart.REPORTING:
            reporting = and_(takes_part("agencies"), C.reporting_agency_id == _uuid("of_agency"))
            found.add("reporting", reporting, agencies=[asked.agency_id], of_agency=asked.agency_id)
        elif asked.agency_part is AgencyPart.ASSISTING:
            assisting = C.assisting_agency_ids.op("@>", is_comparison=True)(cast(bindparam("agencies"), ARRAY(Uuid)))
            found.add("assisting", and_(takes_part("agencies"), assisting), agencies=[asked.agency_id])
        else:
            found.add("agency", takes_part("agencies"), agencies=[asked.agency_id])
    if asked.mine is Mine.HANDLED:
        handled = C.handler_account_ids.op("@>", is_comparison=True)(cast(bindparam("me"), ARRAY(Uuid)))
        # The index leaves out those that nobody has handled yet.
        touched = C.handler_account_ids != literal_column("'{}'")
        found.add("handled_by_me", and_(handled, touched), me=[account_id or UUID(int=0)])
    elif asked.mine is Mine.LED:
        found.add("led_by_us", C.lead_agency_id == _uuid("us"), us=agency_id or UUID(int=0))


def _of_time(found: Filters, asked: CaseFilter) -> None:
    if asked.overdue or asked.due_within_hours or asked.due_after or asked.due_before:
        found.add("open", IS_OPEN)
    if asked.overdue is not None:
        found.add("overdue" if asked.overdue else "in_time", OVERDUE if asked.overdue else ~OVERDUE)
    if asked.recheck is not None:
        found.add("recheck" if asked.recheck else "no_recheck", TO_RECHECK if asked.recheck else not_(TO_RECHECK))
    if asked.due_within_hours is not None:
        soon = func.now() + func.make_interval(0, 0, 0, 0, cast(bindparam("hours"), Integer))
        found.add("due_soon", and_(C.due_at >= func.now(), C.due_at < soon), hours=asked.due_within_hours)
    if asked.due_after is not None:
        found.add("due_after", C.due_at >= _time("due_after"), due_after=asked.due_after)
    if asked.due_before is not None:
        found.add("due_before", C.due_at < _time("due_before"), due_before=asked.due_before)
    for name, condition in (
        ("reported_from", C.reported_at >= _time("reported_from")),
        ("reported_to", C.reported_at < _time("reported_to")),
        ("closed_from", C.closed_at >= _time("closed_from")),
        ("closed_to", C.closed_at < _time("closed_to")),
    ):
        if getattr(asked, name) is not None:
            found.add(name, condition, **{name: getattr(asked, name)})


def _of_text(found: Filters, asked: CaseFilter) -> None:
    if asked.search is not None:
        # The pairs find what may be it, and the words themselves what is: each of them stands somewhere.
        words = [word for word in asked.search.lower().split() if len(word) >= 2]
        pairs = sorted({word[n : n + 2] for word in words for n in range(len(word) - 1)})
        meant = select(case_texts.c.case_id).where(
            case_texts.c.pairs.op("@>", is_comparison=True)(cast(bindparam("pairs"), ARRAY(Text)))
        )
        patterns = [f"%{_escaped(word)}%" for word in words]
        said = func.lower(C.description).op("LIKE", is_comparison=True)(
            func.all(cast(bindparam("patterns"), ARRAY(Text)))
        )
        found.add("search", and_(C.id.in_(meant), said), pairs=pairs, patterns=patterns)
    if asked.case_no is not None:
        # As `text_pattern_ops` compares: `:` follows the digits.
        low, high = _text("case_no"), _text("case_no_end")
        numbered = and_(C.case_no.op("~>=~", is_comparison=True)(low), C.case_no.op("~<~", is_comparison=True)(high))
        found.add("case_no", numbered, case_no=asked.case_no, case_no_end=f"{asked.case_no}:")
    if asked.external_system is not None and asked.external_id is not None:
        linked = select(external_refs.c.entity_id).where(
            external_refs.c.system == _text("ref_system"),
            external_refs.c.id == _text("ref_id"),
            external_refs.c.entity == literal_column("'case'"),
        )
        found.add("ref", C.id.in_(linked), ref_system=asked.external_system, ref_id=asked.external_id)


def _one_or_several(found: Filters, name: str, column: ColumnElement[str], given: list[str]) -> None:
    if len(given) == 1:  # equality keeps the index's order, a list does not
        found.add(name, column == _text(name), **{name: given[0]})
    elif given:
        found.add(f"{name}s", column == func.any(cast(bindparam(f"{name}s"), ARRAY(Text))), **{f"{name}s": given})


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _text(name: str) -> ColumnElement[str]:
    return cast(bindparam(name), Text)


def _uuid(name: str) -> ColumnElement[UUID]:
    return cast(bindparam(name), Uuid)


def _time(name: str) -> ColumnElement[Any]:
    return cast(bindparam(name), Timestamp(timezone=True))
