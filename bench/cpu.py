"""CPU that one reported case costs, process by process: `python -m bench.cpu [reports]`.

Rates say little on a machine that others use too. The kernel's count of each process's CPU time says more, and
a yardstick, a fixed piece of work measured all the while, takes out what busy neighbours add to it.

A platform of one grid is started on the private servers and measured idle, under as many reports as it takes,
and at a quiet 50/s. Nothing else may use those servers meanwhile: they are counted whole. Servers of one's own:
`PINGAN_INSTANCE=perf make infra`; the same variable then goes before this command.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pathlib
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

from bench import b3_commands, load, place
from infra.local import servers, supervisor
from simulator import demo

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
IDLE_S = 10.0
YARDSTICK_MS = 1.0
PACED_PER_S = 50
CONNECTIONS = 16
MODULES = {
    "gateway": "gateway",
    "hazards": "backbone.runner services.hazards.service",
    "notify": "backbone.runner services.notify.service",
    "notify-sender": "services.notify.sender",
    "relay-1": "backbone.relay",
    "relay-2": "backbone.relay",
    "grid": "backbone.runner services.grid.service",
    "patrol": "backbone.runner services.patrol.service",
    "patrol-ingest": "services.patrol.ingest",
    "worker": "backbone.jobs services.grid.jobs services.hazards.jobs",
}
ANSWERING = ("gateway", "hazards", "broker", "postgres")
"""Who works before the answer; the broker and PostgreSQL work afterwards as well."""

Cpu = dict[str, float]
"""CPU milliseconds since start, by process."""


def main(reports: int) -> None:
    os.environ.update(place.settings())
    with contextlib.ExitStack() as stack:
        files = stack.enter_context(tempfile.TemporaryDirectory())
        _, environment = stack.enter_context(place.platform_parts(files))
        port = place.free_port()
        environment["PINGAN_GATEWAY_PORT"] = str(port)
        pids = {"postgres": servers.postmaster_pid() or 0, "broker": int(supervisor.states()["rabbitmq"]["pid"])}
        for name, module in MODULES.items():
            pids[name] = stack.enter_context(place.process(module, environment, place.free_port())).pid
        url = f"http://127.0.0.1:{port}"
        b3_commands.demo_accounts(environment)
        demo.load(url, county=demo.Given(b3_commands.one_grid()))
        request = b3_commands.report_request(url)
        _reports(url, request, 300, CONNECTIONS)  # caches, pools, compiled statements
        time.sleep(3)

        idle = {name: spent / IDLE_S for name, spent in _spent(pids, lambda: time.sleep(IDLE_S)).items()}
        flood = _per_report(pids, idle, reports, lambda: _reports(url, request, reports, CONNECTIONS))
        paced = _per_report(pids, idle, reports // 4, lambda: asyncio.run(_paced(url, request, reports // 4)))
        _print(flood, paced, idle)


def _per_report(pids: dict[str, int], idle: Cpu, reports: int, work: Callable[[], None]) -> Cpu:
    """CPU ms per report, without what the process would have spent idle; what follows the answer is waited for."""

    def until_settled() -> None:
        work()
        time.sleep(4)

    began = time.monotonic()
    spent = _spent(pids, until_settled)
    seconds = time.monotonic() - began
    return {name: max(0.0, used - idle[name] * seconds) / reports for name, used in spent.items()}


def _spent(pids: dict[str, int], work: Callable[[], None]) -> Cpu:
    """CPU ms that `work` costs each process, as a machine with a yardstick of YARDSTICK_MS would have spent."""
    before, lengths, over = _cpu(pids), [_yardstick()], threading.Event()

    def measure() -> None:
        while not over.wait(0.25):
            lengths.append(_yardstick())

    measuring = threading.Thread(target=measure)
    measuring.start()
    work()
    over.set()
    measuring.join()
    scale = YARDSTICK_MS / statistics.median(lengths)
    print(f"yardstick {statistics.median(lengths):.2f} ms")
    return {name: (used - before[name]) * scale for name, used in _cpu(pids).items()}


def _yardstick() -> float:
    """CPU ms of a fixed piece of work: with busy neighbours on the same core it takes more, as ours does."""
    began = time.thread_time()
    json.loads(json.dumps([{"n": str(n)} for n in range(2000)]))
    return (time.thread_time() - began) * 1000


def _cpu(pids: dict[str, int]) -> Cpu:
    """Of each process and everything below it, ended children included."""
    children: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            pid = int(stat.parent.name)
            children.setdefault(int(fields[1]), []).append(pid)
            ticks[pid] = sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime

    def tree(pid: int) -> int:
        return ticks.get(pid, 0) + sum(tree(child) for child in children.get(pid, ()))

    return {name: tree(pid) * 1000 / TICKS_PER_S for name, pid in pids.items()}


def _reports(url: str, make: Callable[[int], bytes], count: int, connections: int) -> None:
    """So many reports, each connection its next after the answer."""
    numbers = iter(range(count))

    async def client() -> None:
        async with _connection(url) as ask:
            for number in numbers:
                await ask(make(number))

    async def run() -> None:
        await asyncio.gather(*(client() for _ in range(connections)))

    asyncio.run(run())


async def _paced(url: str, make: Callable[[int], bytes], count: int) -> None:
    """So many reports, one each 1/PACED_PER_S second, whatever the answers take."""
    free: asyncio.Queue[Callable[[bytes], Awaitable[None]]] = asyncio.Queue()
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(CONNECTIONS):
            free.put_nowait(await stack.enter_async_context(_connection(url)))

        async def one(number: int) -> None:
            ask = await free.get()
            await ask(make(number))
            free.put_nowait(ask)

        asked = []
        for number in range(count):
            asked.append(asyncio.ensure_future(one(number)))
            await asyncio.sleep(1 / PACED_PER_S)
        await asyncio.gather(*asked)


@contextlib.asynccontextmanager
async def _connection(url: str) -> AsyncIterator[Callable[[bytes], Awaitable[None]]]:
    """Sends one request and reads its answer, which must be 201."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)

    async def ask(request: bytes) -> None:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 201"):
            raise load.UnexpectedStatus(f"{head.splitlines()[0]!r}: {body[:300]!r}")

    try:
        yield ask
    finally:
        writer.close()


def _print(flood: Cpu, paced: Cpu, idle: Cpu) -> None:
    print(f"{'':14} {'flood':>8} {PACED_PER_S:>7}/s   ms CPU per report, and idle in ms a second")
    for name in flood:
        _line(name, flood[name], paced[name], idle[name])
    _line("these four", *(sum(each[name] for name in ANSWERING) for each in (flood, paced, idle)))
    _line("all", *(sum(each.values()) for each in (flood, paced, idle)))


def _line(name: str, *numbers: float) -> None:
    print(f"{name:14} {numbers[0]:8.2f} {numbers[1]:9.2f} {numbers[2]:8.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
