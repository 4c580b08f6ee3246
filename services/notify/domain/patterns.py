"""Type patterns of a subscription against an event's routing key; the SQL form is in `queries`.

`*` matches all, `hazards.*` and `hazards.case.*` what begins so, `hazards.case.closed` that one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from contracts.areas import is_within


def matches(pattern: str, routing_key: str) -> bool:
    """Whether one pattern matches one routing key."""
    if pattern == "*":
        return True
    if pattern.endswith(".*"):
        return routing_key.startswith(pattern[:-1])
    return routing_key == pattern


def asks_for(categories: Collection[str] | None, category: str | None) -> bool:
    """Whether a filter by categories takes one: itself or one above it, as everywhere (`fire` takes `fire.exit`).

    None takes all; what has no category is taken by None alone.
    """
    if categories is None or category is None:
        return categories is None
    return category in categories or any(category.startswith(f"{each}.") for each in categories)


def unmatchable(patterns: Iterable[str], routing_keys: Iterable[str]) -> list[str]:
    """The patterns that match none of `routing_keys`."""
    keys = tuple(routing_keys)
    return [pattern for pattern in patterns if not any(matches(pattern, key) for key in keys)]


@dataclass(frozen=True, slots=True)
class Filter:
    """What a subscription asks for; its rights are another matter. None means all, a category what is below it too."""

    types: tuple[str, ...]
    area_path: str | None = None
    categories: frozenset[str] | None = None

    def matches(self, *, routing_key: str, area_path: str, category: str | None) -> bool:
        """An event without a category never matches a filter that names categories."""
        return (
            any(matches(pattern, routing_key) for pattern in self.types)
            and (self.area_path is None or is_within(area_path, self.area_path))
            and asks_for(self.categories, category)
        )
