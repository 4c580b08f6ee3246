"""What lies in grid's quarantine, for administrators."""

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
    """See `backbone.quarantined.page`."""
    return quarantined.page("grid", scope, county, which, after=after, limit=limit)


@query
def quarantine_entry(scope: Scope, county: str, entry_id: UUID) -> Query:
    """See `backbone.quarantined.entry`."""
    return quarantined.entry("grid", scope, county, entry_id=entry_id)
