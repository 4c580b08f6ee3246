"""Categories of cases, put by the county."""

from __future__ import annotations

from backbone.clock import Clock
from backbone.database import Session
from contracts.hazards.commands import Category, PutCategory
from contracts.refusals import InvalidField
from contracts.scope import Actor, Role
from services.hazards import records
from services.hazards.commands.putting import put
from services.hazards.domain.moves import require_role
from services.hazards.tables import categories

CATEGORY_MAKERS = frozenset[str]({Role.COUNTY_ADMIN, Role.COUNTY_OPERATOR})


def put_category(session: Session, actor: Actor, command: PutCategory, *, clock: Clock) -> Category:
    """Creates or replaces a category; cases keep the deadline they have. Raises NotAllowed, InvalidField."""
    require_role(actor, CATEGORY_MAKERS, "Categories")

    def same_kind(known: records.Row) -> None:
        if known["kind"] != command.kind.value:
            raise InvalidField("A category keeps its kind.", field="kind", expected=known["kind"])

    values = command.model_dump(mode="json", exclude={"code"})
    return Category(**dict(put(session, categories, {"code": command.code}, values, same_kind)))
