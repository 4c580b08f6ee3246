"""Deciding one move: is it legal now, is it this actor's, is everything there?

The order of the answers is fixed: visible (404) and version (412) are the command's, then legal (409), then role,
area and agency (403), then fields (422).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol
from uuid import UUID

from contracts.areas import is_within
from contracts.hazards.errors import IllegalMove, MissingMoveField, ReturnWindowOver, SelfCheck
from contracts.hazards.states import CaseLevel, State
from contracts.refusals import InvalidField, NotAllowed
from services.hazards.domain.machine import (
    CENTRES,
    COUNTY,
    MOVE_FIELDS,
    RETURN_WINDOW,
    TABLE,
    Move,
    Rule,
    Standing,
    Who,
    condition_json,
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
        raise _illegal(standing, move, legal)
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
    return standing.state in rule.targets and all(each.holds(standing) for each in rule.when)


def _illegal(standing: Standing, move: str, legal: list[Move]) -> IllegalMove:
    said: dict[str, Any] = {"legal_moves": [each.value for each in legal], "state": standing.state.value}
    expected = ", ".join(legal) or None
    if move not in set(Move):
        return IllegalMove(f"There is no move '{move}'.", field="move", expected=expected, **said)
    rule = TABLE[Move(move)]
    if standing.state not in rule.targets:
        text = f"'{move}' is not legal from '{standing.state.value}'."
        return IllegalMove(text, field="move", expected=expected, **said)
    unmet = [each for each in rule.when if not each.holds(standing)]
    said["unmet"] = [condition_json(each) for each in unmet]
    if unmet == [RETURN_WINDOW]:
        return ReturnWindowOver(field="move", expected=expected, **said)
    text = f"'{move}' is not legal now: " + "; ".join(each.en for each in unmet) + " does not hold."
    return IllegalMove(text, field="move", expected=expected, **said)


def _objection(rule: Rule, standing: Standing, actor: Mover) -> NotAllowed | SelfCheck | None:
    if rule.who is Who.NOT_HANDLER and _handled(standing, actor):
        return SelfCheck()  # before the role: whoever handled it hears the true reason
    roles = _roles(rule, standing)
    if actor.roles.isdisjoint(roles):
        return NotAllowed(f"'{rule.move.value}' needs another role.", expected=", ".join(sorted(roles)))
    return _not_theirs(rule, standing, actor)


def _roles(rule: Rule, standing: Standing) -> frozenset[str]:
    """Whose centre decides where a case goes depends on the level that it was handed to."""
    if rule.move is Move.HAND_DOWN and standing.level is CaseLevel.COUNTY:
        return COUNTY  # what came to the county for decision goes down again by the county's hand alone
    if rule.move not in (Move.DISPATCH, Move.REASSIGN):
        return rule.roles
    if standing.county_decides:
        return COUNTY
    return rule.roles | {"community_staff"} if standing.level is CaseLevel.VILLAGE else rule.roles


def _not_theirs(rule: Rule, standing: Standing, actor: Mover) -> NotAllowed | None:
    """Why a move is not this actor's, the role aside."""
    who, move = rule.who, rule.move.value
    leads = actor.agency_id == standing.lead_agency_id
    reports = standing.reporter is not None and actor.account_id == standing.reporter
    theirs = {
        Who.LEAD: leads,
        Who.WORKING: leads or actor.agency_id in standing.assisting,
        Who.ASKED: actor.agency_id in standing.asked,
        Who.ASSISTING: actor.agency_id in standing.assisting,
        Who.REPORTER: reports,
    }
    if who in theirs:
        return None if theirs[who] else NotAllowed(f"{_WHOSE[who]} makes the move '{move}'.")
    if (who is Who.AREA_OR_LEAD and leads) or (who is Who.AREA_OR_REPORTER and reports):
        return None
    if who is Who.AREA_OR_REPORTER and (leads or actor.roles.isdisjoint(CENTRES)):
        return NotAllowed(f"Only who reported the case, or a centre that does not lead it, makes the move '{move}'.")
    if not in_areas(actor, standing.area_path):
        return NotAllowed(f"The case lies outside your areas: '{move}' is not yours to make.")
    if who is Who.AREA_NOT_LEAD and leads:
        return NotAllowed(f"The lead agency does not decide on itself: '{move}' is another's.")
    issuer = {Who.SUPERVISOR: standing.supervisor, Who.LISTER: standing.listed_by}.get(who)
    if issuer is not None and actor.agency_id != issuer and actor.roles.isdisjoint(COUNTY):
        return NotAllowed(f"{_WHOSE[who]} makes the move '{move}'.")
    return None


_WHOSE = {
    Who.LEAD: "Only the lead agency",
    Who.WORKING: "Only an agency at work on the case",
    Who.ASKED: "Only an agency that was asked to assist and has not answered",
    Who.ASSISTING: "Only an assisting agency that accepted and has not finished",
    Who.REPORTER: "Only who reported the case",
    Who.SUPERVISOR: "Only the agency that issued the supervision, or the county,",
    Who.LISTER: "Only the agency that listed the case, or the county,",
}


def _handled(standing: Standing, actor: Mover) -> bool:
    # The whole lead agency is the handler: a colleague's signature is not a check by somebody else.
    return actor.account_id in standing.handlers or actor.agency_id == standing.lead_agency_id


def _absent(value: Any) -> bool:
    return value is None or value in ("", (), [])
