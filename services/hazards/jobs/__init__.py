"""hazards' work for the worker process."""

from __future__ import annotations

from services.hazards.commands.routing import REROUTE
from services.hazards.jobs.rerouting import reroute_cases

SERVICE = "hazards"
JOBS = {REROUTE: reroute_cases}
