"""hazards as it is, but with a handler that takes agencies one at a time: what B7's set-based row is compared with."""

from __future__ import annotations

from backbone.database import Session
from backbone.entrypoints import subscribe
from backbone.outbox import Event
from contracts.grid.events import AgencyChanged
from services.hazards import reactions
from services.hazards.service import HazardsService


class OneByOne(HazardsService):
    """The same queue, inbox and effect; one statement for each event."""

    @subscribe(AgencyChanged)  # type: ignore[untyped-decorator]
    def on_agencies_changed(self, session: Session, event: Event[AgencyChanged]) -> None:
        reactions.agencies_changed(session, [event])
