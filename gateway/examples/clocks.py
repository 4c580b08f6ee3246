"""Examples of a case's time: its clocks, and the calendar they are counted by."""

from __future__ import annotations

from typing import Any

from gateway.examples.ids import CASE_ID

CLOCKS: list[dict[str, Any]] = [
    {
        "stage": "total",
        "round": 1,
        "state": "running",
        "amount": 3,
        "unit": "working_days",
        "started_at": "2026-02-12T02:00:00.000000Z",
        "due_at": "2026-02-24T09:30:00.000000Z",
        "original_due_at": "2026-02-24T09:30:00.000000Z",
        "paused_at": None,
        "ended_at": None,
        "pauses": [],
        "extensions": [],
        "bells": [
            {"bell": "warn_50", "at": "2026-02-14T01:15:00.000000Z", "level": None, "rung": True},
            {"bell": "missed", "at": "2026-02-24T09:30:00.000000Z", "level": None, "rung": False},
            {"bell": "escalate_1", "at": "2026-02-25T09:30:00.000000Z", "level": "town", "rung": False},
        ],
    }
]
CASE_CLOCKS: dict[str, Any] = {
    "case_id": CASE_ID,
    "as_of": "2026-02-14T01:15:00.000000Z",
    "items": [
        {
            "stage": "total",
            "round": 1,
            "unit": "working_days",
            "started_at": "2026-02-12T02:00:00.000000Z",
            "due_at": "2026-02-24T09:30:00.000000Z",
            "paused_at": None,
            "ended_at": None,
            "state": "running",
            "share": 0.5,
        }
    ],
}
CALENDAR: dict[str, Any] = {
    "year": 2026,
    "known": True,
    "days": [
        {"day": "2026-02-14", "working": True, "name": "春节", "from": "state_council"},
        {"day": "2026-02-16", "working": False, "name": "春节", "from": "state_council"},
    ],
    "known_years": [2025, 2026],
    "working_hours": [["08:30", "12:00"], ["14:00", "17:30"]],
    "time_zone": "Asia/Shanghai",
    "unknown_years": [2027],
    "warning": "The holidays and make-up days of 2027 are not known: only weekends are rest days. "
    "Put them when the State Council has announced them (PUT /v1/calendar/{year}).",
}
CALENDAR_DAYS: dict[str, Any] = {
    "year": 2027,
    "days": [{"day": "2027-01-01", "working": False, "name": "元旦"}],
    "version": 1,
}
