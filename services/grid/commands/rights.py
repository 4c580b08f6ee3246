"""Who may write the registry: county administrators and operators, inside their own scope."""

from __future__ import annotations

from uuid import UUID

from backbone.policy import require_visible, visible
from contracts.refusals import NotAllowed
from contracts.scope import Actor, Role


def require_county_role(actor: Actor) -> None:
    """Raises NotAllowed for everybody but the county's administrators and operators, and the platform itself."""
    if not (actor.scope.unrestricted or actor.has(Role.COUNTY_ADMIN, Role.COUNTY_OPERATOR)):
        raise NotAllowed(expected="county_admin or county_operator")


def require_may_write(actor: Actor, *area_paths: str) -> None:
    """Role and scope: every path lies inside the actor's areas. Raises NotAllowed, NotVisible.

    An administrator made before there was any area has a scope without areas, and the whole county to set up.
    """
    require_county_role(actor)
    if sets_up_the_county(actor):
        return
    for path in area_paths:
        require_visible(actor.scope, area_path=path)


def may_see(actor: Actor, area_path: str, *agencies: UUID) -> bool:
    """Whether a fact of this area, in which these agencies take part, is there for the actor."""
    if actor.has(Role.COUNTY_ADMIN) and not actor.scope.areas:
        return True
    return visible(actor.scope, area_path=area_path, agencies=agencies)


def sets_up_the_county(actor: Actor) -> bool:
    """Whether this is an administrator of before there was any area."""
    return actor.has(Role.COUNTY_ADMIN) and not actor.scope.areas
