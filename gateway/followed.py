"""What the holder of a follow code is told: stage, holder and times of one report, and what may be done about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from backbone.clock import COUNTY_TIME
from contracts.hazards.states import State
from contracts.scope import Scope
from gateway.names import Names
from gateway.parts import Parts
from gateway.problems import Problem
from services.hazards import queries

_SYSTEM = Scope.system("the holder of a follow code is told stage, holder and times of that one case")


async def report_of(platform: Parts, code: str) -> Any:
    """The row of `queries.followed`. Raises Problem unknown_follow_code."""
    rows = await platform.reads.rows("hazards", queries.followed(_SYSTEM, code))
    if not rows:
        raise Problem("unknown_follow_code", field="code")
    return rows[0]


async def followed(platform: Parts, code: str) -> dict[str, Any]:
    """How far the report of a stored code is. Raises Problem unknown_follow_code."""
    row = await report_of(platform, code)
    steps = _steps(orjson.loads(row["steps"]), orjson.loads(row["later"] or "[]"))
    since = datetime.fromisoformat(steps[-1]["at"])
    closed = row["state"] == State.CLOSED
    return {
        "stage": {name: steps[-1][name] for name in ("code", "name", "name_en")},
        "stage_since": steps[-1]["at"],
        "seconds_in_stage": max(0, int((datetime.now(UTC) - since).total_seconds())),
        "holder": await Names(platform.reads).agency(str(row["lead_agency_id"])) if row["lead_agency_id"] else None,
        "reported_at": _said(row["reported_at"]),
        "steps": steps,
        "rating_asked": closed and row["rating"] is None,
        "appeal_until": _appeal_until(row, platform.clock()) if closed else None,
    }


def _steps(moves: list[dict[str, str]], later: list[list[dict[str, str]]]) -> list[dict[str, str]]:
    """When each stage began; a move inside one stage is none of the public's.

    Of a merged report its own stages, and from then on those of the case that it rests in, up to the last.
    """
    for above in later:
        moves = [*moves, *_from(moves[-1]["at"], above)]
    steps: list[dict[str, str]] = []
    for move in moves:
        stage = queries.STAGE_OF[move["state"]]
        if not steps or steps[-1]["code"] != stage:
            zh, en = queries.STAGES[stage]
            steps.append({"code": stage, "name": zh, "name_en": en, "at": _said(datetime.fromisoformat(move["at"]))})
    return steps


def _from(since: str, moves: list[dict[str, str]]) -> list[dict[str, str]]:
    """The state a case was in at a moment, and what came after it."""
    before = [move for move in moves if move["at"] <= since]
    return [*({**move, "at": since} for move in before[-1:]), *moves[len(before) :]]


def _appeal_until(row: Any, now: datetime) -> str | None:
    if row["rating"] is None:
        return None
    until = queries.appeal_until(row["rating"], row["rated_at"], row["reopen_days"])
    return _said(until) if until is not None and now <= until else None


def _said(moment: datetime) -> str:
    return moment.astimezone(COUNTY_TIME).isoformat(timespec="seconds")
