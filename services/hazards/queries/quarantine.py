"""What lies in hazards' quarantine, for administrators."""

from __future__ import annotations

from uuid import UUID

from backbone import quarantined
from backbone.quarantine import OPEN, Filter
from backbone.statements import Query, query
from contracts.scope import Scope


@query
def quarantine_page(
    scope: Scope, county: str, *, which: Filter = OPEN, after: UUID | None = None, limit: int = 100
) -> Query:
    """What lies in quarantine, for administrators: see `backbone.quarantined.page`."""
    return quarantined.page("hazards", scope, county, which, after=after, limit=limit)


@query
def quarantine_entry(scope: Scope, county: str, entry_id: UUID) -> Query:
    """One entry of it: see `backbone.quarantined.entry`."""
    return quarantined.entry("hazards", scope, county, entry_id=entry_id)
