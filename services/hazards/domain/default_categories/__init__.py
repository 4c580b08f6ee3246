"""The categories a new county starts with, as commands that would be taken; data from then on, never an enum.

Migration 0008 brings exactly this set (a test holds its digest): a change for counties that run already is a new set
under a new migration. No question here is `required`, so that clients which know none go on; a county may tick them.
"""

from __future__ import annotations

from contracts.hazards.commands import PutCategory
from services.hazards.domain.default_categories.hazards import CHEMICALS, CONSTRUCTION, FIRE, GAS, TRAFFIC
from services.hazards.domain.default_categories.places import OTHERS, PUBLIC_ORDER, SCHOOLS, WATER
from services.hazards.domain.default_categories.residents import DISPUTES, REQUESTS

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
