"""The categories a new county starts with, as commands that would be taken; data from then on, never an enum.

Migration 0008 brings exactly this set (a test holds its digest): a change for counties that run already is a new set
under a new migration. No question here is `required`, and the codes of the first set (migration 0001) close without
picture and position, so that clients which know neither go on; a county may tick them.
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

_ALL = (
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
_LENIENT = {"check_on_site": False, "check_photo": False}
DEFAULTS: tuple[PutCategory, ...] = tuple(
    each.model_copy(update=_LENIENT) if each.code in _FIRST else each for each in _ALL
)


def rows() -> list[dict[str, Any]]:
    """The set as rows of the table `categories`, without their versions."""
    return [row_of(command) for command in DEFAULTS]
