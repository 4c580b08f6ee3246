"""Parent and child cases (父子案件): linked without circles, and counted at the parent with every move of a child.

Rows are locked from the child to its parent and never the other way; while a link is made or undone no other is, so
what lies above a case can be looked at without locks.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from backbone.database import Session
from backbone.policy import visible
from contracts.hazards.errors import CaseCircle, CasesTooDeep, ParentEnded, UnknownParent
from contracts.hazards.states import State
from contracts.refusals import NotAllowed
from contracts.scope import Actor
from services.hazards import records
from services.hazards.commands.effects.parts import Changes, Moving
from services.hazards.domain.machine import ENDS, Move
from services.hazards.domain.moves import in_areas

LINKING = frozenset({Move.LINK_PARENT.value, Move.UNLINK_PARENT.value})
MOST_LEVELS = 4
"""A case, its children, theirs and theirs: deeper is a list, not a family."""

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('hazards.families', 0))")
_SEEN = text("""
SELECT area_path, category, sensitivity, participants AS agencies FROM hazards.cases WHERE id = :id
""")
_FAMILY = text("""
WITH RECURSIVE up (id, parent, depth) AS (
    SELECT id, parent_case_id, 1 FROM hazards.cases WHERE id = :parent
    UNION ALL
    SELECT c.id, c.parent_case_id, up.depth + 1 FROM up JOIN hazards.cases c ON c.id = up.parent WHERE up.depth < :most
), down (id, depth) AS (
    SELECT CAST(:child AS uuid), 1
    UNION ALL
    SELECT c.id, down.depth + 1 FROM down JOIN hazards.cases c ON c.parent_case_id = down.id WHERE down.depth < :most
)
SELECT coalesce(bool_or(up.id = :child), false) AS circle, coalesce(max(up.depth), 0) AS above,
       (SELECT max(depth) FROM down) AS below
FROM up
""")


def one_at_a_time(session: Session) -> None:
    """Waits until nobody else links cases; before any row is locked, or two of them could wait for one another."""
    session.execute(_LOCK)


def link_parent(moving: Moving) -> Changes:
    """Raises CaseCircle, UnknownParent, NotAllowed, ParentEnded, CasesTooDeep."""
    session, actor, parent_id = moving.session, moving.actor, moving.command.parent_case_id
    if parent_id is None:
        raise TypeError("decide() lets no link_parent pass without a parent")
    case_id = moving.row["id"]
    seen = session.execute(_SEEN, {"id": parent_id}).mappings().one_or_none()
    if seen is None or not visible(actor.scope, **seen):
        raise UnknownParent(field="parent_case_id", expected="the id of an open case")
    # Before the parent is locked: were it below this case, somebody who ends it would hold it and wait for this one.
    family = session.execute(_FAMILY, {"parent": parent_id, "child": case_id, "most": MOST_LEVELS + 1}).one()
    if family.circle:
        raise CaseCircle(field="parent_case_id", expected="a case that is not this one, nor below it")
    parent = records.load(session, parent_id)
    if parent is None:
        raise RuntimeError(f"case {parent_id} was there a moment ago")
    if not in_areas(actor, parent["area_path"]):
        raise NotAllowed("The parent lies outside your areas: it could not be closed before your case.")
    if State(parent["state"]) in ENDS:
        raise ParentEnded(field="parent_case_id", expected="an open case")
    if family.above + family.below > MOST_LEVELS:
        raise CasesTooDeep(field="parent_case_id", expected=f"at most {MOST_LEVELS} levels")
    return {"parent_case_id": parent_id}


def unlink_parent(moving: Moving) -> Changes:
    return {"parent_case_id": None}


def follow(session: Session, before: records.Row, after: records.Row, actor: Actor | None, now: datetime) -> None:
    """The parents' counts of open children, after any move of a case: a version, a history row and an event each."""
    was, now_is = before["parent_case_id"], after["parent_case_id"]
    opened, ended = _is_open(after) and not _is_open(before), _is_open(before) and not _is_open(after)
    if was == now_is:
        if was is not None and (opened or ended):
            what = records.CHILD_REOPENED if opened else records.CHILD_ENDED
            _count(session, was, 1 if opened else -1, what, actor, now)
        return
    if was is not None:
        _count(session, was, -int(_is_open(before)), records.CHILD_UNLINKED, actor, now)
    if now_is is not None:
        _count(session, now_is, int(_is_open(after)), records.CHILD_LINKED, actor, now)


def _count(session: Session, parent_id: UUID, step: int, what: str, actor: Actor | None, now: datetime) -> None:
    parent = records.load(session, parent_id)
    if parent is None:
        raise RuntimeError(f"case {parent_id} is a parent and is not there")
    after = records.change(session, parent, {"open_children": parent["open_children"] + step}, now)
    records.record(session, now, [records.Happened(what, parent, after, actor)])


def _is_open(row: records.Row) -> bool:
    return State(row["state"]) not in ENDS
