"""The public desk: as whom the platform takes reports without an account, and what can be reported so.

The account behind them is nobody's: no one can sign in to it, and nothing of the sender is kept.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

import orjson

from backbone.database import new_id
from contracts.scope import Actor, Role, Scope
from gateway.follow_page import report_form
from gateway.parts import Parts
from gateway.place_codes import PATH
from gateway.problems import Problem
from services.hazards import queries

_SYSTEM = Scope.system("a report without an account: its categories, and the centre that answers for it")
DESK_ACCOUNT = UUID("00000000-0000-7000-8000-0000000000d5")
"""The account of what the public reports; it is in no table of accounts."""
_NO_AGENCY = UUID(int=0)
_OPEN = 1
"""Categories of a higher sensitivity are reported by people who sign in."""


async def desk(platform: Parts) -> Actor:
    """Who reports in the platform's books: nobody's account, at the county's centre; it sees nothing by area.

    Raises Problem public_reports_closed where the county has no centre.
    """
    rows = await platform.reads.rows("hazards", queries.public_desk(_SYSTEM))
    if not rows:
        raise Problem("public_reports_closed")
    agency = UUID(int=rows[0]["agency_id"].int)
    return Actor(DESK_ACCOUNT, agency, frozenset({Role.INTEGRATOR}), Scope(areas=(), agency_id=agency))


def holder(code: str) -> Actor:
    """Who holds a follow code: no agency, no role, no sight; keys of idempotency are each code's own."""
    return Actor(uuid5(DESK_ACCOUNT, code), _NO_AGENCY, frozenset(), Scope(areas=(), agency_id=None))


async def public_categories(platform: Parts) -> list[dict[str, Any]]:
    """What can be reported without an account: categories that are flagged `public`, as far as this form goes.

    Not sensitive ones; not disputes, whose parties come in person; none that insists on answers, which it does not ask.
    """
    rows = await platform.reads.rows("hazards", queries.categories(_SYSTEM, whole=True, public=True, active=True))
    return [each for each in (orjson.loads(row["body"]) for row in rows) if _is_open(each)]


def _is_open(category: dict[str, Any]) -> bool:
    asks = any(question.get("required") for question in category["questions"])
    return category["sensitivity"] <= _OPEN and category["kind"] != "dispute" and not asks


async def form_of(platform: Parts, token: str) -> str:
    """The form under a place's card, as HTML; empty where nobody would answer."""
    if not await platform.reads.rows("hazards", queries.public_desk(_SYSTEM)):
        return ""
    return report_form(await public_categories(platform), str(new_id()), f"{PATH}{token}/reports")
