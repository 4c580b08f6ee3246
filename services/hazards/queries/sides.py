"""What stands beside a case in tables of its own, as parts of the case's JSON: supervision, checks, merged reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import CTE, FromClause, Integer, Select, and_, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql import ColumnElement

from backbone.answers import json_object, utc
from services.hazards.tables import (
    case_checks,
    case_files,
    case_grades,
    case_leaders,
    case_listings,
    case_ratings,
    case_supervisions,
    case_visits,
    cases,
    external_refs,
)

C = cases.c
_NONE: ColumnElement[Any] = literal_column("'[]'::json")
_NULL: ColumnElement[Any] = literal_column("NULL::json")
_TODAY: ColumnElement[Any] = literal_column("(now() AT TIME ZONE 'Asia/Shanghai')::date")
_LISTS = ("supervisions", "visits", "leaders", "checks", "ratings", "merged")
_ONES = ("listing", "leader", "major", "rests_in")


def no_sides() -> Mapping[str, ColumnElement[Any]]:
    """Those of a case that was just reported."""
    return {**dict.fromkeys(_LISTS, _NONE), **dict.fromkeys(_ONES, _NULL)}


def sides() -> Mapping[str, ColumnElement[Any]]:
    """Those of the case in the row; what ends with a case at rest (an overdue listing) does not count on."""
    return {
        "supervisions": _supervisions(),
        "visits": _list(case_visits, _visit(), case_visits.c.planned_on, case_visits.c.made_on, case_visits.c.id),
        "leaders": _list(case_leaders, _leader(), case_leaders.c.seq),
        "checks": _list(case_checks, _check(), case_checks.c.seq),
        "ratings": _list(case_ratings, _rating(), case_ratings.c.rated_at, case_ratings.c.report_case_id),
        "merged": _merged(),
        "listing": _listing(),
        "leader": _last(case_leaders, _leader(), case_leaders.c.seq),
        "major": _major(),
        "rests_in": rests_in(),
    }


def listing_json(**more: Any) -> ColumnElement[Any]:
    """A listing as staff see it."""
    n = case_listings.c
    return json_object(
        listing_no=n.listing_no,
        level=n.level,
        agency_id=n.agency_id,
        public=n.public,
        until=utc(n.until),
        listed_at=utc(n.listed_at),
        removed_at=utc(n.removed_at),
        overdue=and_(n.removed_at.is_(None), n.until < func.now()),
        **more,
    )


def visit_json(**more: Any) -> ColumnElement[Any]:
    """A visit; `overdue` while its day is over and nobody has made it."""
    v = case_visits.c
    waits = and_(v.made_on.is_(None), v.lapsed_at.is_(None))
    return json_object(
        visit_id=v.id,
        planned_on=v.planned_on,
        made_on=v.made_on,
        recorded_at=utc(v.recorded_at),
        agency_id=v.agency_id,
        found=v.found,
        lon=func.ST_X(v.geom),
        lat=func.ST_Y(v.geom),
        accuracy_m=v.accuracy_m,
        distance_m=v.distance_m,
        photo=v.photo_blob,
        files=v.files,
        overdue=and_(waits, v.planned_on < _TODAY),
        missed_at=utc(v.missed_at),
        lapsed_at=utc(v.lapsed_at),
        **more,
    )


def rests_in() -> ColumnElement[Any]:
    """Where a merged case rests: the case at the end of the chain, by number and stage; null where it rests in none."""
    chain, last = resting_chain(), cases.alias("last")
    body = json_object(
        case_id=last.c.id,
        case_no=last.c.case_no,
        state=last.c.state,
        lead_agency_id=last.c.lead_agency_id,
        due_at=utc(last.c.due_at),
        updated_at=utc(last.c.updated_at),
        closed_at=utc(last.c.closed_at),
    )
    return (
        select(body)
        .select_from(chain.join(last, last.c.id == chain.c.id))
        .where(last.c.merged_into_id.is_(None))
        .scalar_subquery()
    )


def resting_chain() -> CTE:
    """The cases above a merged one, each that the one below rests in: `id`, `depth` from 1."""
    first = select(C.merged_into_id.label("id"), literal_column("1", Integer).label("depth"))
    chain = first.where(C.merged_into_id.is_not(None)).correlate(cases).cte("resting", recursive=True, nesting=True)
    above = cases.alias("above")
    return chain.union_all(
        select(above.c.merged_into_id, chain.c.depth + literal_column("1"))
        .select_from(above.join(chain, above.c.id == chain.c.id))
        .where(above.c.merged_into_id.is_not(None))
    )


def _list(table: FromClause, item: ColumnElement[Any], *order: ColumnElement[Any]) -> ColumnElement[Any]:
    listed = func.json_agg(aggregate_order_by(item, *order))
    return select(func.coalesce(listed, _NONE)).where(table.c.case_id == C.id).scalar_subquery()


def _last(table: FromClause, item: ColumnElement[Any], order: ColumnElement[Any]) -> ColumnElement[Any]:
    return select(item).where(table.c.case_id == C.id).order_by(order.desc()).limit(1).scalar_subquery()


def _supervisions() -> ColumnElement[Any]:
    s = case_supervisions.c
    item = json_object(
        seq=s.seq,
        level=s.level,
        agency_id=s.agency_id,
        lead_agency_id=s.lead_agency_id,
        points=s.points,
        issued_at=utc(s.issued_at),
        lifted_at=utc(s.lifted_at),
        lifted_agency_id=s.lifted_agency_id,
    )
    return _list(case_supervisions, item, s.seq)


def _listing() -> ColumnElement[Any]:
    """The one in force, else the last."""
    n = case_listings.c
    return (
        select(listing_json())
        .where(n.case_id == C.id)
        .order_by(n.listed_at.desc(), n.listing_no)
        .limit(1)
        .scalar_subquery()
    )


def _leader() -> ColumnElement[Any]:
    e = case_leaders.c
    return json_object(
        seq=e.seq, name=e.name, title=e.title, agency_id=e.agency_id, team=e.team, named_at=utc(e.named_at)
    )


def _visit() -> ColumnElement[Any]:
    return visit_json()


def _major() -> ColumnElement[Any]:
    """The declaration of a major hazard, while it is one."""
    g = case_grades.c
    item = json_object(seq=g.seq, agency_id=g.agency_id, declared_at=utc(g.at), due_at=utc(g.due_at))
    found: Select[Any] = (
        select(item)
        .where(g.case_id == C.id, g.grade == literal_column("'major'"), C.grade == literal_column("'major'"))
        .order_by(g.seq.desc())
        .limit(1)
    )
    return found.correlate(cases).scalar_subquery()


def _check() -> ColumnElement[Any]:
    k = case_checks.c
    return json_object(
        seq=k.seq,
        round=k.round,
        passed=k.passed,
        recheck=k.recheck,
        account_id=k.account_id,
        agency_id=k.agency_id,
        at=utc(k.at),
        device_at=utc(k.device_at),
        lon=func.ST_X(k.geom),
        lat=func.ST_Y(k.geom),
        accuracy_m=k.accuracy_m,
        distance_m=k.distance_m,
        radius_m=k.radius_m,
        photo=k.photo_blob,
        files=k.files,
    )


def _rating() -> ColumnElement[Any]:
    r = case_ratings.c
    return json_object(
        round=r.round,
        report_case_id=r.report_case_id,
        rating=r.rating,
        note=r.note,
        given_by=r.given_by,
        rated_at=utc(r.rated_at),
    )


def _merged() -> ColumnElement[Any]:
    """The cases that rest in this one directly, with what came with them; none more sensitive than this one is now."""
    m = cases.alias("merged_case")
    refs = select(
        func.coalesce(
            func.json_agg(json_object(system=external_refs.c.system, id=external_refs.c.id)),
            _NONE,
        )
    ).where(external_refs.c.entity == literal_column("'case'"), external_refs.c.entity_id == m.c.id)
    photo = case_files.c
    photos = select(
        func.coalesce(func.json_agg(json_object(blob=photo.blob, media_type=photo.media_type)), _NONE)
    ).where(photo.case_id == m.c.id)
    item = json_object(
        case_id=m.c.id,
        case_no=m.c.case_no,
        reports=m.c.reports,
        description=m.c.description,
        reported_at=utc(m.c.reported_at),
        external_refs=refs.correlate(m).scalar_subquery(),
        photos=photos.correlate(m).scalar_subquery(),
    )
    listed = func.json_agg(aggregate_order_by(item, m.c.reported_at, m.c.id))
    return (
        select(func.coalesce(listed, _NONE))
        .where(m.c.merged_into_id == C.id, m.c.sensitivity <= C.sensitivity)
        .correlate(cases)
        .scalar_subquery()
    )
