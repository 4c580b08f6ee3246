"""Where units are and were, under row security: without `SET LOCAL` of the settings below nothing is seen.

A track is personal data: the gateway's audit row, with the purpose, is committed before it is read.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Double, Integer, Select, Uuid, and_, bindparam, case, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import array

from backbone.answers import body_column, json_object, utc
from backbone.policy import Visibility, parameters, predicate, rls_settings, shape
from backbone.statements import Query, query
from contracts.patrol.errors import MissingPurpose
from contracts.scope import Scope
from services.patrol.domain.shifts import GRACE, Status
from services.patrol.queries.answers import EMPTY, Filters, array_of, below, listed, number, seconds
from services.patrol.queries.duty import SHIFT, S, U
from services.patrol.tables import area_paths, last_positions, positions, shifts, units

MAX_LIVE = 5000
IMPLAUSIBLE_MPS = 60
"""The pipeline counts by the same rule; a track names the fixes."""

Box = tuple[float, float, float, float]
L, P, A = last_positions.c, positions.c, area_paths.c
_LIVE = Visibility(area_path=A.path, agencies=array([U.agency_id]))


def live_settings(scope: Scope) -> dict[str, str]:
    """`SET LOCAL` values before `live`."""
    return rls_settings(scope)


def track_settings(scope: Scope, purpose: str | None) -> dict[str, str]:
    """`SET LOCAL` values before `track`. Raises MissingPurpose when the scope does not hold the purpose."""
    if not purpose or not (scope.unrestricted or purpose in scope.purposes):
        raise MissingPurpose(field="purpose", expected=", ".join(sorted(scope.purposes)) or None)
    return {**rls_settings(scope), "pingan.purpose": purpose}


@query
def live(
    scope: Scope,
    *,
    fresh_s: float = 900.0,
    area_path: str | None = None,
    bbox: Box | None = None,
    after: UUID | None = None,
    limit: int = 1000,
) -> Query:
    """Newest position of each unit on duty, by unit: `body`, `cursor_1` = unit id. Under row security.

    Positions older than `fresh_s` seconds are left out; `bbox` = west, south, east, north in WGS84 degrees.
    """
    filters: Filters = {}
    if area_path is not None:
        filters["area"] = below(A.path, area_path)
    if bbox is not None:
        names = ("west", "south", "east", "north")
        envelope = func.ST_MakeEnvelope(*(cast(bindparam(name), Double) for name in names), literal_column("4326"))
        filters["bbox"] = (L.geom.op("&&", is_comparison=True)(envelope), dict(zip(names, bbox, strict=True)))
    if after is not None:
        filters["after"] = (L.unit_id > cast(bindparam("after_id"), Uuid), {"after_id": after})

    def build() -> Select[Any]:
        age = func.round(seconds(func.now() - L.device_at), number(1))
        body = json_object(
            unit_id=L.unit_id,
            call_sign=U.call_sign,
            kind=U.kind,
            agency_id=U.agency_id,
            shift_id=S.id,
            duty=S.duty,
            lon=func.ST_X(L.geom),
            lat=func.ST_Y(L.geom),
            accuracy_m=L.accuracy_m,
            speed_mps=L.speed_mps,
            heading=L.heading,
            area_path=A.path,
            device_at=utc(L.device_at),
            age_s=age,
        )
        fresh = func.make_interval(*[number(0)] * 6, cast(bindparam("fresh_s"), Double))
        on_duty = and_(S.unit_id == L.unit_id, S.status == literal_column(f"'{Status.STARTED}'"))
        return (
            select(body_column(body), L.unit_id.label("cursor_1"))
            .select_from(
                last_positions.join(shifts, on_duty).join(units, U.id == L.unit_id).join(area_paths, A.id == L.area_id)
            )
            .where(
                predicate(scope, _LIVE),
                L.shift_id == S.id,
                L.device_at > func.now() - fresh,
                *(condition for condition, _ in filters.values()),
            )
            .order_by(L.unit_id)
            .limit(cast(bindparam("limit"), Integer))
        )

    return listed("patrol.live", scope, build, filters, limit, most=MAX_LIVE, more={"fresh_s": fresh_s})


@query
def track(scope: Scope, shift_id: UUID) -> Query:
    """A shift's track: `body`, a GeoJSON Feature with a LineString of lon, lat. Personal data, under row security.

    `properties.times[i]` belongs to coordinate i; `properties.implausible` are the indexes of fixes that only
    something faster than 60 m/s could have reached from the fix before. One fix is a Point, none null.
    """

    def build() -> Select[Any]:
        end = func.coalesce(S.ended_at, S.planned_until + literal_column(f"interval '{int(GRACE.total_seconds())} s'"))
        before, at_before = (
            func.lag(P.geom).over(order_by=P.device_at),
            func.lag(P.device_at).over(order_by=P.device_at),
        )
        unsure = number(2) * func.coalesce(P.accuracy_m, number(10))
        far = func.ST_DistanceSphere(before, P.geom) - unsure
        too_fast = far > number(IMPLAUSIBLE_MPS) * seconds(P.device_at - at_before)
        fixes = (
            select(
                P.device_at,
                func.ST_X(P.geom).label("lon"),
                func.ST_Y(P.geom).label("lat"),
                (func.row_number().over(order_by=P.device_at) - number(1)).label("n"),
                too_fast.label("too_fast"),
            )
            .where(P.unit_id == S.unit_id, P.device_at.between(S.started_at, end), P.shift_id == S.id)
            .correlate(shifts)
            .lateral("fixes")
        )
        f = fixes.c
        point = func.json_build_array(f.lon, f.lat)
        points = array_of(point, f.device_at)
        geometry = case(
            (func.count(f.device_at) > number(1), json_object(type=literal_column("'LineString'"), coordinates=points)),
            (
                func.count(f.device_at) == number(1),
                json_object(type=literal_column("'Point'"), coordinates=points.op("->")(number(0))),
            ),
        )
        properties = json_object(
            shift_id=S.id,
            unit_id=S.unit_id,
            call_sign=U.call_sign,
            status=S.status,
            started_at=utc(S.started_at),
            ended_at=utc(S.ended_at),
            fixes=func.count(f.device_at),
            times=func.coalesce(array_of(utc(f.device_at), f.device_at).filter(f.device_at.is_not(None)), EMPTY),
            implausible=func.coalesce(func.json_agg(f.n).filter(f.too_fast), EMPTY),
        )
        body = json_object(type=literal_column("'Feature'"), id=S.id, geometry=geometry, properties=properties)
        return (
            select(body_column(body))
            .select_from(shifts.join(units, U.id == S.unit_id).outerjoin(fixes, literal_column("true")))
            .where(S.id == bindparam("shift_id", type_=Uuid()), predicate(scope, SHIFT))
            .group_by(S.id, U.id)
        )

    return Query(("patrol.track", shape(scope)), build, {"shift_id": shift_id, **parameters(scope)})
