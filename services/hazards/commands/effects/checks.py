"""Checks of a rectification, rechecks a while after the close, and reviews of a major hazard.

To pass, a check is made where its category says so: at the place, within the radius with the accuracy counted, with a
picture. A failed one is never refused for where it was made: a case whose position is wrong could otherwise neither
pass nor go back to those who can correct it. So it is with a case outside every area: its position is no measure.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select

from contracts.hazards.errors import CheckNotOnSite, MissingMoveField, SelfReview
from contracts.hazards.states import State
from services.hazards import placing
from services.hazards.commands.effects.handling import NO_RECHECK, reopen
from services.hazards.commands.effects.parts import Changes, Moving
from services.hazards.commands.effects.site import site
from services.hazards.commands.filing import brings_picture
from services.hazards.domain.on_site import CheckRule, check_rule, is_on_site
from services.hazards.tables import case_checks

_COUNT = select(func.count()).where(case_checks.c.case_id == bindparam("case_id"))
_LAST_PASSED_BY = (
    select(case_checks.c.account_id)
    .where(case_checks.c.case_id == bindparam("case_id"), case_checks.c.passed)
    .order_by(case_checks.c.seq.desc())
    .limit(1)
)


def pass_check(moving: Moving) -> Changes:
    """Raises MissingMoveField, CheckNotOnSite, ImplausibleDeviceTime."""
    _passed(moving, moving.row["handled_at"])
    return {}


def fail_check(moving: Moving) -> Changes:
    """Back to those who handle it. Raises MissingMoveField, ImplausibleDeviceTime."""
    _keep(moving, site(moving, moving.row["handled_at"]), passed=False, radius_m=None)
    return {"reworks": moving.row["reworks"] + 1, "reviewed_at": None}


def pass_recheck(moving: Moving) -> Changes:
    """It has held. Raises MissingMoveField, CheckNotOnSite, ImplausibleDeviceTime."""
    _passed(moving, moving.row["closed_at"])
    return dict(NO_RECHECK)


def fail_recheck(moving: Moving) -> Changes:
    """It has not: to be handled again. Raises MissingMoveField, ImplausibleDeviceTime."""
    _keep(moving, site(moving, moving.row["closed_at"]), passed=False, radius_m=None)
    return reopen(moving)


def review(moving: Moving) -> Changes:
    """A second pair of eyes on a major hazard. Raises SelfReview."""
    checker = moving.session.execute(_LAST_PASSED_BY, {"case_id": moving.row["id"]}).scalar_one_or_none()
    if checker == moving.actor.account_id:
        raise SelfReview()
    return {"reviewed_at": moving.now}


def _passed(moving: Moving, since: datetime) -> None:
    rule = check_rule(placing.any_category(moving.session, moving.row["category"]))
    bound = rule.on_site and not moving.row["unassigned"]
    seen = site(moving, since)
    if rule.photo and not brings_picture(moving.session, moving.actor, moving.command):
        raise MissingMoveField("A check of this category needs a picture.", field="photo", expected=_expected(rule))
    if bound:
        _at_the_place(seen, rule)
    _keep(moving, seen, passed=True, radius_m=rule.radius_m if bound else None)


def _at_the_place(seen: dict[str, Any], rule: CheckRule) -> None:
    distance, accuracy = seen["distance_m"], seen["accuracy_m"]
    for name, value in (("lon", distance), ("accuracy_m", accuracy)):
        if value is None:
            raise MissingMoveField("This category is checked at the place.", field=name, expected=_expected(rule))
    if not is_on_site(distance, accuracy, rule.radius_m):
        raise CheckNotOnSite(
            field="lon",
            expected=f"distance + accuracy of at most {rule.radius_m:g} m",
            distance_m=distance,
            accuracy_m=accuracy,
            radius_m=rule.radius_m,
        )


def _expected(rule: CheckRule) -> str:
    asked = [f"lon, lat, crs and accuracy_m, within {rule.radius_m:g} m"] if rule.on_site else []
    return "; ".join([*asked, *(["photo"] if rule.photo else [])])


def _keep(moving: Moving, seen: dict[str, Any], *, passed: bool, radius_m: float | None) -> None:
    count = moving.session.execute(_COUNT, {"case_id": moving.row["id"]}).scalar_one()
    moving.session.execute(
        insert(case_checks).values(
            case_id=moving.row["id"],
            seq=moving.row["version"] + 1,
            round=count + 1,
            passed=passed,
            recheck=moving.row["state"] == State.CLOSED.value,
            account_id=moving.actor.account_id,
            agency_id=moving.actor.agency_id,
            at=moving.now,
            radius_m=radius_m,
            **seen,
        )
    )
