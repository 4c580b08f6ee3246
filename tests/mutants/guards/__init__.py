"""The list: what keeps events, commands, sight, the edge, deliveries, facts and places right, one line each."""

from __future__ import annotations

from tests.mutants.guards import clocks, commands, edge, events, facts, outbox, places, routing, sight, staff, webhooks

GUARDS = (
    *events.GUARDS,
    *outbox.GUARDS,
    *commands.GUARDS,
    *sight.GUARDS,
    *edge.GUARDS,
    *webhooks.GUARDS,
    *facts.GUARDS,
    *staff.GUARDS,
    *places.GUARDS,
    *clocks.GUARDS,
    *routing.GUARDS,
)
