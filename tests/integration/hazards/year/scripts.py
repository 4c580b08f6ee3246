"""The lives of some hundred cases of 2026, drawn from one seed: who moves them when, and how far they get."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

YEAR_BEGINS, YEAR_ENDS = datetime(2025, 12, 31, 16, tzinfo=UTC), datetime(2026, 12, 31, 16, tzinfo=UTC)


def stage(
    name: str, amount: float, unit: str, warn: tuple[int, ...] = (50, 80), escalate: Any = (), **more: Any
) -> Any:
    return {"stage": name, "amount": amount, "unit": unit, "warn": list(warn), "escalate": list(escalate), **more}


def after(amount: float, unit: str, to: str) -> dict[str, Any]:
    return {"after": {"amount": amount, "unit": unit}, "to": to}


TO_COUNTY = [after(1, "working_days", "town"), after(3, "calendar_days", "county")]
IN_HOURS = [after(4, "working_hours", "town"), after(24, "hours", "county")]
CATEGORIES: dict[str, list[dict[str, Any]]] = {
    "fire.charging": [
        stage("verify", 4, "working_hours"),
        stage("accept", 2, "working_hours", warn=()),
        stage("handle", 3, "working_days", escalate=[after(1, "working_days", "town")], extensions=2),
        stage("check", 2, "working_days"),
        stage("total", 10, "working_days", escalate=TO_COUNTY),
    ],
    "fire.electrical": [
        stage("accept", 4, "hours"),
        stage("handle", 20, "working_hours", escalate=IN_HOURS),
        stage("total", 15, "calendar_days", warn=(20, 50, 80), extensions=2),
    ],
    "fire.equipment": [
        stage("handle", 48, "hours", extensions=3),
        stage("check", 24, "hours", escalate=[after(8, "hours", "town")]),
        stage("total", 120, "hours", escalate=[after(24, "hours", "village"), after(1, "working_days", "county")]),
    ],
    "fire.exit_blocked": [stage("total", 5, "calendar_days", warn=(80,))],
}  # fmt: skip


@dataclass
class Step:
    """A move at a moment; `state` is where it leads, `resumes_at` when a suspension ends by itself."""

    at: datetime
    move: str
    by: str
    state: str
    fields: dict[str, Any] = field(default_factory=dict)
    resumes_at: datetime | None = None


@dataclass
class Script:
    """One case: its category and its steps, the report first."""

    category: str
    steps: list[Step]


def scripts(count: int, chance: random.Random) -> list[Script]:
    return [_script(chance) for _ in range(count)]


def _script(chance: random.Random) -> Script:
    category = chance.choice(list(CATEGORIES))
    begins = YEAR_BEGINS + timedelta(minutes=chance.randrange(340 * 24 * 60))
    steps = [Step(begins, "report", "worker", "reported")]
    patience = chance.choice([3, 30, 300])  # hours between moves, about
    ends_after = chance.choice([0, 2, 4, 99, 99, 99])  # some are left alone half-way
    for step in _life(chance, category):
        waits = timedelta(minutes=1 + round(chance.expovariate(1 / (patience * 60))))
        if step.move == "return":  # within its window
            waits = timedelta(minutes=chance.randrange(1, 60))
        at = max(steps[-1].at, steps[-1].resumes_at or steps[-1].at) + waits
        if len(steps) > ends_after or at >= YEAR_ENDS - timedelta(days=15):
            break
        step.at = at
        if step.move == "suspend" and chance.random() < 0.6:
            step.resumes_at = at + timedelta(minutes=chance.randrange(60, 20 * 24 * 60))
            step.fields["until"] = step.resumes_at
        steps.append(step)
        if step.move == "suspend" and step.resumes_at is None:
            steps.append(Step(at + timedelta(minutes=chance.randrange(1, 9 * 24 * 60)), "resume", "fire", "handling"))
    return Script(category, steps)


def _life(chance: random.Random, category: str) -> Iterator[Step]:
    def step(move: str, by: str, state: str, **fields: Any) -> Step:
        return Step(YEAR_BEGINS, move, by, state, fields)

    if chance.random() < 0.06:
        yield step("refuse", "centre", "refused", reason="不属实")
        yield step("reopen", "centre", "reported", reason="属实")
    yield step("verify", "centre", "verified")
    yield step("register", "centre", "registered")
    yield step("dispatch", "centre", "dispatched")
    while chance.random() < 0.25:
        yield step("return", "fire", "registered", reason="非本单位")
        yield step("dispatch", "centre", "dispatched")
    yield step("accept", "fire", "accepted")
    yield step("start", "fire", "handling")
    left = max(each.get("extensions", 1) for each in CATEGORIES[category] if each["stage"] in ("handle", "total"))
    if any(each["stage"] == "handle" for each in CATEGORIES[category]):
        left = next(each.get("extensions", 1) for each in CATEGORIES[category] if each["stage"] == "handle")
    for _ in range(3):
        if left and chance.random() < 0.3:
            yield step("request_extension", "fire", "handling", reason="需更换设备", working_days=chance.randint(1, 5))
            granted = chance.random() < 0.7
            left -= granted
            yield step("grant_extension" if granted else "refuse_extension", "centre", "handling", reason="研究决定")
        if chance.random() < 0.3:
            yield step("suspend", "centre", "suspended", reason="等待检测报告")
        yield step("finish", "fire", "handled")
        if chance.random() < 0.7:
            yield step("pass_check", "north", "checked")
            yield step("close", "centre", "closed")
            if chance.random() < 0.2:
                yield step("reopen", "centre", "registered", reason="复发")
            return
        yield step("fail_check", "north", "handling", reason="未整改")
