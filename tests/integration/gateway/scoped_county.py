"""A county with much in it, many who look at it, and an oracle that knows nothing of the platform's own rules.

The gateway runs in this process, without its background work: a probe costs milliseconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
import random
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import shapely

from backbone.settings import PlatformSettings
from contracts.grid.commands import (
    Crs,
    DeviceKind,
    PutAgency,
    PutDevice,
    PutJurisdiction,
    PutOverlay,
    PutPerson,
    PutPlace,
    PutPost,
    StartBoundaryChange,
)
from contracts.scope import Actor, Role, Scope
from gateway.access import changes
from gateway.app import create_app
from services.grid import commands
from tests.integration.gateway.platform import PASSWORD
from tests.integration.grid.conftest import Grid, actor, grid_on
from tests.partitions import collection, partition
from tests.servers import cloned_database, fresh_vhost, settings_for

COUNTY = "330411/"
STEP = 0.02
SEED = 20260131
TODAY = date(2026, 6, 1)


@dataclass(frozen=True)
class Viewer:
    """An account's rights."""

    login: str
    areas: tuple[str, ...] = ()
    agency: UUID | None = None
    role: str = "town_operator"
    categories: tuple[str, ...] | None = None
    ceiling: int = 1
    account: UUID = field(default_factory=uuid4)


@dataclass(frozen=True)
class Fact:
    """A row of the registry as it was put; `agencies` see it wherever it lies, `author` too."""

    kind: str
    id: str
    area: str
    agencies: frozenset[UUID] = frozenset()
    author: UUID | None = None
    values: dict[str, Any] = field(default_factory=dict, hash=False)
    shape: Any = field(default=None, hash=False)


def may_see(viewer: Viewer, fact: Fact) -> bool:
    """The rule of the house in its plainest words: inside one of my areas, or my agency's, or made by me."""
    if viewer.agency in fact.agencies or (fact.author is not None and fact.author == viewer.account):
        return True
    steps = fact.area.split("/")[:-1]
    return any(steps[: root.count("/")] == root.split("/")[:-1] for root in viewer.areas)


