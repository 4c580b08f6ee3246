"""Starts one service: `python -m backbone.runner services.hazards.service`.

Patches the standard library first, waits for broker and database, compares the service's queues with the topology,
then lets nameko hold the service class. SIGTERM drains; the process ends within twenty seconds. Anything fatal ends
it with a non-zero status, for the supervisor to start it again.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":  # before anything else is imported; importing this module patches nothing
    import eventlet

    eventlet.monkey_patch()
    from backbone.entrypoints.waits import make_psycopg_green

    make_psycopg_green()

import importlib
import inspect
import os
import signal
import time
from typing import Any

import eventlet.patcher
from eventlet import GreenPool
from nameko.runners import ServiceRunner
from sqlalchemy import Engine, text

from backbone import telemetry, topology
from backbone.database import Unavailable, engine, transaction
from backbone.entrypoints.host import Host
from backbone.settings import BrokerSettings, DatabaseSettings, PlatformSettings

log = telemetry.logger("runner")

STOP_WITHIN_S = 19.0
STUCK_S = float(os.environ.get("PINGAN_WATCHDOG_SECONDS", "60"))


def service_class(module_path: str) -> type:
    """The one class with a `name` that a service module defines. Raises LookupError."""
    module = importlib.import_module(module_path)
    found = [
        each
        for each in vars(module).values()
        if inspect.isclass(each) and each.__module__ == module.__name__ and isinstance(getattr(each, "name", None), str)
    ]
    if len(found) != 1:
        raise LookupError(f"{module_path} must define exactly one service class with a name, it has {len(found)}")
    return found[0]


class Standing:
    """What /ready says: before there is a host, what the start waits for; then what the host says."""

    def __init__(self) -> None:
        self.host: Host | None = None
        self.waiting: dict[str, bool | str] = {"broker": "not asked yet", "database": "not asked yet"}

    def broker(self) -> bool | str:
        return self.waiting["broker"] if self.host is None else self.host.broker_check()

    def database(self) -> bool | str:
        return self.waiting["database"] if self.host is None else self.host.database_check()


def wait_for_infrastructure(service: str, standing: Standing) -> None:
    """Returns when broker and database both answer; says each round what it waits for. Raises TopologyMismatch."""
    broker_url, pool = BrokerSettings().url, engine(DatabaseSettings.for_service(service).url, pool_size=1)
    found, pause = standing.waiting, 0.2
    while True:
        found |= {"broker": _broker(broker_url, service), "database": _database(pool)}
        missing = {name: why for name, why in found.items() if why is not True}
        if not missing:
            pool.dispose()
            return
        for name, why in missing.items():
            log.warning(f"waiting for the {name}", service=service, error=why, retry_in_s=pause)
        time.sleep(pause)
        pause = min(pause * 2, 5.0)


def _broker(url: str, service: str) -> bool | str:
    try:
        topology.verify(url, service)
    except topology.TopologyMismatch:
        raise
    except Exception as error:  # noqa: BLE001 - amqp's errors have no common base with OSError
        return repr(error)
    return True


def _database(pool: Engine) -> bool | str:
    try:
        with transaction(pool) as session:
            session.execute(text("SELECT 1"))
    except Unavailable as error:
        return str(error)
    return True


def watch(host: Host) -> None:
    """A real thread that ends the process when work waits and nothing moves, or when the hub itself stands still."""
    threading, clock = eventlet.patcher.original("threading"), eventlet.patcher.original("time")
    beat = [clock.monotonic()]

    def turn() -> None:
        while True:
            beat[0] = clock.monotonic()
            eventlet.sleep(1)

    def look() -> None:
        while True:
            clock.sleep(1)
            standing = clock.monotonic() - beat[0]
            if standing > STUCK_S or host.stuck_s > STUCK_S:
                os.write(2, f"watchdog: hub {standing:.0f} s, work {host.stuck_s:.0f} s without progress\n".encode())
                os._exit(70)

    eventlet.spawn_n(turn)
    threading.Thread(target=look, name="watchdog", daemon=True).start()


def host_of(runner: Any) -> Host:
    """The host of the runner's one service."""
    container = next(iter(runner.containers))
    return next(each for each in container.extensions if isinstance(each, Host))


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m backbone.runner services.<name>.service\n")
        return 2
    platform = PlatformSettings()
    telemetry.configure(platform.process)
    cls = service_class(arguments[0])
    service = str(getattr(cls, "name"))  # noqa: B009 - nameko's classes carry it
    standing = Standing()
    if platform.health_port:
        checks = {"broker": standing.broker, "database": standing.database}
        telemetry.serve_health(platform.health_port, checks)
    try:
        wait_for_infrastructure(service, standing)
    except topology.TopologyMismatch as error:
        log.error("the broker has another topology", service=service, mismatch=str(error))
        return topology.MISMATCH_STATUS
    runner = ServiceRunner({})
    runner.add_service(cls)
    host = host_of(runner)
    stopping = GreenPool(2)

    def stop() -> None:
        log.info("stopping", service=service)
        eventlet.spawn_after(STOP_WITHIN_S, os._exit, 75)
        runner.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        # The handler runs inside the hub: the work belongs into a greenlet.
        signal.signal(number, lambda *_: stopping.spawn_n(stop))
    try:
        runner.start()
    except Exception as error:
        log.error("cannot start", service=service, exc_info=error)
        return 1
    standing.host = host
    watch(host)
    try:
        runner.wait()
    except BaseException as error:
        log.error("died", service=service, exc_info=error)
        return 1
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(status)  # nothing is left to do, and a native thread must not hold the end up
