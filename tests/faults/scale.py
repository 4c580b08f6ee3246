"""How much of each fault test runs: the short form in `make test`, the whole with FAULTS=full times FAULTS_SCALE."""

from __future__ import annotations

import os

FULL = os.environ.get("FAULTS") == "full"
SCALE = float(os.environ.get("FAULTS_SCALE", "1"))
SEED = int(os.environ.get("FAULTS_SEED", "20260302"))


def scaled(full: int, short: int) -> int:
    """How often, how many or how many seconds: `short` in `make test`, else `full` x FAULTS_SCALE, at least one."""
    return max(1, round(full * SCALE)) if FULL else short
