"""Every read of every service takes the reader's scope first, and its statement carries it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any, get_type_hints
from uuid import UUID

import pytest

from backbone.statements import Query, compiled, registered
from contracts.scope import Scope, Sensitivity

SERVICES = ("grid", "hazards", "patrol", "notify")
SCOPE = Scope(areas=("330499/330499101/",), ceiling=Sensitivity.OPEN, agency_id=UUID(int=7))
VALUES: dict[Any, Any] = {
    UUID: UUID(int=1),
    str: "x",
    int: 1,
    float: 30.5,
    date: date(2026, 3, 1),
    datetime: datetime(2026, 3, 1, tzinfo=UTC),
}

OPEN_TO_ALL = {
    "services.grid.queries.codes.place_category_list": "the list that places are classed by; no fact of any place",
    "services.hazards.queries.clocks.calendar_days": "which days are worked; no fact of any case",
    "services.hazards.queries.registry.categories": "a reporter must know them first; no fact of any case",
    "services.hazards.queries.supervision.supervision_rules_now": "what a supervision costs; no fact of any case",
    "services.hazards.queries.registry.category": "the same, one of them",
    "services.hazards.queries.registry.category_version_list": "what a category was; no fact of any case",
    "services.notify.queries.head": "the journal's last number: says nothing of any event",
}
"""Reads without a predicate, each with its reason. Nothing comes in here that speaks of a case, a person or a place."""


def reads() -> Iterator[tuple[str, Callable[..., Query]]]:
    """Every public function of services/*/queries that gives a Query, by its full name."""
    for service in SERVICES:
        package = importlib.import_module(f"services.{service}.queries")
        modules = [package]
        for found in pkgutil.iter_modules(getattr(package, "__path__", ())):
            modules.append(importlib.import_module(f"{package.__name__}.{found.name}"))
        for module in modules:
            for name, function in inspect.getmembers(module, inspect.isfunction):
                own = function.__module__ == module.__name__ and not name.startswith("_")
                parameters = list(inspect.signature(function).parameters)
                if own and parameters[:1] == ["scope"] and get_type_hints(function).get("return") is Query:
                    yield f"{module.__name__}.{name}", function


READS = dict(reads())


def asked(function: Callable[..., Query], scope: Scope = SCOPE) -> Query:
    """The read with the least it needs."""
    hints = get_type_hints(function)
    needed = [
        each.name
        for each in list(inspect.signature(function).parameters.values())[1:]
        if each.default is inspect.Parameter.empty
    ]
    return function(scope, **{name: VALUES.get(hints[name], ["x"]) for name in needed})


def test_every_read_is_registered_or_open_to_all_for_a_reason() -> None:
    assert len(READS) > 20
    assert set(READS) - set(registered()) <= set(OPEN_TO_ALL)
    assert set(OPEN_TO_ALL) <= set(READS)


@pytest.mark.parametrize("name", sorted(READS))
def test_the_statement_carries_the_scope(name: str) -> None:
    query = asked(READS[name])
    sql, arguments = compiled(query)
    carries = SCOPE.areas[0] in arguments or [SCOPE.agency_id] in arguments
    assert carries == (name not in OPEN_TO_ALL), sql


def test_shapes_of_other_scopes_have_other_keys() -> None:
    wider = Scope(areas=("330499/330499101/", "330499/330499102/"), agency_id=UUID(int=7))
    for name in sorted(set(READS) - set(OPEN_TO_ALL)):
        one, other = asked(READS[name]), asked(READS[name], wider)
        assert one.key != other.key or str(one.build()) == str(other.build()), name
