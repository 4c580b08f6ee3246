"""The machine that drives the API of a running platform through whole lives of cases, beside the model.

Every step is a request of some account; what it is answered (or refused with), the case it leaves behind and the
moves it offers next must be what `life_model` says. At the end of an example every case that is still open is brought
to its end by legal moves alone.
"""

from __future__ import annotations

import base64
import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from PIL import Image

from backbone.clock import COUNTY_TIME
from tests.faults import life_effects
from tests.faults import life_model as m
from tests.faults.life_model import LOOP, Life, Person

LOGINS = ("county", "town", "community", "worker", "fire", "police", "judicial")
CATEGORY = "fire.exit_blocked"
numbers = st.integers(0, 10**6)
DECISIONS = {"grant_extension", "refuse_extension", "appeal"}


def _photo() -> dict[str, str]:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "green").save(out, "PNG")
    return {"media_type": "image/png", "data": base64.b64encode(out.getvalue()).decode()}


PHOTO = _photo()


class World:
    """The demo county's accounts, signed in, and where they work."""

    def __init__(self, clients: dict[str, httpx.Client]) -> None:
        self.clients = clients
        self.people: dict[str, Person] = {}
        for login, client in clients.items():
            me = client.get("/v1/auth/me").json()
            self.people[login] = Person(login, me["roles"][0], me["agency_id"], me["scope"]["areas"][0])
        grid = clients["worker"].get(f"/v1/areas/{self.people['worker'].area.rstrip('/').split('/')[-1]}").json()
        self.path, self.lon, self.lat = grid["path"], grid["lon"], grid["lat"]
        self.agencies = {login: person.agency for login, person in self.people.items()}
        # Of this category and place: the jurisdictions of the demo county.
        # By the demo county's jurisdictions: the brigade for fire, the town's and the county's centre for everything.
        self.competent = frozenset(self.agencies[each] for each in ("fire", "town", "county"))
        self.steps: Counter[str] = Counter()
        self.made: Counter[str] = Counter()

    def everybody(self) -> list[Person]:
        return list(self.people.values())


