"""The toy `grid`, failing at the fault points of its commands."""

from __future__ import annotations

from tests.faults.forcing import Forcing
from tests.integration.backbone.toy_grid import ToyGrid


class FailingGrid(ToyGrid):
    name = "grid"

    def __init__(self) -> None:
        self.hook = Forcing.for_process()
