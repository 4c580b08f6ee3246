"""Which agency answers: the first routing rule that matches, else the narrowest jurisdiction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from contracts.areas import is_within


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """A dispatcher's rule: `category` None matches all, otherwise itself and what is below it."""

    rule_id: UUID
    position: int
    category: str | None
    area_path: str
    agency_id: UUID


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """An agency answers for a category (None = all) inside an area subtree."""

    agency_id: UUID
    category: str | None
    area_path: str


def category_matches(pattern: str | None, category: str) -> bool:
    """`fire` matches `fire` and `fire.electrical`, not `fireworks`."""
    return pattern is None or category == pattern or category.startswith(f"{pattern}.")


def prefixes(category: str) -> list[str]:
    """`fire.electrical` -> [`fire`, `fire.electrical`]: every pattern that matches it."""
    parts = category.split(".")
    return [".".join(parts[: n + 1]) for n in range(len(parts))]


def responsible_agency(
    category: str,
    area_path: str,
    rules: Iterable[RoutingRule],
    jurisdictions: Iterable[Jurisdiction],
) -> UUID | None:
    """The agency for a case, None when nobody is named.

    Rules by position; then jurisdictions, the narrowest area first, a named category before "all", the more
    exact category before the wider. Ties go to the smaller id, so that every process answers alike.
    """
    fitting = [
        rule for rule in rules if category_matches(rule.category, category) and is_within(area_path, rule.area_path)
    ]
    if fitting:
        return min(fitting, key=lambda rule: (rule.position, rule.rule_id)).agency_id
    answerable = [
        each
        for each in jurisdictions
        if category_matches(each.category, category) and is_within(area_path, each.area_path)
    ]
    if answerable:
        return min(
            answerable, key=lambda each: (-len(each.area_path), -len(each.category or ""), each.agency_id)
        ).agency_id
    return None
