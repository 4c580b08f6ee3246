"""Which agencies answer: the first routing rule that matches, else the narrowest jurisdiction, else the category's own.

A `Book` holds what there is to ask, found by category and area; `answer` asks it for one case. The same code answers
a dispatch, a suggestion, a dry run and the question why nobody is named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import product
from uuid import UUID

from contracts.areas import ancestors, is_within
from contracts.hazards.events import Grade, Source
from services.hazards.domain.duty_times import ALWAYS, Times

SOURCES = frozenset(source.value for source in Source)
GRADES = frozenset(grade.value for grade in Grade)


@dataclass(frozen=True, slots=True)
class RoutingRule:
    """A dispatcher's rule: `category` None matches all, otherwise itself and what is below it; empty sets match all."""

    rule_id: UUID
    position: int
    category: str | None
    area_path: str
    agency_id: UUID
    assisting: tuple[UUID, ...] = ()
    times: Times = ALWAYS
    sources: frozenset[str] = frozenset()
    grades: frozenset[str] = frozenset()

    @property
    def order(self) -> tuple[int, UUID]:
        return self.position, self.rule_id


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """An agency answers for a category (None = all) inside an area subtree."""

    agency_id: UUID
    category: str | None
    area_path: str
    jurisdiction_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class DefaultAgency:
    """Who answers for a category at last: one agency, or the narrowest of a kind."""

    category: str
    agency_id: UUID | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Agency:
    """An active agency that a default may mean."""

    agency_id: UUID
    kind: str
    area_path: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a case decides: `at` is the moment of the question in the county's time."""

    category: str
    area_path: str
    source: str
    grade: str
    at: datetime


class By(StrEnum):
    """What named the agency."""

    RULE = "rule"
    JURISDICTION = "jurisdiction"
    DEFAULT = "category_default"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Answer:
    """Who leads and who assists, and what said so; `decided_by` is the rule's or the jurisdiction's id."""

    lead: UUID | None = None
    assisting: tuple[UUID, ...] = ()
    by: By = By.NOBODY
    decided_by: UUID | None = None

    @property
    def agencies(self) -> list[UUID]:
        """The lead, then who assists; empty when nobody is named."""
        return [self.lead, *self.assisting] if self.lead else []


NOBODY = Answer()


@dataclass(frozen=True, slots=True)
class Passed:
    """A rule for a case's category and area that did not match, and on what."""

    rule_id: UUID
    on: tuple[str, ...]


def category_matches(pattern: str | None, category: str) -> bool:
    """`fire` matches `fire` and `fire.electrical`, not `fireworks`."""
    return pattern is None or category == pattern or category.startswith(f"{pattern}.")


def prefixes(category: str) -> list[str]:
    """`fire.electrical` -> [`fire`, `fire.electrical`]: every pattern that matches it."""
    parts = category.split(".")
    return [".".join(parts[: n + 1]) for n in range(len(parts))]


def misses(rule: RoutingRule, asked: Asked) -> tuple[str, ...]:
    """On which of its terms a rule fails that is there for the case's category and area; empty: it matches."""
    failed = []
    if rule.sources and asked.source not in rule.sources:
        failed.append("source")
    if rule.grades and asked.grade not in rule.grades:
        failed.append("grade")
    if not (rule.times is ALWAYS or rule.times.holds(asked.at)):
        failed.append("time")
    return tuple(failed)


def matches(rule: RoutingRule, asked: Asked) -> bool:
    """Whether a rule speaks about a case."""
    return (
        category_matches(rule.category, asked.category)
        and is_within(asked.area_path, rule.area_path)
        and not misses(rule, asked)
    )


