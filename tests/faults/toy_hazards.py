"""The toy `hazards`, failing at the fault points of its inboxes."""

from __future__ import annotations

from tests.faults.forcing import Forcing
from tests.integration.backbone.toy_hazards import ToyHazards


class FailingHazards(ToyHazards):
    name = "hazards"

    def __init__(self) -> None:
        self.hook = Forcing.for_process()
