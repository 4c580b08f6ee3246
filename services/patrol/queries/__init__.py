"""patrol's read side, run by the gateway: units, shifts, live positions, tracks, batches. SELECT only.

`live` and `track` read tables under row security: run them in a transaction after `SET LOCAL` (or
`set_config(name, value, true)`) of `live_settings(scope)` or `track_settings(scope, purpose)`. A track is personal
data: the gateway's audit row, with the purpose, is committed first.
"""

from __future__ import annotations

from services.patrol.queries.answers import MAX_LIMIT
from services.patrol.queries.batches import batch, headers_for
from services.patrol.queries.duty import shift, shift_list, unit, unit_list
from services.patrol.queries.quarantine import quarantine_entry, quarantine_page
from services.patrol.queries.tracks import MAX_LIVE, live, live_settings, track, track_settings

__all__ = [
    "MAX_LIMIT",
    "MAX_LIVE",
    "batch",
    "headers_for",
    "live",
    "live_settings",
    "quarantine_entry",
    "quarantine_page",
    "shift",
    "shift_list",
    "track",
    "track_settings",
    "unit",
    "unit_list",
]
