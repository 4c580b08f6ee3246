"""hazards' work for the worker process: rules asked again, copies of files, uploads forgotten, exports written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from backbone.jobs import JobContext
from services.hazards.commands.filing import COPY_JOB, FORGET_JOB
from services.hazards.commands.routing import REROUTE
from services.hazards.jobs.copies import copy_file, forget_files
from services.hazards.jobs.exporting import export_cases, forget_export
from services.hazards.jobs.rerouting import reroute_cases

SERVICE = "hazards"
JOBS: dict[str, Callable[[JobContext], Mapping[str, Any] | None]] = {
    REROUTE: reroute_cases,
    COPY_JOB: copy_file,
    FORGET_JOB: forget_files,
    "export_cases": export_cases,
    "forget_export": forget_export,
}
