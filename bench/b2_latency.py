"""B2: from a report's request to its answer, to the listener of the event stream, to the webhook's receiver.

The whole set of processes, one gateway, a token, a stream and a subscription with an area filter. First one
report every two seconds on a platform at rest, then a steady PER_S, each request at its time whatever the
others take; all times from the moment its request is written, all on one clock of one process.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import orjson

from bench import b3_commands, load, place
from bench.cpu import MODULES
from bench.harness import QUICK
from simulator import demo, staff

PER_S = 20 if QUICK else 100
SECONDS = 2 if QUICK else 30
COLD = 2 if QUICK else 15
COLD_EVERY_S = 2.0
WARM = 100
CONNECTIONS = 64
SETTLE_S = 30.0
P50_MS, P99_MS = 30.0, 150.0
REPORTED = b"event: county.hazards.case.reported.v1"


@dataclass(frozen=True, slots=True)
class Row:
    """Milliseconds of one way out, of all reports of one kind; `missing` were refused, or never came."""

    name: str
    times_ms: tuple[float, ...]
    missing: int
    must: tuple[float, float] | None = None

    def quantile(self, q: float) -> float:
        ordered = sorted(self.times_ms) or [float("inf")]
        return ordered[min(int(q * len(ordered)), len(ordered) - 1)]

    @property
    def verdict(self) -> str:
        if self.must is None or QUICK:
            return "-"
        within = self.quantile(0.5) <= self.must[0] and self.quantile(0.99) <= self.must[1]
        return "ok" if within and not self.missing else "below"


@dataclass(slots=True)
class Clocks:
    """When each case was asked for, answered, heard and received: by its id, in seconds of one clock."""

    sent: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    heard: dict[str, float] = field(default_factory=dict)
    received: dict[str, float] = field(default_factory=dict)
    refused: int = 0
    late_s: float = 0.0

    def rows(self, kind: str, *, must_p50_only: bool = False) -> list[Row]:
        must = (P50_MS, float("inf") if must_p50_only else P99_MS)
        return [
            self._row(f"{kind}: answer 201", self.answered, None),
            self._row(f"{kind}: event stream", self.heard, must),
            self._row(f"{kind}: webhook", self.received, must),
        ]

    def _row(self, name: str, came: dict[str, float], must: tuple[float, float] | None) -> Row:
        times = tuple((came[case] - sent) * 1000 for case, sent in self.sent.items() if case in came)
        return Row(f"B2 {name}", times, self.refused + len(self.sent) - len(times), must)


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as files, place.platform_parts(files) as (_, environment):
        port = place.free_port()
        environment |= {"PINGAN_GATEWAY_PORT": str(port), "PINGAN_NOTIFY_ALLOW_PRIVATE_TARGETS": "1"}
        url = f"http://127.0.0.1:{port}"
        with _platform(environment):
            b3_commands.demo_accounts(environment)
            demo.load(url, county=demo.Given(b3_commands.one_grid()))
            return asyncio.run(_measure(url))


def table(rows: list[Row]) -> str:
    """The table as text."""
    lines = [f"{'bench':<32} {'p50':>8} {'p90':>8} {'p99':>8} {'max':>8}  ms    n  missing  asked"]
    for row in rows:
        asked = "-"
        if row.must is not None:
            asked = f"p50 <= {row.must[0]:.0f}" + (f", p99 <= {row.must[1]:.0f}" if row.must[1] < 1e9 else "")
        times = " ".join(f"{row.quantile(q):8.1f}" for q in (0.5, 0.9, 0.99, 1.0))
        lines.append(f"{row.name:<32} {times} {len(row.times_ms):8d} {row.missing:8d}  {asked}: {row.verdict}")
    return "\n".join(lines)


@contextlib.contextmanager
def _platform(environment: dict[str, str]) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for module in MODULES.values():
            stack.enter_context(place.process(module, environment, place.free_port()))
        yield


async def _measure(url: str) -> list[Row]:
    clocks = [Clocks(), Clocks(), Clocks()]
    now = clocks[0]

    def heard(case: str) -> None:
        now.heard.setdefault(case, time.perf_counter())

    def received(case: str) -> None:
        now.received.setdefault(case, time.perf_counter())

    county, area = await asyncio.to_thread(_token, url, "county"), "330499/"
    async with contextlib.AsyncExitStack() as stack:
        hook = await stack.enter_async_context(_receiver(received))
        body = {"url": hook, "types": ["hazards.case.*"], "area_path": area}
        await asyncio.to_thread(_post, f"{url}/v1/subscriptions", county, body)
        await stack.enter_async_context(_listener(url, county, area, heard))
        request = await asyncio.to_thread(b3_commands.report_request, url)
        asking = [_Connection(url) for _ in range(CONNECTIONS)]
        plan = ((WARM, 0.02), (COLD, COLD_EVERY_S), (PER_S * SECONDS, 1 / PER_S))
        for now, (count, every_s) in zip(clocks, plan, strict=True):
            await asyncio.sleep(3)
            await _paced(now, asking, request, count, every_s)
    if clocks[2].late_s > 0.01:
        print(f"a request was sent up to {clocks[2].late_s * 1000:.0f} ms after its time: the bench itself waited")
    return [*clocks[2].rows(f"{PER_S}/s"), *clocks[1].rows("at rest", must_p50_only=True)]


async def _paced(clocks: Clocks, asking: list[_Connection], request: load.Request, count: int, every_s: float) -> None:
    """So many reports, each at its time; then waits until all have been heard of, or SETTLE_S."""
    free: asyncio.LifoQueue[_Connection] = asyncio.LifoQueue()  # the one used last is open still
    for each in asking:
        free.put_nowait(each)

    async def one(number: int) -> None:
        connection = await free.get()
        payload = request(number)
        began = time.perf_counter()
        case = await connection.ask(payload)
        if case is None:
            clocks.refused += 1
        else:
            clocks.sent[case], clocks.answered[case] = began, time.perf_counter()
        free.put_nowait(connection)

    start, tasks = time.perf_counter(), []
    for number in range(count):
        await asyncio.sleep(start + number * every_s - time.perf_counter())
        clocks.late_s = max(clocks.late_s, time.perf_counter() - start - number * every_s)
        tasks.append(asyncio.create_task(one(number)))
    await asyncio.gather(*tasks)
    for _ in range(round(SETTLE_S / 0.1)):
        if clocks.sent.keys() <= clocks.heard.keys() & clocks.received.keys():
            break
        await asyncio.sleep(0.1)


class _Connection:
    """One keep-alive connection that reports cases, one after another; opened anew when the server has closed it."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> str | None:
        """The new case's id; None when the platform had no time for it (503)."""
        if self._streams is None or self._streams[0].at_eof():
            self._streams = await asyncio.open_connection(self._address.hostname, self._address.port)
        reader, writer = self._streams
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(_length(head))
        if head.startswith(b"HTTP/1.1 503"):
            return None
        if not head.startswith(b"HTTP/1.1 201"):
            raise load.UnexpectedStatus(f"{head.splitlines()[0]!r}: {body[:300]!r}")
        return str(orjson.loads(body)["case_id"])


