"""What a service class is made of: @command, @subscribe, each also `_batch`, @subscribe_stream, @every, offload.

    class HazardsService:
        name = "hazards"

        @command(ReportCase)
        def report_case(self, session, actor, command): ...

nameko holds the class and its life; intake, pools, acks and retries are ours (house.md section 4).
Only services/*/service.py imports this, and only `backbone.runner` starts it.
"""

from __future__ import annotations

from backbone.entrypoints.decorators import (
    command,
    command_batch,
    every,
    offload,
    subscribe,
    subscribe_batch,
    subscribe_stream,
)

__all__ = ["command", "command_batch", "every", "offload", "subscribe", "subscribe_batch", "subscribe_stream"]
