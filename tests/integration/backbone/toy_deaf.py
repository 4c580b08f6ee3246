"""A `hazards` that forgot one of its queues."""

from __future__ import annotations

from backbone.entrypoints import subscribe
from contracts.grid.events import AgencyChanged


class Deaf:
    name = "hazards"

    @subscribe(AgencyChanged)
    def store_agency(self, session, event):
        pass