class Lives(RuleBasedStateMachine):
    """Subclass it with a `world`."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.lives: dict[str, Life] = {}

    @initialize(sources=st.lists(st.sampled_from(["grid_worker", "public"]), min_size=2, max_size=2))
    def reports(self, sources: list[str]) -> None:
        for number, source in enumerate(sources):
            by = self.world.people["worker"]
            body = {
                "category": CATEGORY,
                "source": source,
                "description": f"机器上报第{number}件，疏散通道堆放杂物",
                "lon": self.world.lon,
                "lat": self.world.lat,
                "crs": "wgs84",
            }
            made = self.world.clients["worker"].post("/v1/cases", json=body)
            assert made.status_code == 201, made.text
            life = Life(number, source, "worker", by.agency, self.world.path, competent=self.world.competent)
            self.lives[made.json()["case_id"]] = life

    @rule(case=numbers, choice=numbers, seed=numbers)
    def sensible(self, case: int, choice: int, seed: int) -> None:
        """A move that somebody may make, with all that it needs: so that cases get anywhere."""
        self._go_on(case, choice, seed)

    def _go_on(self, case: int, choice: int, seed: int) -> None:
        life = self._life(case)[1]
        # Drawn numbers are small as a rule: spread, or the moves at the end of the alphabet are never made.
        choice, seed = _spread(choice), _spread(seed)
        if life.open and not life.pending and seed % 5 < 2:  # else it takes a case long to come to where most moves are
            move, who, given = self._next(case, life)
            self._attempt(case, who, move, 0, given)
            return
        able = [(move, who) for who in self.world.everybody() for move in m.legal_for(life, who) if life.sees(who)]
        able = [each for each in able if each[0] not in ("void", "refuse") or seed % 9 == 0]
        # What waits for a decision gets one, before the next move makes it void.
        able = [each for each in able if each[0] in DECISIONS] or able
        if able:
            move, who = sorted(able, key=lambda each: (each[0], each[1].login))[choice * len(able) >> 32]
            self._attempt(case, who, move, 0, self._given(case, move, who, seed))

    @rule(
        case=numbers,
        login=st.sampled_from(LOGINS),
        move=st.sampled_from(sorted(LOOP)),
        stale=st.sampled_from([0, 0, 0, 0, -1, 1]),
        less=st.booleans(),
        seed=numbers,
    )
    def senseless(self, case: int, login: str, move: str, stale: int, less: bool, seed: int) -> None:
        """Anything by anybody, also with a field too few or an old version."""
        who = self.world.people[login]
        given = self._given(case, move, who, seed)
        if less and LOOP[move].needs:
            given.pop(LOOP[move].needs[0])
        self._attempt(case, who, move, stale, given)

    @invariant()
    def every_case_is_as_the_model_has_it(self) -> None:
        for case_id, life in self.lives.items():
            read = self.world.clients["county"].get(f"/v1/cases/{case_id}").json()
            assert _differences(read, life) == {}, life

    def teardown(self) -> None:
        """No case is left without a legal path to an end: each is walked to it."""
        children_first = sorted(self.lives.items(), key=lambda each: each[1].parent is None)
        for case_id, life in children_first:
            self._bring_to_an_end(case_id, life)
            # A closed case lives on: rated, looked at again, reopened; and then its way to an end again.
            for _ in range(2):
                self._go_on(list(self.lives).index(case_id), life.version, life.version)
            self._bring_to_an_end(case_id, life)
        super().teardown()

    # One request -----------------------------------------------------------------------------------------

    def _life(self, number: int) -> tuple[str, Life]:
        case_id = list(self.lives)[number % len(self.lives)]
        return case_id, self.lives[case_id]

    def _attempt(self, number: int, who: Person, move: str, stale: int, given: dict[str, Any]) -> None:
        case_id, life = self._life(number)
        version = max(1, life.version + stale)
        expected = m.refusal(life, who, move, version, given) or m.refused_by_facts(life, who, move, given, self.lives)
        answer = self._post(case_id, who, move, version, given)
        self.world.steps[move] += 1
        code = None if answer.status_code == 200 else answer.json()["code"]
        said = f"{who.login}: {move} {given} from {life.state}: {answer.status_code} {answer.text[:600]}"
        assert answer.status_code < 500, said
        assert code == expected, f"expected {expected}; {said}"
        if code is None:
            self.world.made[move] += 1
            life_effects.make(life, who, move, given, self.lives, self.world.agencies["fire"])
            differing = _differences(answer.json(), life)
            assert differing == {}, f"{differing}; {said[:300]}"
        if life.sees(who):
            offered = self.world.clients[who.login].get(f"/v1/cases/{case_id}/moves").json()
            # Corrections are the other machine's (case_machine): there the county's map is the test's own.
            names = {each["move"] for each in offered["items"]} - {"relocate", "recategorise"}
            assert names ^ m.legal_for(life, who) == set(), f"{sorted(names)}; {said[:300]}"

    def _post(self, case_id: str, who: Person, move: str, version: int, given: dict[str, Any]) -> httpx.Response:
        return self.world.clients[who.login].post(
            f"/v1/cases/{case_id}/moves", json={"move": move, **given}, headers={"If-Match": f'"{version}"'}
        )

    def _given(self, number: int, move: str, who: Person, seed: int) -> dict[str, Any]:
        """All that a move needs, and now and then what it merely takes."""
        step, others = LOOP[move], list(self.lives)
        agencies = [self.world.agencies[login] for login in ("fire", "police", "judicial")]
        soon = datetime.now(UTC) + timedelta(days=20 + seed % 20)
        possible: dict[str, Any] = {
            "reason": "机器的理由",
            "note": "机器的说明",
            "agency_id": agencies[seed % 3],
            "assisting_agency_ids": [agencies[(seed // 3) % 3]],
            "parent_case_id": others[(number + 1) % len(others)],
            "into_case_id": others[(number + 1) % len(others)],
            "supervision": ("yellow", "red")[seed % 2],
            "listing_no": f"挂牌{uuid4().hex[:12]}",
            "until": soon.isoformat(),
            "leader_name": "李建国",
            "leader_title": "副县长",
            "visit_on": datetime.now(COUNTY_TIME).date().isoformat(),
            "rating": 1 + seed % 5,
            "working_days": 1 + seed % 5,
            "level": ("village", "town", "county")[seed % 3],
        }
        given = {name: possible[name] for name in step.needs}
        if move in ("dispatch", "reassign") and seed % 2:
            given["assisting_agency_ids"] = possible["assisting_agency_ids"]
        if move == "dispatch" and seed % 3 == 0:
            given["agency_id"] = possible["agency_id"]
        if move == "request_extension":
            given["working_days"] = possible["working_days"]
        if move in ("pass_check", "fail_check", "pass_recheck", "fail_recheck"):
            given |= {"lon": self.world.lon, "lat": self.world.lat, "crs": "wgs84", "accuracy_m": 5, "photo": PHOTO}
        if move in ("settle", "declare_major", "lift_major"):
            given["photo"] = PHOTO
        return given

    # The way out -----------------------------------------------------------------------------------------

    def _bring_to_an_end(self, case_id: str, life: Life) -> None:
        number = list(self.lives).index(case_id)
        for _ in range(40):
            if not life.open:
                return
            move, who, given = self._next(number, life)
            self._attempt(number, who, move, 0, given)
        raise AssertionError(f"no way to an end within 40 moves: {life}")

    def _next(self, number: int, life: Life) -> tuple[str, Person, dict[str, Any]]:
        """The next move towards the close that somebody can make, who that is, and with what."""
        for move in m.onward(life):
            # From below: a centre that checked what it must review later would stand in its own way.
            for who in reversed(self.world.everybody()):
                given = self._given(number, move, who, 7)
                refused = m.refusal(life, who, move, life.version, given)
                if refused is None and m.refused_by_facts(life, who, move, given, self.lives) is None:
                    return move, who, given
        raise AssertionError(f"nobody can go on: {life}")


def _spread(number: int) -> int:
    """32 bits that look drawn, of a number that is small."""
    return int.from_bytes(sha256(str(number).encode()).digest()[:4], "big")


def _differences(body: dict[str, Any], life: Life) -> dict[str, tuple[Any, Any]]:
    """What the API shows and what the model has, where they differ."""
    seen, expected = _seen(body), _expected(life)
    return {name: (seen[name], expected[name]) for name in seen if seen[name] != expected[name]}


def _seen(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "state": body["state"],
        "version": body["version"],
        "lead": body["lead_agency_id"],
        "assisting": set(body["assisting_agency_ids"]),
        "asked": set(body["assisting_asked_ids"]),
        "working": set(body["assisting_working_ids"]),
        "returns": body["returns"],
        "reworks": body["reworks"],
        "reopenings": body["reopenings"],
        "county_decides": body["county_decides"],
        "level": body["level"],
        "grade": body["grade"],
        "pending": body["extension_pending"],
        "extensions": body["extensions"],
        "has_parent": body["parent_case_id"] is not None,
        "children": body["open_children"],
        "merged": body["merged_into_id"] is not None,
        "reports": body["reports"],
        "reminders": body["reminders"],
        "supervision": body["supervision"],
        "listed": body["listing_agency_id"],
        "led": body["leader_named"],
        "reviewed": body["reviewed_at"] is not None,
        "rating": body["rating"],
        "recheck": body["recheck_due_at"] is not None,
    }


def _expected(life: Life) -> dict[str, Any]:
    return {
        "state": life.state,
        "version": life.version,
        "lead": life.lead,
        "assisting": set(life.assisting),
        "asked": life.asked,
        "working": life.working,
        "returns": life.returns,
        "reworks": life.reworks,
        "reopenings": life.reopenings,
        "county_decides": life.county_decides,
        "level": life.level,
        "grade": life.grade,
        "pending": life.pending,
        "extensions": life.extensions,
        "has_parent": life.parent is not None,
        "children": life.open_children,
        "merged": life.merged_into is not None,
        "reports": life.reports,
        "reminders": life.reminders,
        "supervision": life.supervision,
        "listed": life.lister,
        "led": life.led,
        "reviewed": life.reviewed,
        "rating": life.rating,
        "recheck": life.recheck,
    }
