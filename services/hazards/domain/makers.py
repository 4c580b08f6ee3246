"""Who may change what cases are made of; the names are those of `contracts.scope.Role`."""

from __future__ import annotations

CATEGORY_MAKERS = frozenset({"county_admin", "county_operator"})
RULE_MAKERS = CATEGORY_MAKERS | {"town_operator"}