@dataclass
class World:
    """What there is to see, and ways to look."""

    grid: Grid
    app: Any
    runner: asyncio.Runner
    viewers: list[Viewer]
    facts: list[Fact]
    tokens: dict[str, str] = field(default_factory=dict)
    probes: int = 0

    def all(self, kind: str) -> list[Fact]:
        return [each for each in self.facts if each.kind == kind]

    def seen(self, viewer: Viewer, kind: str, keep: Callable[[Fact], bool] = lambda _: True) -> list[Fact]:
        """In the order of the kind's list."""
        found = [each for each in self.all(kind) if may_see(viewer, each) and keep(each)]
        return sorted(found, key=lambda each: ORDER[kind](each))

    def get(self, viewer: Viewer, path: str, **params: Any) -> httpx.Response:
        self.probes += 1
        return self.runner.run(self._get(viewer, path, params))

    async def _get(self, viewer: Viewer, path: str, params: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", timeout=30) as client:
            if viewer.login not in self.tokens:
                form = {"grant_type": "password", "username": viewer.login, "password": PASSWORD}
                answer = await client.post("/v1/auth/token", data=form)
                self.tokens[viewer.login] = answer.raise_for_status().json()["access_token"]
            headers = {"Authorization": f"Bearer {self.tokens[viewer.login]}"}
            return await client.get(path, params=params, headers=headers)


ORDER: dict[str, Callable[[Fact], Any]] = {
    "area": lambda each: each.area,
    "agency": lambda each: each.values["code"],
    "jurisdiction": lambda each: UUID(each.id).bytes,
    "post": lambda each: UUID(each.id).bytes,
    "place": lambda each: (each.area, UUID(each.id).bytes),
    "overlay": lambda each: (each.area, UUID(each.id).bytes),
    "device": lambda each: (each.area, UUID(each.id).bytes),
    "import": lambda each: (each.values["created_at"], UUID(each.id).bytes),
}


@contextlib.contextmanager
def running(servers: dict[str, str], template: str, directory: pathlib.Path) -> Iterator[World]:
    with (
        cloned_database(servers, template) as database,
        fresh_vhost(servers) as vhost,
        pytest.MonkeyPatch.context() as environment,
        asyncio.Runner() as runner,
        grid_on(database, directory) as grid,
    ):
        for name, value in settings_for(database, vhost, directory).items():
            environment.setenv(name, value)
        environment.setenv("PINGAN_COUNTY_CODE", COUNTY[:6])
        app = create_app(PlatformSettings())  # type: ignore[call-arg]
        world = World(grid, app, runner, [], [])
        _fill(world, random.Random(SEED))
        runner.run(_accounts(world))
        runner.run(app.state.parts.cells.refresh())
        try:
            yield world
        finally:
            runner.run(app.state.parts.reads.close())
            runner.run(app.state.parts.access.close())


async def _accounts(world: World) -> None:
    async with world.app.state.parts.access.transaction() as connection:
        for each in world.viewers:
            account = changes.NewAccount(
                account_id=each.account, login=each.login, password=PASSWORD, name=each.login,
                roles=(Role(each.role),), areas=each.areas, agency_id=each.agency, categories=each.categories,
                ceiling=each.ceiling, purposes=(),
            )  # fmt: skip
            assert await changes.create(connection, account, by=None)


def _fill(world: World, chance: random.Random) -> None:
    grid = world.grid
    features = partition(step=STEP)
    former = collection(features)
    grid.found(former)
    for each in former["features"]:
        each["properties"]["name"] = f"新{each['properties']['name']}"
    grid.found(former)
    path: dict[str, str] = {}
    for each in features:
        path[each.code] = f"{path.get(each.parent or '', '')}{each.code}/"
        values = {"level": each.level, "parent": each.parent, "name": f"新区域{each.code[-3:]}", "code": each.code}
        world.facts.append(Fact("area", each.code, path[each.code], values=values, shape=each.geometry))
    paths, grids = list(path.values()), [each for each in world.all("area") if each.values["level"] == "grid"]
    agencies = [put_agency(world, number, chance.choice(paths)) for number in range(8)]
    persons = [put_person(grid, chance.choice(agencies), number) for number in range(10)]
    for number in range(12):
        put_jurisdiction(world, chance.choice(agencies), chance.choice(paths), number)
    for number in range(30):
        put_post(world, chance.choice(agencies), chance.choice(paths), chance.choice(persons), number)
    for number in range(36):
        put_place(world, chance.choice(grids), chance, number)
    for number in range(10):
        put_overlay(world, chance.choice(world.all("area")), number)
        put_camera(world, chance.choice(grids), chance.choice(agencies), chance, number)
    world.viewers += _viewers(paths, agencies, chance)
    _imports(world, agencies)


def put_agency(world: World, number: int, area: str) -> UUID:
    agency = uuid4()
    body = {"code": f"agency{number:02}", "name": f"机构{number}", "kind": ("police", "fire")[number % 2]}
    world.grid.do(commands.put_agency, PutAgency(agency_id=agency, area_path=area, duty_phone="0573-110", **body))
    world.facts.append(Fact("agency", str(agency), area, frozenset({agency}), values=body))
    return agency


def put_person(grid: Grid, agency: UUID, number: int) -> tuple[UUID, bool]:
    person, active = uuid4(), number % 4 != 0
    asked = PutPerson(person_id=person, name=f"员工{number}", agency_id=agency, duty_phone="110", active=active)
    grid.do(commands.put_person, asked)
    return person, active


def put_jurisdiction(world: World, agency: UUID, area: str, number: int) -> None:
    made = uuid4()
    asked = PutJurisdiction(jurisdiction_id=made, agency_id=agency, area_path=area, category=f"probe.c{number}")
    world.grid.do(commands.put_jurisdiction, asked)
    world.facts.append(Fact("jurisdiction", str(made), area, frozenset({agency}), values={"agency_id": str(agency)}))


def put_post(world: World, agency: UUID, area: str, person: tuple[UUID, bool], number: int) -> None:
    made, kind = uuid4(), ("mediator", "village_police")[number % 2]
    until = date(2025, 12, 31) if number % 5 == 0 else None
    asked = PutPost(post_id=made, person_id=person[0], agency_id=agency, kind=kind, area_path=area,
                    valid_from=date(2025, 1, 1), valid_until=until)  # fmt: skip
    world.grid.do(commands.put_post, asked)
    values = {"kind": kind, "person_id": str(person[0]), "on_duty": until is None}
    world.facts.append(Fact("post", str(made), area, frozenset({agency}), values=values))


def put_place(world: World, grid: Fact, chance: random.Random, number: int) -> None:
    west, south, east, north = grid.shape.bounds
    # Well inside: whose a point on a border is, is another test's matter.
    lon, lat = (low + (high - low) * chance.uniform(0.1, 0.9) for low, high in ((west, east), (south, north)))
    made = uuid4()
    values = {"name": f"处所{number}", "category": ("special.school", "market")[number % 2],
              "risk": ("blue", "red")[number % 3 == 0]}  # fmt: skip
    world.grid.do(commands.put_place, PutPlace(place_id=made, lon=lon, lat=lat, **values))
    fact = Fact("place", str(made), grid.area, values=values, shape=shapely.Point(lon, lat))
    world.facts.append(fact)


def put_overlay(world: World, area: Fact, number: int) -> None:
    made, kind = uuid4(), ("school_zone", "patrol_zone")[number % 2]
    # A tenth of the area's width around its middle lies in that area; in which of those below, is put to the test.
    shape = area.shape.centroid.buffer(STEP / 10).envelope
    wkb = b64encode(shapely.to_wkb(shape, byte_order=1)).decode()
    asked = PutOverlay(overlay_id=made, name=f"区{number}", kind=kind, geometry=wkb, crs=Crs.WGS84)
    world.grid.do(commands.put_overlay, asked)
    holders = [each for each in world.all("area") if each.shape.covers(shape)]
    held = max(holders, key=lambda each: len(each.area)).area
    world.facts.append(Fact("overlay", str(made), held, values={"kind": kind, "name": f"区{number}"}, shape=shape))


def put_camera(world: World, grid: Fact, agency: UUID, chance: random.Random, number: int) -> None:
    west, south, east, north = grid.shape.bounds
    lon, lat = (low + (high - low) * chance.uniform(0.1, 0.9) for low, high in ((west, east), (south, north)))
    made = uuid4()
    asked = PutDevice(
        device_id=made, kind=DeviceKind.CAMERA, name=f"机{number}", agency_id=agency, lon=lon, lat=lat, crs=Crs.WGS84,
        spot="road", gb_id=f"3304110000132{number:07}",
    )  # fmt: skip
    world.grid.do(commands.put_device, asked)
    values = {"name": f"机{number}", "agency_id": str(agency)}
    world.facts.append(
        Fact("device", str(made), grid.area, frozenset({agency}), values=values, shape=shapely.Point(lon, lat))
    )


def _viewers(paths: list[str], agencies: list[UUID], chance: random.Random) -> list[Viewer]:
    town, other = "330411/330411101/", "330411/330411102/"
    village, grids = f"{town}330411101201/", [path for path in paths if path.count("/") == 4]
    made = [
        Viewer("nobody"),
        Viewer("county", (COUNTY,), role="county_operator"),
        Viewer("county-auditor", (COUNTY,), role="auditor", categories=("fire",), ceiling=0),
        Viewer("town", (town,)),
        Viewer("town-again", (town,), agency=uuid4(), role="integrator"),
        Viewer("other-town", (other,), agency=agencies[0], role="agency_officer"),
        Viewer("village", (village,), role="community_staff"),
        Viewer("one-grid", (grids[0],), role="grid_worker"),
        Viewer("two-grids", (grids[1], grids[-1]), role="grid_worker"),
        Viewer("agency-alone", (), agency=agencies[1], role="agency_officer"),
        Viewer("administrator-of-a-town", (other,), role="county_admin"),
    ]
    for number in range(5):
        areas: list[str] = []
        for path in chance.sample(paths[1:], chance.randint(0, 3)):
            if not any(path.startswith(each) or each.startswith(path) for each in areas):
                areas.append(path)
        agency = chance.choice([None, *agencies])
        made.append(Viewer(f"random-{number}", tuple(areas), agency, chance.choice([role.value for role in Role])))
    return made


def _imports(world: World, agencies: list[UUID]) -> None:
    """A refused file, one of an agency's, and a change with its plan; each by another author."""
    author = next(each for each in world.viewers if each.login == "administrator-of-a-town")
    county_admin = frozenset({Role.COUNTY_ADMIN})
    own = Actor(author.account, uuid4(), county_admin, Scope(areas=(COUNTY,)))
    agencys = Actor(uuid4(), agencies[1], county_admin, Scope(areas=(COUNTY,), agency_id=agencies[1]))
    line = [(120.0 + 0.5 * STEP, 29.9), (120.0 + 0.5 * STEP, 30.0 + 0.5 * STEP), (120.0 - STEP, 30.0 + 0.5 * STEP)]
    split = {"operation": "split", "code": "330411101201001", "line": line, "into": [{"name": "甲"}, {"name": "乙"}]}
    for by, planned in ((own, False), (agencys, True), (actor(Role.COUNTY_ADMIN, areas=(COUNTY,)), True)):
        grid = Grid(world.grid.engine, admin=by)
        if planned:
            asked = {"import_id": uuid4(), "crs": "wgs84", "operations": [split]}
            grid.do(commands.start_boundary_change, StartBoundaryChange.model_validate(asked))
            import_id = asked["import_id"]
        else:
            import_id = grid.start(collection(partition(step=STEP)[:-1]))
        read = grid.validate(import_id)  # type: ignore[arg-type]
        assert read["state"] in (("valid",) if planned else ("invalid", "valid")), read["report"]
        made_at = datetime.fromisoformat(read["created_at"]).astimezone(UTC)
        values = {"created_at": -made_at.timestamp(), "planned": planned}
        agency = frozenset({by.agency_id} if by.agency_id else ())
        world.facts.append(Fact("import", str(import_id), COUNTY, agency, by.account_id, values))
    # The two that were published first.
    for each in world.grid.list(_every_import, scope=Scope.system("test")):
        if each["import_id"] not in {fact.id for fact in world.all("import")}:
            made_at = datetime.fromisoformat(each["created_at"]).astimezone(UTC)
            values = {"created_at": -made_at.timestamp(), "planned": False}
            first = world.grid.admin
            world.facts.append(
                Fact(
                    "import",
                    each["import_id"],
                    COUNTY,
                    frozenset({first.agency_id or uuid4()}),
                    first.account_id,
                    values,
                )
            )


def _every_import(scope: Scope) -> Any:
    from services.grid import queries

    return queries.import_list(scope)
