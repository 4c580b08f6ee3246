"""notify on a real database: events for the journal, a real receiver, a sender in this process."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiohttp import web
from sqlalchemy import Engine, text
from standardwebhooks import Webhook

from backbone import database as db
from backbone.outbox import Event, received
from contracts.envelope import Envelope
from contracts.notify.commands import CreateSubscription, Subscription
from contracts.registry import event_class
from contracts.scope import Actor, Role, Scope, Sensitivity
from services.notify import reactions
from services.notify.commands import subscriptions
from services.notify.commands.secrets import Seal
from services.notify.commands.settings import NotifySettings
from services.notify.domain.targets import TargetPolicy
from services.notify.sender.posting import Poster
from services.notify.sender.sender import Sender

COUNTY = "330499/"
TOWN = "330499/330499101/"
OTHER_TOWN = "330499/330499102/"
ANYWHERE = TargetPolicy(allow_private=True)
SEAL = Seal("0123456789abcdef" * 3)


def case_event(
    case_id: UUID | None = None,
    version: int = 1,
    *,
    fact: str = "reported",
    area_path: str = TOWN,
    category: str = "fire.exit",
    sensitivity: int = 1,
    lead: UUID | None = None,
) -> Event[Any]:
    """A case's event as the journal receives it."""
    case_id = case_id or uuid4()
    now = datetime.now(UTC)
    data = {
        "case_id": str(case_id),
        "case_no": "330499-20250101-00001",
        "kind": "hazard",
        "category": category,
        "source": "public",
        "state": "reported",
        "grade": "general",
        "sensitivity": sensitivity,
        "area_path": area_path,
        "boundary_version": 1,
        "unassigned": False,
        "lon": 120.7,
        "lat": 30.8,
        "lead_agency_id": str(lead) if lead else None,
        "occurred_at": now.isoformat(),
        "reported_at": now.isoformat(),
        "move": "report",
    }
    event_type = f"county.hazards.case.{fact}.v1"
    envelope = Envelope(
        id=db.new_id(),
        source="/pingan/330499/hazards",
        type=event_type,
        subject=f"case/{case_id}",
        time=now,
        areapath=area_path,
        sensitivity=sensitivity,
        entityversion=version,
        occurredat=now,
        correlationid="test",
        data=data,
    )
    return received(envelope, event_class(event_type).model_validate(data))


def actor_of(
    areas: tuple[str, ...] = (COUNTY,),
    *,
    account_id: UUID | None = None,
    agency_id: UUID | None = None,
    role: Role = Role.COUNTY_OPERATOR,
    ceiling: Sensitivity = Sensitivity.INTERNAL,
    categories: frozenset[str] | None = None,
) -> Actor:
    agency = agency_id or uuid4()
    scope = Scope(areas=areas, ceiling=ceiling, categories=categories, agency_id=agency)
    return Actor(account_id or uuid4(), agency, frozenset({role}), scope)


@pytest.fixture
def engine(settings_env: dict[str, str]) -> Iterator[Engine]:
    """As role notify_app."""
    made = db.engine(settings_env["PINGAN_NOTIFY_DATABASE_URL"], pool_size=10)
    yield made
    made.dispose()


@pytest.fixture
def journal(engine: Engine) -> Callable[..., int]:
    """Writes events into the journal, one transaction."""

    def write(*events: Event[Any]) -> int:
        with db.transaction(engine) as session:
            return reactions.record(session, events)

    return write


@pytest.fixture
def subscribe(engine: Engine) -> Callable[..., Subscription]:
    def make(url: str, actor: Actor | None = None, types: tuple[str, ...] = ("*",), **more: Any) -> Subscription:
        command = CreateSubscription(subscription_id=uuid4(), url=url, types=types, **more)
        with db.transaction(engine) as session:
            return subscriptions.create(session, actor or actor_of(), command, seal=SEAL, targets=ANYWHERE)

    return make


@pytest.fixture
def rows(engine: Engine) -> Callable[..., list[Any]]:
    """Rows of a statement."""

    def fetch(statement: str, **values: Any) -> list[Any]:
        with db.transaction(engine) as session:
            return list(session.execute(text(statement), values))

    return fetch


@dataclasses.dataclass
class Call:
    path: str
    headers: dict[str, str]
    body: str
    at: float

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]


Answer = Callable[[Call], web.Response | Awaitable[web.Response]]


class Receiver:
    """A webhook receiver: keeps every call, answers as told for its path (200 otherwise)."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answers: dict[str, Answer] = {}
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(request.path, headers, await request.text(), asyncio.get_running_loop().time())
        self.calls.append(call)
        answer = self.answers.get(request.path)
        if answer is None:
            return web.Response()
        found = answer(call)
        return found if isinstance(found, web.Response) else await found

    def at(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]

    def verified(self, path: str, secret: str) -> list[Call]:
        """The calls of a path; raises when a signature does not hold."""
        for call in self.at(path):
            Webhook(secret).verify(call.body, call.headers)
        return self.at(path)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/{tail:.*}", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


Sending = Callable[..., contextlib.AbstractAsyncContextManager[Sender]]


@pytest.fixture
def sending(settings_env: dict[str, str], engine: Engine) -> Sending:
    """`async with sending():` runs a sender with short waits."""

    @contextlib.asynccontextmanager
    async def run(**settings: Any) -> AsyncIterator[Sender]:
        given = {"poll_s": 0.05, "allow_private_targets": True, "retry_schedule_s": (0.2, 0.2, 0.2), **settings}
        chosen = NotifySettings(**given)
        url = settings_env["PINGAN_NOTIFY_DATABASE_URL"]
        async with (
            asyncpg.create_pool(url, min_size=0, max_size=6) as pool,
            Poster(chosen.targets, timeout_s=chosen.timeout_s) as poster,
        ):
            sender = Sender(pool, engine, poster, SEAL, chosen)
            task = asyncio.create_task(sender.run())
            try:
                yield sender
            finally:
                sender.stop()
                await asyncio.wait_for(task, 20)

    return run


async def eventually(condition: Callable[[], Any], within_s: float = 10.0) -> None:
    """Wait until a condition holds."""
    end = asyncio.get_running_loop().time() + within_s
    while not condition():
        if asyncio.get_running_loop().time() > end:
            pytest.fail(f"not within {within_s} s")
        await asyncio.sleep(0.02)
