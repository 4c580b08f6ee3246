"""Who works in a county: agencies, jurisdictions, posts, patrol units, routing rules, accounts. Pure.

Made from the areas alone, so the same staff serves the demo county and a real one that a user imports.
Every id is a UUIDv5 of what it names: planning twice gives the same writes, and a repeated PUT changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from simulator import devices, names, trade

VALID_FROM = "2026-01-01"
ADMINISTRATOR = "admin"
LAST_AGENCY = "volunteers"
"""Written when all the rest is there: where it is found, nothing needs loading."""
PASSWORD = "pingan-demo-{login}"  # noqa: S105 - public on purpose, exists with the demo setting alone


@dataclass(frozen=True, slots=True)
class AreaRow:
    """What the staff plan needs to know of an area; `path` ends with `/`."""

    code: str
    name: str
    level: str
    parent: str | None
    path: str


@dataclass(frozen=True, slots=True)
class Write:
    """One idempotent request to the public API."""

    path: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """A demo account: for a machine, `login` is the client id and `password` its secret."""

    login: str
    password: str
    title: str
    account_id: UUID
    roles: tuple[str, ...]
    agency_id: str
    areas: tuple[str, ...]
    machine: bool = False
    purposes: tuple[str, ...] = ("duty_review",)
    ceiling: int = 1

    def to_json(self) -> dict[str, Any]:
        """Account id and the form of PUT /v1/accounts/{account_id}."""
        name, secret = ("client_id", "client_secret") if self.machine else ("login", "password")
        return {
            "account_id": str(self.account_id),
            "kind": "machine" if self.machine else "person",
            name: self.login,
            secret: self.password,
            "name": self.title,
            "roles": list(self.roles),
            "agency_id": self.agency_id,
            "areas": list(self.areas),
            "categories": None,
            "ceiling": self.ceiling,
            "purposes": list(self.purposes),
            "demo": True,
        }


@dataclass(slots=True)
class Plan:
    """Stages in the order they must be written; inside a stage the order does not matter."""

    stages: list[tuple[str, list[Write]]] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)

    @property
    def last(self) -> Write:
        return self.stages[-1][1][-1]

    def writes(self) -> int:
        return sum(len(stage) for _, stage in self.stages)


def area_rows(collection: dict[str, Any]) -> list[AreaRow]:
    """Areas of a FeatureCollection as the import takes it, parents first. Raises KeyError on an unknown parent."""
    given = {feature["properties"]["code"]: feature["properties"] for feature in collection["features"]}
    rows: dict[str, AreaRow] = {}

    def row(code: str) -> AreaRow:
        if code not in rows:
            own = given[code]
            above = row(own["parent"]).path if own["parent"] else ""
            rows[code] = AreaRow(code, own["name"], own["level"], own["parent"], f"{above}{code}/")
        return rows[code]

    return sorted((row(code) for code in given), key=lambda each: each.path)


def plan(areas: Iterable[AreaRow], places: Iterable[dict[str, Any]] = (), seed: int = 1) -> Plan:
    """The whole staff of these areas; `places` are rows of name, category, lon, lat (WGS84)."""
    return _Planner(list(areas), seed).plan(list(places))


class _Planner:
    def __init__(self, areas: list[AreaRow], seed: int) -> None:
        self.county = next(area for area in areas if area.level == "county")
        self.towns = [area for area in areas if area.level == "town"]
        self.villages = [area for area in areas if area.level == "village"]
        self.grids = [area for area in areas if area.level == "grid"]
        self.seed = seed
        self.random = Random(f"staff:{seed}")
        self.people = names.people(self.random)

    def id(self, kind: str, name: str) -> UUID:
        return uuid5(NAMESPACE_URL, f"pingan-demo/{self.county.code}/{kind}/{name}")

    def agency(self, name: str) -> str:
        return str(self.id("agency", name))

    def plan(self, places: list[dict[str, Any]]) -> Plan:
        persons, posts = self._posts()
        key_places = [self._place(place) for place in places]
        return Plan(
            [
                ("county agencies", list(self._county_agencies())),
                ("town agencies", list(self._town_agencies())),
                ("communities", list(self._communities())),
                ("jurisdictions", list(self._jurisdictions())),
                ("routing rules", list(self._rules())),
                ("key places", key_places),
                ("devices", list(self._devices(key_places))),
                ("patrol units", list(self._units())),
                ("people", persons),
                ("posts", posts),
                (
                    "last agency",
                    [self._put_agency(LAST_AGENCY, "平安志愿者协会", "volunteers", "centre", self.county.path)],
                ),
            ],
            self._accounts(),
        )

    def _put_agency(self, name: str, title: str, kind: str, parent: str | None, path: str) -> Write:
        parent_id = self.agency(parent) if parent else None
        body = {"code": name, "name": title, "kind": kind, "parent_id": parent_id, "area_path": path}
        return Write(f"/v1/agencies/{self.agency(name)}", {**body, "duty_phone": self._phone()})

    def _phone(self) -> str:
        return f"000-{self.random.randrange(10**7, 10**8)}"  # no such prefix: nobody is called by mistake

    def _county_agencies(self) -> Iterator[Write]:
        yield self._put_agency("centre", f"{self.county.name}综治中心", "county_centre", None, self.county.path)
        for kind, title, _ in trade.DEPARTMENTS:
            yield self._put_agency(kind, f"{self.county.name}{title}", kind, None, self.county.path)

    def _town_agencies(self) -> Iterator[Write]:
        for town in self.towns:
            for kind, title in (
                ("town_centre", "综治中心"),
                ("police_station", "派出所"),
                ("judicial_office", "司法所"),
            ):
                name = f"{kind}.{town.code}"
                yield self._put_agency(name, town.name + title, kind, "centre", town.path)

    def _communities(self) -> Iterator[Write]:
        for village in self.villages:
            title = f"{village.name}{'居委会' if village.name.endswith('社区') else '村委会'}".replace(
                "村村委会", "村委会"
            )
            name = f"community.{village.code}"
            yield self._put_agency(name, title, "community", f"town_centre.{village.parent}", village.path)

    def _answering(self) -> Iterator[tuple[str, str, str | None]]:
        """Agency, area path, category (None = all): departments first, then a town's own, then the centres."""
        for kind, _, prefixes in trade.DEPARTMENTS:
            for prefix in prefixes:
                yield kind, self.county.path, prefix
        for town in self.towns:
            for kind, category in trade.TOWN_TRADES:
                yield f"{kind}.{town.code}", town.path, category
        for town in self.towns:
            yield f"town_centre.{town.code}", town.path, None
        yield "centre", self.county.path, None

    def _jurisdictions(self) -> Iterator[Write]:
        for agency, path, category in self._answering():
            body = {"agency_id": self.agency(agency), "area_path": path, "category": category}
            yield Write(f"/v1/jurisdictions/{self.id('jurisdiction', f'{agency}/{path}/{category}')}", body)

    def _rules(self) -> Iterator[Write]:
        for number, (agency, path, category) in enumerate(self._answering()):
            body = {"position": 100 + number, "category": category, "area_path": path}
            yield Write(
                f"/v1/routing-rules/{self.id('rule', f'{agency}/{path}/{category}')}",
                {**body, "agency_id": self.agency(agency)},
            )

    def _posts(self) -> tuple[list[Write], list[Write]]:
        """A grid worker for every grid and a mediator for every village, each a person of their own."""
        holders = [(grid, "grid_worker", f"community.{grid.parent}") for grid in self.grids]
        holders += [(village, "mediator", f"community.{village.code}") for village in self.villages]
        persons, posts = [], []
        for area, kind, agency in holders:
            person, agency_id = str(self.id("person", f"{kind}/{area.code}")), self.agency(agency)
            named = {"name": next(self.people), "agency_id": agency_id, "duty_phone": self._phone()}
            persons.append(Write(f"/v1/persons/{person}", named))
            post = {"person_id": person, "agency_id": agency_id, "kind": kind, "area_path": area.path}
            posts.append(
                Write(f"/v1/posts/{self.id('post', f'{kind}/{area.code}')}", {**post, "valid_from": VALID_FROM})
            )
        return persons, posts

    def _place(self, place: dict[str, Any]) -> Write:
        risk = "orange" if place["category"] == "hazardous_chemicals_firm" else "blue"
        key = self.id("place", f"{place['name']}/{place['lon']}/{place['lat']}")
        return Write(f"/v1/places/{key}", {**place, "risk": risk, "crs": "wgs84"})

    def _devices(self, key_places: list[Write]) -> Iterator[Write]:
        owners = devices.Owners(self.agency("centre"), self.agency("fire_rescue"))
        places = [(each.path.rpartition("/")[2], each.body) for each in key_places]
        for name, body in devices.bodies(places, self.county.code, owners, self.seed):
            yield Write(f"/v1/devices/{self.id('device', name)}", body)

    def _units(self) -> Iterator[Write]:
        for town in self.towns:
            for number, kind in enumerate(("foot", "vehicle", "joint"), start=1):
                body = {
                    "call_sign": f"{town.name}巡逻{number}组",
                    "kind": kind,
                    "agency_id": self.agency(f"police_station.{town.code}"),
                    "area_path": town.path,
                }
                yield Write(f"/v1/patrol/units/{self.unit(town, number)}", body)

    def unit(self, town: AreaRow, number: int) -> UUID:
        return self.id("unit", f"{town.code}/{number}")

    def _accounts(self) -> list[Account]:
        town = self.towns[len(self.towns) // 2]
        village = next(area for area in self.villages if area.parent == town.code)
        grid = next(area for area in self.grids if area.parent == village.code)
        county, community = self.county.path, f"community.{village.code}"

        def one(login: str, title: str, role: str, agency: str, path: str, **more: Any) -> Account:
            password, account_id = PASSWORD.format(login=login), self.id("account", login)
            return Account(login, password, title, account_id, (role,), self.agency(agency), (path,), **more)

        police = f"police_station.{town.code}"
        return [
            one(ADMINISTRATOR, "系统管理员", "county_admin", "centre", county, ceiling=3),
            one("county", f"{self.county.name}综治中心值班员", "county_operator", "centre", county, ceiling=2),
            one("town", f"{town.name}综治中心", "town_operator", f"town_centre.{town.code}", town.path),
            one("police", f"{town.name}派出所", "agency_officer", police, town.path),
            one("fire", f"{self.county.name}消防救援大队", "agency_officer", "fire_rescue", county),
            one("judicial", f"{town.name}司法所", "agency_officer", f"judicial_office.{town.code}", town.path),
            one("community", f"{village.name}工作人员", "community_staff", community, village.path),
            one("worker", f"{grid.name}网格员", "grid_worker", community, grid.path),
            one("patrol", f"{town.name}巡逻队员", "patrol_officer", police, town.path),
            one("integrator", "对接系统（机器账号）", "integrator", "centre", county, machine=True),
            one("auditor", "审计员", "auditor", "centre", county, ceiling=3),
        ]
