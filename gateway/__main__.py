"""`python -m gateway`: serves the API on PINGAN_GATEWAY_PORT; health and metrics on their own port.

On loopback, unless PINGAN_GATEWAY_HOST says otherwise (a pod is called from outside it).
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import Any

import uvicorn

from backbone import telemetry
from backbone.settings import MissingSetting, PlatformSettings
from gateway.app import create_app

LEAVE_TAKING_S = 2.0


class Server(uvicorn.Server):
    """Takes leave of its clients: uvicorn closes idle connections at once, also those with a request on its way.

    Nobody new is let in; who asks meanwhile is answered with `Connection: close`, and goes elsewhere by itself.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        for server in self.servers:
            doors = [socket.socket(fileno=os.dup(each.fileno())) for each in server.sockets]
            server.close()
            for door in doors:
                await self._let_in_and_close(door)
        if self.server_state.connections:
            await asyncio.sleep(LEAVE_TAKING_S)
        await super().shutdown(sockets)

    async def _let_in_and_close(self, door: socket.socket) -> None:
        """Whom the kernel has connected already, and would cut off when the listening socket is closed."""
        door.setblocking(False)
        waiting = []
        with suppress(BlockingIOError):
            while True:
                waiting.append(door.accept()[0])
        door.close()
        for connection in waiting:
            connection.setblocking(False)
            with suppress(OSError):  # gone by itself meanwhile
                await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> asyncio.Protocol:
        protocol: Any = self.config.http_protocol_class
        made: asyncio.Protocol = protocol(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made


def main() -> int:
    settings = PlatformSettings()
    telemetry.configure(settings.process)
    if settings.gateway_port is None:
        raise MissingSetting("the environment variable PINGAN_GATEWAY_PORT is not set")
    app = create_app(settings)
    if settings.health_port is not None:
        telemetry.serve_health(settings.health_port, app.state.parts.watch.checks())
    server = Server(
        uvicorn.Config(
            app,
            host=settings.gateway_host,
            port=settings.gateway_port,
            loop="uvloop",
            http="httptools",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=1024,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=5,
        )
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn handles them itself, and raises them again when it is done: by then a stop has gone well.
        signal.signal(number, lambda *_: None)
    server.run()
    return 0 if server.started else 3


if __name__ == "__main__":
    sys.exit(main())
