"""Categories of cases, put by the county: every put is a version that stays."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from backbone.clock import Clock
from backbone.database import Session, from_json, to_json
from contracts.hazards.commands import Category, PutCategory, Warned
from contracts.hazards.errors import CategoryInUse
from contracts.refusals import InvalidField, StaleVersion
from contracts.scope import Actor
from services.hazards import placing, records
from services.hazards.commands.putting import put
from services.hazards.domain.makers import CATEGORY_MAKERS
from services.hazards.domain.moves import require_role
from services.hazards.domain.short_form import row_of
from services.hazards.tables import agencies, categories, category_versions, jurisdictions, routing_rules

SHOWN = 50
"""So many of what uses a category are named."""
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('hazards.categories'))")


def put_category(session: Session, actor: Actor, command: PutCategory, *, clock: Clock) -> Category:
    """Creates or replaces a category; cases keep the deadline and the version they have.

    Raises NotAllowed, InvalidField (kind, parent, the two forms of its time), UnknownAgency, CategoryInUse,
    StaleVersion.
    """
    require_role(actor, CATEGORY_MAKERS, "Categories")
    values = row_of(command)
    code = values.pop("code")
    # One at a time: a parent that goes and a child that comes are seen in committed rows alone.
    session.execute(_ONE_AT_A_TIME)
    warnings = [*_parent(session, command), *_default_agency(session, command)]
    if not command.active:
        _require_unused(session, code)
        warnings += _jurisdictions(session, code)

    def may_replace(known: records.Row) -> None:
        if known["kind"] != command.kind.value:
            raise InvalidField("A category keeps its kind.", field="kind", expected=known["kind"])
        if command.expected_version not in (None, known["version"]):
            raise StaleVersion(current=_plain(known), field="expected_version")

    row = put(session, categories, {"code": code}, values, may_replace)
    _keep_version(session, actor, row, clock)
    return Category(**dict(row), warnings=tuple(warnings))


def _keep_version(session: Session, actor: Actor, row: records.Row, clock: Clock) -> None:
    version = insert(category_versions).values(
        code=row["code"],
        version=row["version"],
        body=_plain(row),
        at=clock(),
        account_id=actor.account_id,
        agency_id=actor.agency_id,
    )
    session.execute(version.on_conflict_do_nothing())  # the same content again is the same version


def _plain(row: records.Row) -> dict[str, Any]:
    # A column's name is a str of SQLAlchemy's own kind, which no JSON writer takes for a key.
    return dict(from_json(to_json({str(name): value for name, value in row.items()})))


def _parent(session: Session, command: PutCategory) -> list[Warned]:
    """What is wrong above. Raises InvalidField unless the category is there already: a county's own old codes may
    stand below nothing."""
    above = command.code.rpartition(".")[0] or None
    if command.parent not in (None, above):
        raise InvalidField(
            "The category above is what the code's dots say.", field="parent", expected=above or "absent: no dot"
        )
    if above is None:
        return []
    codes = categories.c.code
    known = {
        row.code: row.active
        for row in session.execute(select(codes, categories.c.active).where(codes.in_([above, command.code])))
    }
    if known.get(above) or (not command.active and above in known):
        return []
    if command.code in known and above not in known:
        return [Warned(code="no_parent", zh="上级类别不存在", en=f"There is no category '{above}' above it.")]
    raise InvalidField(
        f"There is no active category '{above}' above it.", field="code", expected=f"put '{above}' first"
    )


def _default_agency(session: Session, command: PutCategory) -> list[Warned]:
    if command.default_agency_id is not None and command.active:
        placing.require_agency(session, command.default_agency_id, "default_agency_id")
    kind = command.default_agency_kind
    if (
        kind is None
        or session.execute(select(agencies.c.id).where(agencies.c.kind == kind, agencies.c.active).limit(1)).first()
    ):
        return []
    return [Warned(code="no_such_agency", zh="没有该类型的在用单位", en=f"There is no active agency of kind '{kind}'.")]


def _below(column: Any, code: str) -> Any:
    return or_(column == code, func.starts_with(column, f"{code}."))


def _require_unused(session: Session, code: str) -> None:
    c, r = categories.c, routing_rules.c
    children = (
        session.execute(
            select(c.code).where(c.active, func.starts_with(c.code, f"{code}.")).order_by(c.code).limit(SHOWN)
        )
        .scalars()
        .all()
    )
    rules = (
        session.execute(select(r.id).where(r.active, _below(r.category, code)).order_by(r.position, r.id).limit(SHOWN))
        .scalars()
        .all()
    )
    if children or rules:
        raise CategoryInUse(field="active", children=list(children), rules=[str(each) for each in rules])


def _jurisdictions(session: Session, code: str) -> list[Warned]:
    law = jurisdictions.c
    number = session.execute(
        select(func.count()).select_from(jurisdictions).where(law.active, _below(law.category, code))
    ).scalar_one()
    if not number:
        return []
    return [Warned(code="jurisdictions_name_it", zh=f"仍有 {number} 条职责范围使用该类别",
                   en=f"{number} jurisdictions still name it.")]  # fmt: skip
