"""Who may see what: one rule set, as a boolean and as a SQL predicate.

visible = (area AND category AND sensitivity) OR the scope's agency takes part. The two forms agree,
held by a property test.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Text, Uuid, and_, bindparam, cast, false, func, or_, select, true
from sqlalchemy.sql import ColumnElement

from contracts.areas import path_end
from contracts.refusals import NotVisible
from contracts.scope import Scope


@dataclass(frozen=True, slots=True)
class Visibility:
    """The columns of a table that the rules speak of; None where a table has none."""

    area_path: ColumnElement[str]
    category: ColumnElement[str] | None = None
    sensitivity: ColumnElement[int] | None = None
    agencies: ColumnElement[Any] | None = None


def visible(
    scope: Scope,
    *,
    area_path: str,
    category: str | None = None,
    sensitivity: int = 0,
    agencies: Collection[UUID] = (),
) -> bool:
    """Whether a row with these values may be seen under `scope`."""
    if scope.unrestricted:
        return True
    if scope.agency_id is not None and scope.agency_id in agencies:
        return True
    return (
        any(area_path.startswith(root) for root in scope.areas)
        and (scope.categories is None or category is None or _is_below(category, scope.categories))
        and sensitivity <= scope.ceiling
    )


def require_visible(scope: Scope, **row: Any) -> None:
    """Raises NotVisible, the same answer as for what does not exist."""
    if not visible(scope, **row):
        raise NotVisible()


def predicate(scope: Scope, columns: Visibility) -> ColumnElement[bool]:
    """The same rule in SQL; bind values come from `parameters(scope)`, the form from `shape(scope)`."""
    if scope.unrestricted:
        return true()
    rule = and_(_in_areas(len(scope.areas), columns.area_path), *beside_areas(scope, columns))
    if scope.agency_id is not None and columns.agencies is not None:
        mine = cast(bindparam("scope_agencies"), ARRAY(Uuid))
        rule = or_(rule, columns.agencies.op("@>", is_comparison=True)(mine))
    return rule


def beside_areas(scope: Scope, columns: Visibility) -> list[ColumnElement[bool]]:
    """The part of the rule that speaks of category and sensitivity, for what an index has found in the scope's areas.

    Never alone: `predicate` stands over whatever is shown.
    """
    inside: list[ColumnElement[bool]] = []
    if scope.unrestricted:
        return inside
    if scope.categories is not None and columns.category is not None:
        allowed = func.unnest(cast(bindparam("scope_categories"), ARRAY(Text))).column_valued("allowed")
        below = select(1).where(func.starts_with(columns.category + ".", allowed + ".")).exists()
        inside.append(or_(columns.category.is_(None), below))
    if columns.sensitivity is not None:
        inside.append(columns.sensitivity <= cast(bindparam("scope_ceiling"), Integer))
    return inside


def parameters(scope: Scope) -> dict[str, Any]:
    """Bind values of `predicate`; more than one statement needs is harmless."""
    if scope.unrestricted:
        return {}
    values: dict[str, Any] = {"scope_ceiling": int(scope.ceiling)}
    for n, root in enumerate(scope.areas):
        values[f"scope_area_{n}"] = root
        values[f"scope_end_{n}"] = path_end(root)
    if scope.categories is not None:
        values["scope_categories"] = sorted(scope.categories)
    if scope.agency_id is not None:
        values["scope_agencies"] = [scope.agency_id]
    return values


def shape(scope: Scope) -> tuple[Any, ...]:
    """What of a scope changes the statement's text: part of every query's key."""
    if scope.unrestricted:
        return ("system",)
    return (len(scope.areas), scope.categories is not None, scope.agency_id is not None)


def rls_settings(scope: Scope) -> dict[str, str]:
    """`SET LOCAL` values that row policies for `gateway_read` read: area roots and the agency."""
    return {
        "pingan.scope_areas": "*" if scope.unrestricted else ",".join(scope.areas),
        "pingan.scope_agency": str(scope.agency_id or ""),
    }


def _is_below(category: str, allowed: Collection[str]) -> bool:
    """Whether a category is one of those allowed or stands below one in the tree (`fire` holds `fire.charging`)."""
    return any(f"{category}.".startswith(f"{each}.") for each in allowed)


def _in_areas(count: int, column: ColumnElement[str]) -> ColumnElement[bool]:
    if not count:
        return false()
    return or_(
        *(
            and_(
                column >= cast(bindparam(f"scope_area_{n}"), Text),
                column < cast(bindparam(f"scope_end_{n}"), Text),
            )
            for n in range(count)
        )
    )
