"""Having cases written into a file: the asking, and what is forgotten of it. The worker writes (jobs/exporting.py)."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, insert, select, text

from backbone import jobs
from backbone.clock import Clock
from backbone.database import Session
from backbone.retention import Deleting, Rule
from contracts.hazards.commands import CaseExport, ExportCases
from contracts.hazards.errors import TooManyExports
from contracts.scope import Actor, Role, actor_to_json
from services.hazards.domain.moves import require_role
from services.hazards.tables import case_exports

EXPORT_JOB, FORGET_JOB = "export_cases", "forget_export"
EXPORTERS = frozenset[str]({Role.COUNTY_OPERATOR, Role.TOWN_OPERATOR, Role.COMMUNITY_STAFF, Role.AGENCY_OFFICER})
AT_ONCE = 3
READY_FOR = timedelta(hours=24)
"""A file's life: whoever needs it again asks again, under the scope of that day."""
KEPT = (
    Rule("case_exports", timedelta(days=1095), Deleting("hazards.case_exports", "expires_at < :before"), "expired"),
)
"""Who was given what is on record for three years."""
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('hazards.case_exports'), hashtext(:account))")
_EXPIRED = text("""
UPDATE hazards.case_exports SET state = 'expired', blob = NULL, version = version + 1
WHERE id IN (
  SELECT id FROM hazards.case_exports WHERE state IN ('asked', 'writing', 'ready') AND expires_at < :now
  ORDER BY expires_at LIMIT 100 FOR UPDATE SKIP LOCKED
)
RETURNING id, (SELECT was.blob FROM hazards.case_exports was WHERE was.id = case_exports.id) AS blob
""")


def export_cases(session: Session, actor: Actor, command: ExportCases, *, clock: Clock) -> CaseExport:
    """Notes the export with its asker's scope, and the job. Raises NotAllowed, TooManyExports."""
    require_role(actor, EXPORTERS, "Exports")
    session.execute(_ONE_AT_A_TIME, {"account": str(actor.account_id)})
    unfinished = select(func.count()).where(
        case_exports.c.account_id == actor.account_id, case_exports.c.state.in_(("asked", "writing"))
    )
    if session.execute(unfinished).scalar_one() >= AT_ONCE:
        raise TooManyExports(expected=f"at most {AT_ONCE} at a time")
    now = clock()
    session.execute(
        insert(case_exports).values(
            id=command.export_id,
            account_id=actor.account_id,
            agency_id=actor.agency_id,
            actor=actor_to_json(actor),
            filter=command.filter.model_dump(mode="json", exclude_defaults=True),
            sort=command.sort.value,
            format=command.format.value,
            columns=list(command.columns),
            state="asked",
            progress=0.0,
            truncated=False,
            asked_at=now,
            expires_at=now + READY_FOR,
            version=1,
        )
    )
    jobs.enqueue(session, EXPORT_JOB, {"export_id": str(command.export_id)}, job_id=command.export_id)
    return CaseExport(export_id=command.export_id, state="asked", format=command.format.value, version=1)


def expire_exports(session: Session, *, clock: Clock) -> None:
    """Files past their time are given to nobody any more, and the worker is told to remove them.

    What no worker could finish until then stands in its asker's way no longer.
    """
    for row in session.execute(_EXPIRED, {"now": clock()}):
        if row.blob is not None:
            jobs.enqueue(session, FORGET_JOB, {"blob": row.blob})
