"""What the gateway is made of, built once when it starts and reachable from each request."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from backbone.batches import BatchPublisher
from backbone.clock import Clock, process_clock, system_clock
from backbone.hints import JOURNAL, Ear
from backbone.listeners import Listeners
from backbone.rpc import CommandClient
from backbone.settings import SERVICES, BrokerSettings, DatabaseSettings, PlatformSettings, PublicSettings
from contracts.scope import Scope
from gateway.access import retention
from gateway.access.following import Following
from gateway.access.telling import Telling
from gateway.auth.actors import Actors, SessionGone
from gateway.auth.login import AddressLimit, Login
from gateway.auth.tokens import Claims, Tokens
from gateway.batch_ids import BatchIds
from gateway.cells import CurrentCells
from gateway.health import Watch
from gateway.personal import ReadAudit
from gateway.place_codes import PlaceCodes
from gateway.reads import Database, Reads
from gateway.streams import JournalTail
from gateway.tiles import TileCache
from gateway.writes import Writes

POOL_SIZE = 8


@dataclass
class Parts:
    """Everything a route uses. `start` begins the background work, `stop` ends it and closes connections."""

    settings: PlatformSettings
    access: Database
    reads: Reads
    tokens: Tokens
    actors: Actors
    login: Login
    client: CommandClient
    writes: Writes
    batches: BatchPublisher
    batch_ids: BatchIds
    cells: CurrentCells
    ear: Ear
    tail: JournalTail
    audit: ReadAudit
    telling: Telling
    following: Following
    listeners: Listeners
    watch: Watch
    public: PublicSettings
    place_codes: PlaceCodes
    public_limit: AddressLimit = field(default_factory=AddressLimit)
    report_limit: AddressLimit = field(default_factory=lambda: AddressLimit(burst=10, per_second=1 / 60))
    """Reports without an account: a family's at once, then one a minute."""
    follow_limit: AddressLimit = field(default_factory=lambda: AddressLimit(burst=10, per_second=1 / 30))
    """Follow codes that are wrong: a few slips, then one in half a minute."""
    clock: Clock = system_clock
    """By which cases' time runs."""
    tiles: TileCache = field(default_factory=TileCache)
    keyed_slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(POOL_SIZE // 2))
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    def build(cls, settings: PlatformSettings) -> Parts:
        """Nothing is connected yet. Raises MissingSetting for an absent address."""
        access = Database("access", DatabaseSettings.for_service("access").url, POOL_SIZE)
        reads = Reads(
            {name: Database(name, DatabaseSettings.for_service(name).read_url, POOL_SIZE) for name in SERVICES}
        )
        tokens = Tokens(settings.secret_key.get_secret_value(), settings.county_code, system_clock)
        broker = BrokerSettings().url
        public = PublicSettings()
        keys = {number: key.get_secret_value() for number, key in public.qr_keys.items()}
        client, listeners = CommandClient(broker), Listeners(broker)
        return cls(
            settings=settings,
            access=access,
            reads=reads,
            tokens=tokens,
            actors=Actors(access.fetch),
            login=Login(access, tokens, AddressLimit()),
            client=client,
            writes=Writes(client),
            batches=BatchPublisher(broker),
            batch_ids=BatchIds(settings.secret_key.get_secret_value()),
            cells=CurrentCells(reads),
            ear=(ear := Ear(DatabaseSettings.for_service("notify").read_url, JOURNAL)),
            tail=JournalTail(reads, ear.heard),
            audit=ReadAudit(access),
            telling=Telling(access, client),
            following=Following(access, reads),
            listeners=listeners,
            watch=Watch({**reads.databases, "access": access}, lambda: client.connected, SERVICES, listeners.missing),
            public=public,
            place_codes=PlaceCodes(keys or {0: settings.secret_key.get_secret_value()}),
            clock=process_clock(demo=settings.demo),
        )

    async def scope_now(self, claims: Claims) -> Scope | None:
        """A listener's scope as `access` has it, two seconds old at most; None when the session is over."""
        if time.time() >= claims.expires_at:
            return None
        try:
            return (await self.actors.of(claims)).actor.scope
        except SessionGone:
            return None

    async def start(self) -> None:
        self.tasks = [
            asyncio.create_task(self.client.connect(), name="connect commands"),
            asyncio.create_task(self.cells.follow(), name="follow cells"),
            asyncio.create_task(self.ear.listen(), name="hear of the journal"),
            asyncio.create_task(self.tail.follow(), name="follow journal"),
            asyncio.create_task(self.telling.follow(), name="tell rights"),
            asyncio.create_task(self.following.follow(), name="follow areas of accounts"),
            asyncio.create_task(self.watch.follow(), name="watch dependencies"),
            asyncio.create_task(retention.follow(self.access), name="remove what is old"),
        ]

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.listeners.close()
        await asyncio.gather(self.client.close(), self.batches.close(), return_exceptions=True)
        await asyncio.gather(self.reads.close(), self.access.close())


def parts_of(request: HTTPConnection) -> Parts:
    return cast(Parts, request.app.state.parts)


async def _parts(request: Request) -> Parts:
    # Asynchronous, though it waits for nothing: the framework sends plain functions to a thread.
    return parts_of(request)


Platform = Annotated[Parts, Depends(_parts)]
