"""Who acts, and what they may see: frozen values that travel with every command and read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID


class Sensitivity(IntEnum):
    """How guarded a fact is; a scope has a ceiling."""

    OPEN = 0
    INTERNAL = 1
    RESTRICTED = 2
    CONFIDENTIAL = 3


class Role(StrEnum):
    """What an account may do; where it may do it is its scope's matter."""

    COUNTY_ADMIN = "county_admin"
    COUNTY_OPERATOR = "county_operator"
    TOWN_OPERATOR = "town_operator"
    COMMUNITY_STAFF = "community_staff"
    GRID_WORKER = "grid_worker"
    AGENCY_OFFICER = "agency_officer"
    PATROL_OFFICER = "patrol_officer"
    INTEGRATOR = "integrator"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Scope:
    """Area subtrees x categories x sensitivity ceiling x purposes.

    `areas` are area paths (disjoint roots); `categories` None means all;
    `agency_id` opens what that agency takes part in, wherever it lies.
    """

    areas: tuple[str, ...]
    categories: frozenset[str] | None = None
    ceiling: Sensitivity = Sensitivity.INTERNAL
    purposes: frozenset[str] = frozenset()
    agency_id: UUID | None = None
    system_reason: str | None = None

    @classmethod
    def system(cls, reason: str) -> Scope:
        """The platform's own unrestricted scope; allowed only in modules on a tested list."""
        if not reason:
            raise ValueError("a system scope needs a reason")
        return cls(areas=(), ceiling=Sensitivity.CONFIDENTIAL, system_reason=reason)

    @property
    def unrestricted(self) -> bool:
        return self.system_reason is not None


@dataclass(frozen=True, slots=True)
class Actor:
    """An account at work: loaded by the gateway from `access`, carried by every command."""

    account_id: UUID
    agency_id: UUID
    roles: frozenset[Role]
    scope: Scope
    session_id: UUID | None = None

    def has(self, *roles: Role) -> bool:
        return not self.roles.isdisjoint(roles)


def actor_to_json(actor: Actor) -> dict[str, Any]:
    """The wire form of an actor (command header `actor`)."""
    scope = actor.scope
    return {
        "account_id": str(actor.account_id),
        "agency_id": str(actor.agency_id),
        "roles": sorted(actor.roles),
        "session_id": str(actor.session_id) if actor.session_id else None,
        "scope": {
            "areas": list(scope.areas),
            "categories": None if scope.categories is None else sorted(scope.categories),
            "ceiling": int(scope.ceiling),
            "purposes": sorted(scope.purposes),
            "agency_id": str(scope.agency_id) if scope.agency_id else None,
            "system_reason": scope.system_reason,
        },
    }


def actor_from_json(value: dict[str, Any]) -> Actor:
    """Inverse of `actor_to_json`. Raises KeyError or ValueError on a malformed header."""
    scope = value["scope"]
    categories = scope["categories"]
    return Actor(
        account_id=UUID(value["account_id"]),
        agency_id=UUID(value["agency_id"]),
        roles=frozenset(Role(role) for role in value["roles"]),
        session_id=UUID(value["session_id"]) if value.get("session_id") else None,
        scope=Scope(
            areas=tuple(scope["areas"]),
            categories=None if categories is None else frozenset(categories),
            ceiling=Sensitivity(scope["ceiling"]),
            purposes=frozenset(scope["purposes"]),
            agency_id=UUID(scope["agency_id"]) if scope.get("agency_id") else None,
            system_reason=scope.get("system_reason"),
        ),
    )
