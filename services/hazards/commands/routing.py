"""Routing rules: put inside the actor's own areas, and asked again for the cases that wait."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from backbone import jobs
from backbone.clock import Clock
from backbone.database import Session
from contracts.areas import common_path
from contracts.hazards.commands import PutRoutingRule, RerunRouting, RoutingRule, RoutingRun, Warned
from contracts.hazards.errors import RunIdReused
from contracts.refusals import NotAllowed, StaleVersion
from contracts.scope import Actor, actor_to_json
from services.hazards import placing, records
from services.hazards.commands.putting import put
from services.hazards.domain.makers import RULE_MAKERS
from services.hazards.domain.moves import in_areas, require_role
from services.hazards.domain.routing import GRADES, SOURCES
from services.hazards.tables import categories, projection, routing_rules, routing_runs

REROUTE = "reroute_cases"
RUN = tuple(name for name in RoutingRun.model_fields if name != "run_id")


def put_routing_rule(session: Session, actor: Actor, command: PutRoutingRule, *, clock: Clock) -> RoutingRule:
    """Creates or replaces a rule inside the actor's own areas; says what it shadows and what shadows it.

    Raises NotAllowed, UnknownAgency, StaleVersion.
    """
    require_role(actor, RULE_MAKERS, "Routing")
    _require_inside(actor, command.area_path)
    placing.one_rule_at_a_time(session)
    if command.active:
        placing.require_agency(session, command.agency_id, "agency_id")
        for n, each in enumerate(command.assisting_agency_ids):
            placing.require_agency(session, each, f"assisting_agency_ids.{n}")

    def may_replace(known: records.Row) -> None:
        _require_inside(actor, known["area_path"])
        if command.expected_version not in (None, known["version"]):
            raise StaleVersion(current=_reply(actor, known, {}).model_dump(mode="json"))

    values = _values(command)
    row = put(session, routing_rules, {"id": command.rule_id}, values, may_replace)
    shadows = placing.note_shadows(session)
    warnings = [*_unknown_category(session, command), *_unknown_area(session, command)]
    warnings += _shadow_warnings(session, actor, row["id"], shadows)
    return _reply(actor, row, shadows, tuple(warnings), _visible(session, actor, set(shadows.values())))


def rerun_routing(session: Session, actor: Actor, command: RerunRouting, *, clock: Clock) -> RoutingRun:
    """Notes the run and hands it to the worker. Raises NotAllowed, RunIdReused."""
    require_role(actor, RULE_MAKERS, "Routing")
    if command.area_path is not None:
        _require_inside(actor, command.area_path)
    asked = {"category": command.category, "area_path": command.area_path or _whole(session, actor)}
    made = insert(routing_runs).values(
        id=command.run_id,
        state="queued",
        **asked,
        scope=actor_to_json(actor),
        account_id=actor.account_id,
        agency_id=actor.agency_id,
        created_at=clock(),
        version=1,
    )
    made_now = session.execute(made.on_conflict_do_nothing().returning(routing_runs.c.id)).scalar_one_or_none()
    if made_now is not None:
        jobs.enqueue(session, REROUTE, {"run_id": str(command.run_id)}, job_id=command.run_id)
    row = session.execute(select(routing_runs).where(routing_runs.c.id == command.run_id)).mappings().one()
    if row["account_id"] != actor.account_id or any(row[name] != value for name, value in asked.items()):
        raise RunIdReused(field="run_id")
    return RoutingRun(run_id=row["id"], **{name: row[name] for name in RUN})


def _whole(session: Session, actor: Actor) -> str:
    if actor.scope.areas:
        return common_path(actor.scope.areas)
    current = projection.current(session)
    return current[1] if current is not None else ""


def _require_inside(actor: Actor, area_path: str) -> None:
    if not in_areas(actor, area_path):
        raise NotAllowed("The rule's area is not one of yours.", field="area_path")


def _values(command: PutRoutingRule) -> dict[str, Any]:
    """The row's columns; a list of everything says as much as none."""
    values = command.model_dump(exclude={"rule_id", "expected_version"})
    sources, grades = ([each.value for each in given] for given in (command.sources, command.grades))
    return values | {
        "sources": [] if set(sources) == SOURCES else sources,
        "grades": [] if set(grades) == GRADES else grades,
        "weekdays": [] if len(command.weekdays) == 7 else list(command.weekdays),
        "assisting_agency_ids": list(dict.fromkeys(command.assisting_agency_ids)),
    }


def _reply(
    actor: Actor,
    row: records.Row,
    shadows: dict[UUID, UUID],
    warnings: tuple[Warned, ...] = (),
    visible: frozenset[UUID] = frozenset(),
) -> RoutingRule:
    by = shadows.get(row["id"])
    names = set(RoutingRule.model_fields) - {"rule_id", "shadowed", "shadowed_by", "warnings"}
    return RoutingRule(
        rule_id=row["id"],
        shadowed=by is not None,
        shadowed_by=by if by in visible else None,
        warnings=warnings,
        **{name: row[name] for name in names},
    )


def _visible(session: Session, actor: Actor, rules: set[UUID]) -> frozenset[UUID]:
    """Of these rules those inside the actor's own areas."""
    found = session.execute(select(routing_rules.c.id, routing_rules.c.area_path).where(routing_rules.c.id.in_(rules)))
    return frozenset(row.id for row in found if in_areas(actor, row.area_path))


def _shadow_warnings(session: Session, actor: Actor, rule_id: UUID, shadows: dict[UUID, UUID]) -> list[Warned]:
    found = []
    if rule_id in shadows:
        by = _visible(session, actor, {shadows[rule_id]})
        found.append(
            Warned(
                code="shadowed",
                zh="排在前面的规则已覆盖本规则，本规则永远不会生效",
                en="A rule before this one covers all that it covers: it never decides.",
                rules=tuple(by),
            )
        )
    mine = {rule for rule, by in shadows.items() if by == rule_id}
    if mine:
        found.append(
            Warned(
                code="shadows",
                zh=f"本规则使 {len(mine)} 条排在后面的规则永远不会生效",
                en=f"Because of this rule {len(mine)} rules after it never decide.",
                rules=tuple(sorted(_visible(session, actor, mine)))[:50],
            )
        )
    return found


def _unknown_category(session: Session, command: PutRoutingRule) -> list[Warned]:
    if command.category is None:
        return []
    code = categories.c.code
    below = func.starts_with(code, f"{command.category}.")
    known = select(code).where(categories.c.active, (code == command.category) | below).limit(1)
    if session.execute(known).first() is not None:
        return []
    return [
        Warned(
            code="unknown_category",
            zh="没有启用的类别使用该代码，本规则目前不会匹配任何案件",
            en="No active category has this code or stands below it: the rule matches nothing now.",
        )
    ]


def _unknown_area(session: Session, command: PutRoutingRule) -> list[Warned]:
    current, areas = projection.current(session), projection.areas.c
    if current is None:
        return []
    there = select(areas.path).where(areas.boundary_version == current[0], areas.path == command.area_path).limit(1)
    if session.execute(there).first() is not None:
        return []
    return [
        Warned(
            code="unknown_area",
            zh="现行边界中没有该区域，本规则目前不会匹配任何案件",
            en="The boundary in force has no such area: the rule matches nothing now.",
        )
    ]
