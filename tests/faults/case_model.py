"""What a case ought to do, said a second time and simply: the model that the state machine of R12 compares with.

Written from the field's loop (report, verify, register, dispatch, handle, check, close) and nothing else: it imports
no rule of the product. Paths, roles and refusals are their plain names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_COUNTY = {"county_operator"}
_CENTRES = _COUNTY | {"town_operator"}
_FIELD = _CENTRES | {"community_staff", "grid_worker"}
_ANYBODY = _FIELD | {"agency_officer", "patrol_officer", "integrator"}
_BEFORE_HANDLED = ("reported", "verified", "registered", "dispatched", "accepted", "handling")
_OPEN = (*_BEFORE_HANDLED, "handled", "checked")
_TRUSTED = {"grid_worker"}  # of the two sources that the machine uses

# move -> from which state to which, whose it is, by role, what must be given
LOOP: dict[str, tuple[dict[str, str], str, set[str], tuple[str, ...]]] = {
    "verify": ({"reported": "verified"}, "area", _FIELD, ()),
    "refuse": ({"reported": "refused", "verified": "refused"}, "area", _CENTRES, ("reason",)),
    "register": ({"reported": "registered", "verified": "registered"}, "area", _CENTRES, ()),
    "dispatch": ({"registered": "dispatched"}, "area", _CENTRES, ()),
    "accept": ({"dispatched": "accepted"}, "lead", _ANYBODY, ()),
    "return": ({"dispatched": "registered", "accepted": "registered"}, "lead", _ANYBODY, ("reason",)),
    "start": ({"accepted": "handling"}, "lead", _ANYBODY, ()),
    "finish": ({"handling": "handled"}, "lead", _ANYBODY, ()),
    "pass_check": ({"handled": "checked"}, "somebody else", _FIELD, ()),
    "fail_check": ({"handled": "handling", "checked": "handling"}, "somebody else", _FIELD, ("reason",)),
    "close": ({"checked": "closed"}, "area", _CENTRES, ()),
    "reopen": ({"closed": "registered", "refused": "reported"}, "area", _CENTRES, ("reason",)),
    "void": (dict.fromkeys(_OPEN, "voided"), "area", _CENTRES, ("reason",)),
    "relocate": ({state: state for state in _BEFORE_HANDLED}, "area", _FIELD, ("reason", "lon", "lat")),
    "recategorise": ({state: state for state in _BEFORE_HANDLED}, "area", _FIELD, ("reason", "category")),
}
_SITE = {"lon", "lat", "accuracy_m"}
TAKES = {
    "dispatch": {"agency_id"},
    "relocate": {"lon", "lat"},
    "recategorise": {"category"},
    "pass_check": _SITE,
    "fail_check": _SITE,
}
EVENTS = {
    "report": "reported",
    "verify": "verified",
    "refuse": "refused",
    "register": "registered",
    "dispatch": "dispatched",
    "accept": "accepted",
    "return": "returned",
    "start": "handling_started",
    "finish": "handled",
    "pass_check": "checked",
    "fail_check": "handling_started",
    "close": "closed",
    "reopen": "reopened",
    "void": "voided",
    "relocate": "relocated",
    "recategorise": "recategorised",
}
CATEGORIES = ("fire.charging", "fire.electrical", "traffic")


@dataclass(frozen=True)
class Person:
    """Who makes a move."""

    name: str
    role: str
    agency: str
    area: str


@dataclass(frozen=True)
class County:
    """Names of places: the county, its two towns, and the path in which each position lies."""

    county: str
    north: str
    south: str
    paths: dict[tuple[float, float], str]

    def responsible(self, category: str, path: str) -> str | None:
        """Fire everywhere is the brigade's, except that the south answers for itself; traffic is the police's."""
        if path.startswith(self.south):
            return "south_centre"
        if category.startswith("fire"):
            return "fire_brigade"
        return "north_police" if path.startswith(self.north) else None


@dataclass
class ModelCase:
    """One case as it ought to be."""

    county: County
    source: str
    reporting: str
    path: str
    place: tuple[float, float]
    category: str = "fire.charging"
    state: str = "reported"
    version: int = 1
    lead: str | None = None
    former: set[str] = field(default_factory=set)
    handlers: set[str] = field(default_factory=set)
    returns: int = 0
    reworks: int = 0
    reopenings: int = 0
    county_decides: bool = False
    moves: list[str] = field(default_factory=lambda: ["report"])
    too_late: bool = False
    """The time in which the running dispatch may be given back is over; the calendar has tests of its own."""

    def refusal(self, who: Person, move: str, version: int, given: dict[str, Any], agencies: set[str]) -> str | None:
        """The name of the refusal that this attempt must meet; None when it must succeed."""
        if not (self.path.startswith(who.area) or who.agency in {self.reporting, self.lead} | self.former):
            return "NotVisible"
        if version != self.version:
            return "StaleVersion"
        targets, whose, roles, needs = LOOP[move]
        if self.state not in targets or (move, self.state, self.source in _TRUSTED) == ("register", "reported", False):
            return "IllegalMove"
        if move == "return" and self.too_late:
            return "ReturnWindowOver"
        if whose == "somebody else" and (who.name in self.handlers or who.agency == self.lead):
            return "SelfCheck"
        if who.role not in (_COUNTY if move == "dispatch" and self.county_decides else roles):
            return "NotAllowed"
        if not (who.agency == self.lead if whose == "lead" else self.path.startswith(who.area)):
            return "NotAllowed"
        if any(given.get(name) is None for name in needs):
            return "MissingMoveField"
        surplus = {name for name in given if given[name] is not None} - {"reason", "photo"} - TAKES.get(move, set())
        return "InvalidField" if surplus else self._refused_by_facts(move, given, agencies)

    def _refused_by_facts(self, move: str, given: dict[str, Any], agencies: set[str]) -> str | None:
        if move == "dispatch":
            if given.get("agency_id") is not None:
                return None if given["agency_id"] in agencies else "UnknownAgency"
            return None if self.county.responsible(self.category, self.path) else "NoResponsibleAgency"
        if move in ("pass_check", "fail_check") and given.get("lon") is None and given.get("accuracy_m") is not None:
            return "MissingMoveField"  # half a position
        if move == "pass_check":
            return self._not_at_the_place(given)
        if move == "recategorise":
            if given["category"] not in CATEGORIES:
                return "UnknownCategory"
            return "InvalidField" if given["category"] == self.category else None
        return None

    def _not_at_the_place(self, given: dict[str, Any]) -> str | None:
        """All categories here are hazards: checked at the place with a picture; outside every area, anywhere."""
        if not given.get("photo"):
            return "MissingMoveField"
        if self.path == self.county.county:
            return None
        if given.get("lon") is None or given.get("accuracy_m") is None:
            return "MissingMoveField"
        near = (given["lon"], given["lat"]) == self.place and given["accuracy_m"] <= 100
        return None if near else "CheckNotOnSite"

    def make(self, who: Person, move: str, given: dict[str, Any]) -> None:
        """The move has been made."""
        before = self.state
        self.state = LOOP[move][0][before]
        self.version += 1
        self.moves.append(move)
        match move:
            case "dispatch":
                self._dispatch(given.get("agency_id") or self.county.responsible(self.category, self.path))
            case "return":
                self.returns += 1
                self.county_decides = self.returns >= 3
                self._hand_over(None)
            case "start" | "finish":
                self.handlers.add(who.name)
            case "fail_check":
                self.reworks += 1
            case "reopen":
                self.reopenings += 1
                self.handlers.clear()
                self._hand_over(None)
            case "relocate":
                self.place = given["lon"], given["lat"]
                self._correct(self.category, self.county.paths[self.place])
            case "recategorise":
                self._correct(given["category"], self.path)

    def _dispatch(self, lead: str | None) -> None:
        self.state, self.county_decides, self.too_late = "dispatched", False, False
        self._hand_over(lead)

    def _hand_over(self, lead: str | None) -> None:
        if self.lead is not None:
            self.former.add(self.lead)
        self.lead = lead
        self.former.discard(lead or "")

    def _correct(self, category: str, path: str) -> None:
        """A case that is with an agency goes to another one when the correction changes who is responsible."""
        before, after = (self.county.responsible(*each) for each in ((self.category, self.path), (category, path)))
        self.category, self.path = category, path
        if self.lead is None or after in (before, self.lead):
            return
        if after is None:
            self.state = "registered"
            self._hand_over(None)
        else:
            self._dispatch(after)

    def sensible(self, people: list[Person]) -> list[tuple[str, Person]]:
        """The moves that go on from here, each with somebody who may make it."""
        complete: dict[str, Any] = {"reason": "r", "lon": 0, "lat": 0, "category": "-"}
        found = []
        for move, (_, _, _, needs) in LOOP.items():
            for who in people:
                given = {name: complete[name] for name in needs}
                if move == "pass_check":
                    given |= {"photo": True, "lon": self.place[0], "lat": self.place[1], "accuracy_m": 5}
                if self.refusal(who, move, self.version, given, set()) in (None, "UnknownCategory"):
                    found.append((move, who))
                    break
        return found