@contextlib.asynccontextmanager
async def _receiver(received: load.Noted) -> AsyncIterator[str]:
    """A webhook's receiver that answers 204 at once; its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                _note(await reader.readexactly(_length(head)), received)
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"


@contextlib.asynccontextmanager
async def _listener(url: str, token: str, area: str, heard: load.Noted) -> AsyncIterator[None]:
    """Listens to the event stream; ready when the first line has come."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=2**22)
    lines = (f"GET /v1/events/stream?area_path={area} HTTP/1.1", f"Host: {parts.netloc}")
    writer.write("\r\n".join((*lines, f"Authorization: Bearer {token}", "", "")).encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise load.UnexpectedStatus(repr(head.splitlines()[0]))
    await reader.readuntil(b": here")

    async def listen() -> None:
        kind = b""
        while line := await reader.readline():
            if line.startswith(b"event: "):
                kind = line.strip()
            elif line.startswith(b"data: ") and kind == REPORTED:
                _note(line[6:], heard)

    listening = asyncio.create_task(listen())
    try:
        yield
    finally:
        listening.cancel()
        writer.close()


def _note(event: bytes, noted: load.Noted) -> None:
    envelope = orjson.loads(event)
    if envelope["type"] == "county.hazards.case.reported.v1":
        noted(envelope["subject"].partition("/")[2])


def _length(head: bytes) -> int:
    found = head.lower().partition(b"content-length:")[2]
    return int(found.split(b"\r\n")[0]) if found else 0


def _token(url: str, login: str) -> str:
    form = {"grant_type": "password", "username": login, "password": staff.PASSWORD.format(login=login)}
    answer = httpx.post(f"{url}/v1/auth/token", data=form, trust_env=False).raise_for_status()
    return str(answer.json()["access_token"])


def _post(url: str, token: str, body: object) -> None:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())}
    httpx.post(url, json=body, headers=headers, timeout=30, trust_env=False).raise_for_status()
