"""The categories a new county starts with, as commands that would be taken; data from then on, never an enum.

Migrations 0008 and 0013 bring exactly this set (a test holds the digests): a change for counties that run already is a
new migration. No question here is `required`, so that clients which ask none go on.
"""

from __future__ import annotations

from typing import Any

from contracts.hazards.commands import PutCategory
from services.hazards.domain.categories import SEED
from services.hazards.domain.default_categories.fire import FIRE, GAS
from services.hazards.domain.default_categories.places import OTHERS, PUBLIC_ORDER, SCHOOLS, WATER
from services.hazards.domain.default_categories.residents import DISPUTES, REQUESTS
from services.hazards.domain.default_categories.works import CHEMICALS, CONSTRUCTION, TRAFFIC
from services.hazards.domain.short_form import row_of

DEFAULTS: tuple[PutCategory, ...] = (
    *FIRE,
    *GAS,
    *CHEMICALS,
    *CONSTRUCTION,
    *TRAFFIC,
    *PUBLIC_ORDER,
    *SCHOOLS,
    *WATER,
    *OTHERS,
    *DISPUTES,
    *REQUESTS,
)
_FIRST = {seed.code for seed in SEED}
_UNCHECKED = {"check_on_site": False, "check_photo": False}


def first_rows() -> list[dict[str, Any]]:
    """What migration 0008 brings: codes of the very first set still closed without picture and position."""
    return [row_of(each.model_copy(update=_UNCHECKED) if each.code in _FIRST else each) for each in DEFAULTS]


def first_checks() -> list[dict[str, Any]]:
    """How migration 0013 has those checked: their rows whole."""
    return [row_of(each) for each in DEFAULTS if each.code in _FIRST and (each.check_on_site or each.check_photo)]


def rows() -> list[dict[str, Any]]:
    """The set as rows of the table `categories`, without their versions."""
    return [row_of(command) for command in DEFAULTS]
