"""What hazards leaves to the worker: files of cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from backbone.jobs import JobContext
from services.hazards.jobs.exporting import export_cases, forget_export

SERVICE = "hazards"
JOBS: dict[str, Callable[[JobContext], Mapping[str, Any] | None]] = {
    "export_cases": export_cases,
    "forget_export": forget_export,
}
