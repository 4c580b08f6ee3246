"""What cases are routed and named by: external references, routing rules, categories."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
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
    """Notes another system's id of a case; a repeat changes nothing. Raises NotVisible, DuplicateExternalRef.

    The version stays: a reference is a way to find the case, not a change of it.
    """
    visible_case(session, actor, command.case_id)
    require_role(actor, AGENCY, "Linking")
    link(session, command.case_id, (ExternalRef(system=command.system, id=command.id),), clock())
    return records.reply(session, command.case_id)


def put_routing_rule(session: Session, actor: Actor, command: PutRoutingRule, *, clock: Clock) -> RoutingRule:
    """Creates or replaces a rule inside the actor's own areas. Raises NotAllowed, UnknownAgency."""
    require_role(actor, RULE_MAKERS, "Routing")
    known = session.execute(
        select(routing_rules).where(routing_rules.c.id == command.rule_id).with_for_update()
    ).one_or_none()
    for area_path in {command.area_path, known.area_path if known else command.area_path}:
        if not in_areas(actor, area_path):
            raise NotAllowed("The rule's area is not one of yours.", field="area_path")
    if command.active:
        placing.require_agency(session, command.agency_id, "agency_id")
    values = command.model_dump(exclude={"rule_id"})
    row = _put(session, routing_rules, {"id": command.rule_id}, values)
    return RoutingRule(rule_id=row["id"], **{name: row[name] for name in (*values, "version")})


def put_category(session: Session, actor: Actor, command: PutCategory, *, clock: Clock) -> Category:
    """Creates or replaces a category; cases keep the deadline they have. Raises NotAllowed, InvalidField."""
    require_role(actor, CATEGORY_MAKERS, "Categories")
    known = session.execute(select(categories).where(categories.c.code == command.code).with_for_update()).one_or_none()
    if known is not None and known.kind != command.kind.value:
        raise InvalidField("A category keeps its kind.", field="kind", expected=known.kind)
    values = command.model_dump(mode="json", exclude={"code"})
    row = _put(session, categories, {"code": command.code}, values)
    return Category(**dict(row))


def _put(session: Session, table: Any, key: dict[str, Any], values: dict[str, Any]) -> Any:
    """Inserts at version 1 or replaces at the next one; the same content again changes nothing."""
    statement = insert(table).values(**key, **values, version=1)
    changed = [table.c[name].is_distinct_from(value) for name, value in values.items()]
    statement = statement.on_conflict_do_update(
        index_elements=list(key),
        set_={**values, "version": table.c.version + 1},
        where=_any(changed),
    )
    session.execute(statement)
    return session.execute(select(table).filter_by(**key)).mappings().one()


def _any(conditions: list[Any]) -> Any:
    whole = conditions[0]
    for condition in conditions[1:]:
        whole = whole | condition
    return whole
