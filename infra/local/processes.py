"""The one list of what runs: name, command, stage. The supervisor's configuration is generated from it.

Stages start upwards and stop downwards: servers (0, 1), relay (2), services and workers (3), gateway (4).
"""

import dataclasses
import sys

from infra.local import place, servers
from infra.local.place import CHECKOUT

PYTHON = str(CHECKOUT / ".venv" / "bin" / "python")


@dataclasses.dataclass(frozen=True)
class Process:
    """One supervised process; `module` for the platform's own, `command` for a server."""

    name: str
    stage: int
    module: str = ""
    command: tuple[str, ...] = ()
    user: str = ""
    stop_signal: str = "TERM"

    @property
    def is_ours(self) -> bool:
        return bool(self.module)

    @property
    def argv(self) -> list[str]:
        return list(self.command) or [PYTHON, "-m", "infra.local.launch", self.name]

    @property
    def health_port(self) -> int:
        return place.ports()[f"health-{self.name}"]


PLATFORM = (
    Process("relay-1", 2, "backbone.relay"),
    Process("relay-2", 2, "backbone.relay"),
    Process("grid", 3, "backbone.runner services.grid.service"),
    Process("hazards", 3, "backbone.runner services.hazards.service"),
    Process("patrol", 3, "backbone.runner services.patrol.service"),
    Process("notify", 3, "backbone.runner services.notify.service"),
    Process("patrol-ingest", 3, "services.patrol.ingest"),
    Process("notify-sender", 3, "services.notify.sender"),
    Process("worker", 3, "backbone.jobs services.grid.jobs services.hazards.jobs"),
    Process("gateway", 4, "gateway"),
)


def server_processes() -> tuple[Process, ...]:
    """PostgreSQL and RabbitMQ, with the Erlang port mapper of our own."""
    return (
        Process("postgres", 0, command=tuple(servers.postgres_command()), user="postgres", stop_signal="INT"),
        Process("epmd", 0, command=tuple(servers.epmd_command()), user="rabbitmq"),
        Process("rabbitmq", 1, command=tuple(servers.rabbitmq_command()), user="rabbitmq"),
    )


SERVER_NAMES = ("postgres", "epmd", "rabbitmq")


def all_processes() -> tuple[Process, ...]:
    return (*server_processes(), *PLATFORM)


if __name__ == "__main__":
    for process in PLATFORM:
        sys.stdout.write(f"{process.stage}  {process.name:14} python -m {process.module}\n")
