"""The exact states of a case, as tables and the API have them; released events know fewer (ADR 16)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from contracts.hazards.events import ReleasedState


class State(StrEnum):
    """Where a case stands."""

    REPORTED = "reported"
    VERIFIED = "verified"
    REFUSED = "refused"
    REGISTERED = "registered"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    HANDLING = "handling"
    SUSPENDED = "suspended"
    HANDLED = "handled"
    CHECKED = "checked"
    CLOSED = "closed"
    MERGED = "merged"
    VOIDED = "voided"


_NEAREST: Mapping[State, ReleasedState] = MappingProxyType(
    {State.SUSPENDED: ReleasedState.HANDLING, State.MERGED: ReleasedState.VOIDED}
)


def released(state: State) -> ReleasedState:
    """The nearest state that released events know: a suspended case is still being handled, a merged one rests."""
    return _NEAREST.get(state) or ReleasedState(state.value)


class CaseLevel(StrEnum):
    """Which level's centre answers for a case."""

    VILLAGE = "village"
    TOWN = "town"
    COUNTY = "county"


class Supervision(StrEnum):
    """The ladder of supervision (督办): only upwards."""

    YELLOW = "yellow"
    RED = "red"
