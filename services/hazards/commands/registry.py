"""What cases are routed and named by: external references, routing rules, categories."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.dialects.postgresql import insert

from backbone.clock import Clock
from backbone.database import Session
from contracts.hazards.commands import (
    Case,
    Category,
    ExternalRef,
    LinkExternalRef,
    PutCategory,
    PutRoutingRule,
    RoutingRule,
)
from contracts.refusals import InvalidField, NotAllowed
from contracts.scope import Actor, Role
from services.hazards import placing, records
from services.hazards.commands.moving import visible_case
from services.hazards.commands.reporting import link
from services.hazards.domain.machine import AGENCY
from services.hazards.domain.moves import in_areas, require_role
from services.hazards.tables import categories, routing_rules

RULE_MAKERS = frozenset[str]({Role.COUNTY_ADMIN, Role.COUNTY_OPERATOR, Role.TOWN_OPERATOR})
CATEGORY_MAKERS = frozenset[str]({Role.COUNTY_ADMIN, Role.COUNTY_OPERATOR})


def link_external_ref(session: Session, actor: Actor, command: LinkExternalRef, *, clock: Clock) -> Case:
    """Notes another system's id of a case; a repeat changes nothing.

    The version stays: a reference is a way to find the case, not a change of it. Raises NotVisible, NotAllowed (a
    former agency reads on, no more), DuplicateExternalRef.
    """
    row = visible_case(session, actor, command.case_id)
    require_role(actor, AGENCY, "Linking")
    taking_part = {row["reporting_agency_id"], row["lead_agency_id"], *row["assisting_agency_ids"]}
    if actor.agency_id not in taking_part and not in_areas(actor, row["area_path"]):
        raise NotAllowed("The case lies outside your areas, and your agency takes no part in it any more.")
    link(session, command.case_id, (ExternalRef(system=command.system, id=command.id),), clock())
    return records.reply(session, command.case_id)


def put_routing_rule(session: Session, actor: Actor, command: PutRoutingRule, *, clock: Clock) -> RoutingRule:
    """Creates or replaces a rule inside the actor's own areas. Raises NotAllowed, UnknownAgency."""
    require_role(actor, RULE_MAKERS, "Routing")

    def inside(area_path: str) -> None:
        if not in_areas(actor, area_path):
            raise NotAllowed("The rule's area is not one of yours.", field="area_path")

    inside(command.area_path)
    if command.active:
        placing.require_agency(session, command.agency_id, "agency_id")
    values = command.model_dump(exclude={"rule_id"})
    row = _put(session, routing_rules, {"id": command.rule_id}, values, lambda known: inside(known["area_path"]))
    return RoutingRule(rule_id=row["id"], **{name: row[name] for name in (*values, "version")})


def put_category(session: Session, actor: Actor, command: PutCategory, *, clock: Clock) -> Category:
    """Creates or replaces a category; cases keep the deadline they have. Raises NotAllowed, InvalidField."""
    require_role(actor, CATEGORY_MAKERS, "Categories")

    def same_kind(known: records.Row) -> None:
        if known["kind"] != command.kind.value:
            raise InvalidField("A category keeps its kind.", field="kind", expected=known["kind"])

    values = command.model_dump(mode="json", exclude={"code"})
    return Category(**dict(_put(session, categories, {"code": command.code}, values, same_kind)))


def _put(
    session: Session,
    table: Table,
    key: dict[str, Any],
    values: dict[str, Any],
    may_replace: Callable[[records.Row], None],
) -> records.Row:
    """Inserts at version 1 or replaces at the next one; the same content again changes nothing.

    `may_replace` judges the row that is there, locked, also one that came a moment ago; it raises what it objects to.
    """
    made = insert(table).values(**key, **values, version=1).on_conflict_do_nothing().returning(table)
    row = session.execute(made).mappings().one_or_none()
    if row is not None:
        return row
    known = session.execute(select(table).filter_by(**key).with_for_update()).mappings().one()
    may_replace(known)
    if all(known[name] == value for name, value in values.items()):
        return known
    replaced = update(table).filter_by(**key).values(**values, version=known["version"] + 1).returning(table)
    return session.execute(replaced).mappings().one()
