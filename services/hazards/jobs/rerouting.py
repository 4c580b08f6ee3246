"""Asking the rules again for cases that wait because nobody was named: a suggestion each, in chunks.

A case that is with an agency is never touched. A chunk and where the next goes on are one transaction, so a run that
was broken off goes on where it stood, and what was done twice would be done the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, text, update

from backbone.clock import system_clock
from backbone.database import Session, to_json
from backbone.jobs import JobContext
from backbone.policy import parameters, predicate
from contracts.areas import path_end
from contracts.scope import Scope, actor_from_json
from services.hazards import placing
from services.hazards.queries import VISIBILITY
from services.hazards.tables import IS_UNDISPATCHED, cases, routing_runs

CHUNK = 500
C, RUN = cases.c, routing_runs.c
_SUGGEST = text("""
UPDATE hazards.cases AS waiting SET suggested_agency_ids = named.agencies
FROM json_to_recordset(CAST(:rows AS json)) AS named (id uuid, agencies uuid[])
WHERE waiting.id = named.id AND waiting.state = 'registered' AND waiting.lead_agency_id IS NULL
    AND waiting.suggested_agency_ids IS DISTINCT FROM named.agencies
""")


def reroute_cases(context: JobContext) -> dict[str, Any] | None:
    """Job `reroute_cases`, payload {"run_id"}: looks at every waiting case of the run's scope once."""
    run_id = UUID(context.payload["run_id"])
    while True:
        with context.transaction() as session:
            run = one_chunk(session, run_id, system_clock())
        if run is None or run["state"] == "done":
            return None
        context.progress(run["looked"] / max(run["total"], 1))


def one_chunk(session: Session, run_id: UUID, now: datetime, chunk: int = CHUNK) -> Mapping[Any, Any] | None:
    """The run after its next chunk; None when there is no such run."""
    run = session.execute(select(routing_runs).where(RUN.id == run_id).with_for_update()).mappings().one_or_none()
    if run is None or run["state"] == "done":
        return run
    scope = actor_from_json(run["scope"]).scope
    total = run["total"] if run["state"] == "running" else _total(session, run, scope)
    rows = _next(session, run, scope, chunk)
    named, changed = _suggest(session, rows, now)
    over = len(rows) < chunk
    statement = (
        update(routing_runs)
        .where(RUN.id == run_id)
        .values(
            state="done" if over else "running",
            total=total,
            looked=RUN.looked + len(rows),
            named=RUN.named + named,
            changed=RUN.changed + changed,
            last_case_id=rows[-1]["id"] if rows else RUN.last_case_id,
            finished_at=now if over else None,
            version=RUN.version + 1,
        )
        .returning(routing_runs)
    )
    return session.execute(statement).mappings().one()


def _wanted(run: Mapping[Any, Any], scope: Scope) -> list[ColumnElement[bool]]:
    where = [IS_UNDISPATCHED, predicate(scope, VISIBILITY)]
    if run["category"] is not None:
        where.append(or_(C.category == run["category"], func.starts_with(C.category, f"{run['category']}.")))
    if run["area_path"]:
        where += [C.area_path >= run["area_path"], C.area_path < path_end(run["area_path"])]
    return where


def _total(session: Session, run: Mapping[Any, Any], scope: Scope) -> int:
    counted = select(func.count()).select_from(cases).where(*_wanted(run, scope))
    return int(session.execute(counted, parameters(scope)).scalar_one())


def _next(session: Session, run: Mapping[Any, Any], scope: Scope, chunk: int) -> Sequence[Mapping[Any, Any]]:
    columns = (C.id, C.category, C.area_path, C.source, C.grade, C.suggested_agency_ids)
    statement = select(*columns).where(*_wanted(run, scope)).order_by(C.id).limit(chunk)
    if run["last_case_id"] is not None:
        statement = statement.where(C.id > run["last_case_id"])
    return session.execute(statement, parameters(scope)).mappings().all()


def _suggest(session: Session, rows: Sequence[Mapping[Any, Any]], now: datetime) -> tuple[int, int]:
    """(how many have somebody now, how many another than before). The rules are read for each chunk: they may change
    while a run goes on."""
    if not rows:
        return 0, 0
    book = placing.book(session)
    answers = {row["id"]: book.answer(placing.asked_of(row, now)).agencies for row in rows}
    written = [{"id": each, "agencies": agencies} for each, agencies in answers.items()]
    changed = session.execute(_SUGGEST, {"rows": to_json(written)}).rowcount
    return sum(1 for agencies in answers.values() if agencies), int(changed)