Key = tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class Book:
    """Everything there is to ask, by (category, area): a case looks under the few keys that can match it."""

    rules: Mapping[Key, list[RoutingRule]] = field(default_factory=dict)
    jurisdictions: Mapping[Key, list[Jurisdiction]] = field(default_factory=dict)
    defaults: Mapping[str, DefaultAgency] = field(default_factory=dict)
    agencies: Mapping[str, list[Agency]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        rules: Iterable[RoutingRule] = (),
        jurisdictions: Iterable[Jurisdiction] = (),
        defaults: Iterable[DefaultAgency] = (),
        agencies: Iterable[Agency] = (),
    ) -> Book:
        by_rule: dict[Key, list[RoutingRule]] = defaultdict(list)
        for rule in rules:
            by_rule[rule.category, rule.area_path].append(rule)
        by_law: dict[Key, list[Jurisdiction]] = defaultdict(list)
        for law in jurisdictions:
            by_law[law.category, law.area_path].append(law)
        by_kind: dict[str, list[Agency]] = defaultdict(list)
        for agency in agencies:
            by_kind[agency.kind].append(agency)
        return cls(by_rule, by_law, {each.category: each for each in defaults}, by_kind)

    def with_rules(self, rules: Iterable[RoutingRule]) -> Book:
        """The same with other rules."""
        return replace(self, rules=Book.of(rules).rules)

    def answer(self, asked: Asked) -> Answer:
        """Who answers for a case; NOBODY when nobody is named.

        Rules by position; then jurisdictions, the narrowest area first, a named category before "all", the more
        exact category before the wider; then the default of the category or of the nearest above it. Ties go to
        the smaller id, so that every process answers alike.
        """
        keys = _keys(asked)
        fitting = [rule for key in keys for rule in self.rules.get(key, ()) if not misses(rule, asked)]
        if fitting:
            first = min(fitting, key=lambda rule: rule.order)
            assisting = tuple(each for each in dict.fromkeys(first.assisting) if each != first.agency_id)
            return Answer(first.agency_id, assisting, By.RULE, first.rule_id)
        laws = [law for key in keys for law in self.jurisdictions.get(key, ())]
        if laws:
            law = min(laws, key=lambda each: (-len(each.area_path), -len(each.category or ""), each.agency_id))
            return Answer(law.agency_id, (), By.JURISDICTION, law.jurisdiction_id)
        return self._default(asked)

    def passed(self, asked: Asked) -> list[Passed]:
        """The rules for the case's category and area that do not match, in the order they are tried."""
        tried = sorted((rule for key in _keys(asked) for rule in self.rules.get(key, ())), key=lambda rule: rule.order)
        return [Passed(rule.rule_id, on) for rule in tried if (on := misses(rule, asked))]

    def _default(self, asked: Asked) -> Answer:
        for code in reversed(prefixes(asked.category)):
            default = self.defaults.get(code)
            if default is None:
                continue
            if default.agency_id is not None:
                return Answer(default.agency_id, (), By.DEFAULT)
            there = [
                each for each in self.agencies.get(default.kind or "", ()) if is_within(asked.area_path, each.area_path)
            ]
            if there:
                narrowest = min(there, key=lambda each: (-len(each.area_path), each.agency_id))
                return Answer(narrowest.agency_id, (), By.DEFAULT)
        return NOBODY

    def shadowed(self) -> dict[UUID, UUID]:
        """Rules that can never win -> the first rule before each that covers it."""
        found = {}
        for rules in self.rules.values():
            for rule in rules:
                before = [other for other in self._wider(rule) if other.order < rule.order and covers(other, rule)]
                if before:
                    found[rule.rule_id] = min(before, key=lambda other: other.order).rule_id
        return found

    def _wider(self, rule: RoutingRule) -> Iterator[RoutingRule]:
        above: list[str | None] = [None, *(prefixes(rule.category) if rule.category else ())]
        for key in product(above, ancestors(rule.area_path)):
            yield from self.rules.get(key, ())


def covers(one: RoutingRule, other: RoutingRule) -> bool:
    """Whether every case that the other matches is matched by the one too, whatever their positions; exact."""
    return (
        (one.category is None or (other.category is not None and category_matches(one.category, other.category)))
        and is_within(other.area_path, one.area_path)
        and _holds_all(one.sources, other.sources, SOURCES)
        and _holds_all(one.grades, other.grades, GRADES)
        and one.times.cover(other.times)
    )


def _holds_all(one: Collection[str], other: Collection[str], everything: frozenset[str]) -> bool:
    return not one or set(one) >= (set(other) if other else everything)


def _keys(asked: Asked) -> list[Key]:
    return list(product((None, *prefixes(asked.category)), ancestors(asked.area_path)))
