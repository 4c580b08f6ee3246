"""The list: what keeps events, commands, sight, the edge, deliveries, facts, histories, lists, intake and places."""

from __future__ import annotations

from tests.mutants.guards import (
    clocks,
    commands,
    edge,
    events,
    facts,
    histories,
    intake,
    lists,
    outbox,
    places,
    routing,
    sight,
    staff,
    watching,
    webhooks,
)

GUARDS = (
    *events.GUARDS,
    *outbox.GUARDS,
    *commands.GUARDS,
    *sight.GUARDS,
    *edge.GUARDS,
    *webhooks.GUARDS,
    *facts.GUARDS,
    *histories.GUARDS,
    *staff.GUARDS,
    *places.GUARDS,
    *clocks.GUARDS,
    *routing.GUARDS,
    *intake.GUARDS,
    *lists.GUARDS,
    *watching.GUARDS,
)
