"""What the duty desks hear of a case that turns out to be an emergency when its category is corrected."""

from __future__ import annotations

from datetime import datetime

from backbone import outbox
from backbone.database import Session
from services.hazards import placing, records


def follow(session: Session, before: records.Row, after: records.Row, now: datetime) -> None:
    """The event of an emergency, once the category has become one of that kind; a desk that knew hears nothing."""
    was, now_is = before["category"], after["category"]
    if was == now_is or not placing.any_category(session, now_is).emergency:
        return
    if not placing.any_category(session, was).emergency:
        outbox.append(session, records.emergency_event(after, now))
