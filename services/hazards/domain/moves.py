"""Deciding one move: is it legal now, is it this actor's, is everything there?

The order of the answers is fixed: visible (404) and version (412) are the command's, then legal (409), then role,
area and agency (403), then fields (422).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from contracts.areas import is_within
from contracts.hazards.errors import IllegalMove, MissingMoveField, SelfCheck
from contracts.hazards.events import Source, State
from contracts.refusals import InvalidField, NotAllowed
from services.hazards.domain.machine import (
    COUNTY,
    MOVE_FIELDS,
    TABLE,
    TRUSTED_SOURCES,
    Move,
    Rule,
    Who,
)


class Reach(Protocol):
    """The part of a scope that says where somebody works."""

    @property
    def areas(self) -> tuple[str, ...]: ...

    @property
    def unrestricted(self) -> bool: ...


class Mover(Protocol):
    """Who moves a case: `contracts.scope.Actor` is one; the domain knows no more of accounts."""

    @property
    def account_id(self) -> UUID: ...

    @property
    def agency_id(self) -> UUID: ...

    @property
    def roles(self) -> frozenset[str]: ...

    @property
    def scope(self) -> Reach: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a case decides its moves. `handlers` are the accounts that started or finished handling."""

    state: State
    source: Source
    area_path: str
    lead_agency_id: UUID | None = None
    handlers: frozenset[UUID] = frozenset()
    county_decides: bool = False


def moves_from(standing: Standing) -> list[Move]:
    """The moves that are legal from here, whoever makes them."""
    return [rule.move for rule in TABLE.values() if _is_legal(rule, standing)]


def legal_moves(standing: Standing, actor: Mover) -> list[Move]:
    """The moves this actor may make now."""
    return [move for move in moves_from(standing) if _objection(TABLE[move], standing, actor) is None]


def decide(standing: Standing, move: str, actor: Mover, given: Mapping[str, Any]) -> tuple[Rule, State]:
    """The rule of a move and the state it leads to; `given` are the command's fields, absent ones None or empty.

    Raises IllegalMove, SelfCheck, NotAllowed, MissingMoveField, InvalidField, in this order.
    """
    legal = moves_from(standing)
    if move not in legal:
        known = [each.value for each in Move]
        raise IllegalMove(
            f"'{move}' is not legal from '{standing.state.value}'." if move in known else f"There is no move '{move}'.",
            field="move",
            expected=", ".join(legal) or None,
            legal_moves=[each.value for each in legal],
            state=standing.state.value,
        )
    rule = TABLE[Move(move)]
    objection = _objection(rule, standing, actor)
    if objection is not None:
        raise objection
    check_fields(rule, given)
    return rule, rule.targets[standing.state]


def check_fields(rule: Rule, given: Mapping[str, Any]) -> None:
    """Raises MissingMoveField or, for a field the move knows nothing of, InvalidField."""
    for name in rule.needs:
        if _absent(given.get(name)):
            raise MissingMoveField(f"'{rule.move.value}' needs '{name}'.", field=name, expected=", ".join(rule.needs))
    allowed = {*rule.needs, *rule.accepts}
    for name in MOVE_FIELDS:
        if name not in allowed and not _absent(given.get(name)):
            raise InvalidField(
                f"'{rule.move.value}' does not take '{name}'.",
                field=name,
                expected=", ".join(sorted(allowed)) or "no such field",
            )


def in_areas(actor: Mover, area_path: str) -> bool:
    """Whether a path lies in the actor's own areas; taking part from elsewhere is not enough."""
    return actor.scope.unrestricted or any(is_within(area_path, root) for root in actor.scope.areas)


def require_role(actor: Mover, roles: Collection[str], what: str) -> None:
    """Raises NotAllowed naming the roles that may."""
    if actor.roles.isdisjoint(roles):
        raise NotAllowed(f"{what} needs another role.", expected=", ".join(sorted(roles)))


def _is_legal(rule: Rule, standing: Standing) -> bool:
    if standing.state not in rule.targets:
        return False
    unverified = rule.move is Move.REGISTER and standing.state is State.REPORTED
    return not unverified or standing.source in TRUSTED_SOURCES


def _objection(rule: Rule, standing: Standing, actor: Mover) -> NotAllowed | SelfCheck | None:
    if rule.who is Who.NOT_HANDLER and _handled(standing, actor):
        return SelfCheck()  # before the role: whoever handled it hears the true reason
    county_only = rule.move is Move.DISPATCH and standing.county_decides
    roles = COUNTY if county_only else rule.roles
    if actor.roles.isdisjoint(roles):
        return NotAllowed(f"'{rule.move.value}' needs another role.", expected=", ".join(sorted(roles)))
    if rule.who is Who.LEAD:
        if actor.agency_id != standing.lead_agency_id:
            return NotAllowed(f"Only the lead agency makes the move '{rule.move.value}'.")
        return None
    if not in_areas(actor, standing.area_path):
        return NotAllowed(f"The case lies outside your areas: '{rule.move.value}' is not yours to make.")
    return None


def _handled(standing: Standing, actor: Mover) -> bool:
    # The whole lead agency is the handler: a colleague's signature is not a check by somebody else.
    return actor.account_id in standing.handlers or actor.agency_id == standing.lead_agency_id


def _absent(value: Any) -> bool:
    return value is None or value in ("", (), [])
