"""R12's first machine: moves of cases, sensible and senseless, by the real use cases on PostGIS and by the model."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import text

from contracts.hazards.commands import Case
from contracts.refusals import Refusal
from contracts.scope import Actor
from tests.faults.case_model import CATEGORIES, EVENTS, LOOP, County, ModelCase, Person
from tests.integration.hazards.town import (
    COUNTY,
    GRIDS,
    NORTH,
    NORTH_EAST,
    NORTH_WEST,
    OUTSIDE,
    PHOTO,
    SOUTH,
    SOUTH_EAST,
    SOUTH_WEST,
    Town,
    agency_id,
)

PLACES = dict(zip((NORTH_WEST, NORTH_EAST, SOUTH_WEST, SOUTH_EAST), GRIDS, strict=True)) | {OUTSIDE: COUNTY}
PLAN = County(COUNTY, NORTH, SOUTH, PLACES)
AGENCIES = ("county_centre", "north_centre", "south_centre", "north_village", "north_police", "fire_brigade")
CODES = {agency_id(code): code for code in AGENCIES}
NOBODY = uuid4()

ROW = text("""
SELECT state, version, area_path, category, lead_agency_id, former_agency_ids, returns, reworks, reopenings,
       county_decides, unassigned FROM hazards.cases WHERE id = :id
""")

numbers = st.integers(0, 10**6)
places = st.sampled_from(list(PLACES))
people = st.sampled_from(["centre", "north", "south", "worker", "police", "fire"])
fields = st.fixed_dictionaries(
    {},
    optional={
        "reason": st.just("因为"),
        "agency": st.sampled_from([*AGENCIES, "nobody"]),
        "category": st.sampled_from([*CATEGORIES, "no.such.category"]),
        "place": places,
        "photo": st.just(PHOTO),
        "accuracy_m": st.sampled_from([5, 60, 101]),
    },
)


class Cases(RuleBasedStateMachine):
    """Subclass it with a `town` whose transaction may be rolled back."""

    town: Town

    def __init__(self) -> None:
        super().__init__()
        self.example = self.town.session.begin_nested()
        self.cases: list[tuple[Case, ModelCase]] = []
        self.made, self.refused = 0, 0

    def teardown(self) -> None:
        self.example.rollback()

    def person(self, name: str) -> tuple[Actor, Person]:
        actor: Actor = getattr(self.town, name)
        (role,), (area,) = actor.roles, actor.scope.areas
        return actor, Person(name, str(role), CODES[actor.agency_id], area)

    @initialize(at=places, other=places, source=st.sampled_from(["grid_worker", "public"]))
    def reports(self, at: tuple[float, float], other: tuple[float, float], source: str) -> None:
        for place, by in ((at, source), (other, "grid_worker")):
            case = self.town.report(at=place, source=by)
            self.cases.append((case, ModelCase(PLAN, by, "north_village", PLACES[place], place)))

    @rule(number=numbers, choice=numbers, at=places, category=st.sampled_from(CATEGORIES), hours=st.integers(0, 100))
    def sensible(self, number: int, choice: int, at: tuple[float, float], category: str, hours: int) -> None:
        """A while later a move that the model would let somebody make, so that cases get anywhere."""
        self.town.clock.forward(hours=hours)
        for case, each in self.cases:
            until = self.town.now(case)["return_by"]
            each.too_late = until is not None and until < self.town.clock()
        _, model = self.cases[number % len(self.cases)]
        able = [self.person(name)[1] for name in ("fire", "police", "worker", "south", "north", "centre")]
        possible = [(move, who) for move, who in model.sensible(able) if move not in ("void", "refuse")]
        if possible:
            move, who = possible[choice % len(possible)]
            needs = LOOP[move][3]
            given: dict[str, Any] = {"reason": "因为"} | ({"category": category} if "category" in needs else {})
            if move == "pass_check":
                given |= {"place": model.place, "accuracy_m": 5, "photo": PHOTO}
            self._attempt(number, who.name, move, 0, given | ({"place": at} if "lon" in needs else {}))

    @rule(
        number=numbers,
        name=people,
        move=st.sampled_from(sorted(LOOP)),
        stale=st.sampled_from([0, 0, 0, 0, -1, 1]),
        given=fields,
    )
    def senseless(self, number: int, name: str, move: str, stale: int, given: dict[str, Any]) -> None:
        """Anything by anybody."""
        self._attempt(number, name, move, stale, given)

    def _attempt(self, number: int, name: str, move: str, stale: int, given: dict[str, Any]) -> None:
        place = number % len(self.cases)
        case, model = self.cases[place]
        actor, who = self.person(name)
        version = max(1, model.version + stale)
        known = ("reason", "category", "photo", "accuracy_m")
        told: dict[str, Any] = {key: given[key] for key in known if key in given}
        asked = dict(told)
        if "agency" in given:
            told["agency_id"] = given["agency"]
            asked["agency_id"] = NOBODY if given["agency"] == "nobody" else agency_id(given["agency"])
        if "place" in given:
            told["lon"], told["lat"] = asked["lon"], asked["lat"] = given["place"]
            if move in ("pass_check", "fail_check"):
                asked["original"] = {"crs": "wgs84", "lon": given["place"][0], "lat": given["place"][1]}
        expected = model.refusal(who, move, version, told, set(AGENCIES))
        met = None
        try:
            with self.town.session.begin_nested():
                case = self.town.move(case, move, actor, expected_version=version, **asked)
        except Refusal as refusal:
            met = type(refusal).__name__
        assert met == expected, f"{name}: {move} from {model.state}"
        if met is None:
            model.make(who, move, told)
            self.made += 1
        else:
            self.refused += 1
        self.cases[place] = case, model

    @invariant()
    def every_case_is_as_the_model_has_it(self) -> None:
        for case, model in self.cases:
            row = self.town.session.execute(ROW, {"id": case.case_id}).one()
            lead = CODES[row.lead_agency_id] if row.lead_agency_id else None
            assert (row.state, row.version, row.area_path, row.category, lead) == (
                *(model.state, model.version, model.path, model.category, model.lead),
            )
            assert (row.returns, row.reworks, row.reopenings, row.county_decides) == (
                *(model.returns, model.reworks, model.reopenings, model.county_decides),
            )
            assert {CODES[each] for each in row.former_agency_ids} == model.former
            assert row.unassigned == (model.path == COUNTY)
            assert [each["move"] for each in self.town.history(case)] == model.moves
            told = [(each["entityversion"], each["type"].split(".")[3]) for each in self.town.events(case)]
            assert told == [(n, EVENTS[move]) for n, move in enumerate(model.moves, 1)]
            assert self.town.events(case)[-1]["data"]["state"] == model.state
