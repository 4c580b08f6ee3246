"""A released event version only ever gains optional fields; and the check that says so would notice anything else."""

from __future__ import annotations

import copy
import json
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contracts import additive, catalogue, release
from contracts.hazards.events import CaseReported
from contracts.registry import all_events

RELEASED = release.promised("schemas")
TYPES = sorted(RELEASED)
CASE = CaseReported.type


def now() -> dict[str, dict[str, Any]]:
    return {"envelope": catalogue.envelope_schema()} | {cls.type: catalogue.event_schema(cls) for cls in all_events()}


def test_every_promise_about_events_is_kept() -> None:
    broken = release.broken_events(release.promised("schemas"), now())
    assert broken == [], "\n".join(broken)


def test_something_is_promised_the_envelope_and_events_and_no_command() -> None:
    assert {"envelope", CASE} <= set(TYPES)
    assert len(TYPES) >= 28
    assert not [name for name in TYPES if name != "envelope" and not name.startswith("county.")]
    assert set(release.promised("examples")) == set(TYPES) - {"envelope"}


def changed(name: str, change: Callable[[dict[str, Any]], None]) -> list[additive.Breach]:
    """What is found when the released schema of `name` is changed so."""
    before = RELEASED[name]
    after = copy.deepcopy(before)
    change(after)
    return additive.breaches(name, before, after)


def objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema of an object, the outermost first."""
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict):
            yield node
        for value in node.values():
            yield from objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from objects(value)


@pytest.mark.parametrize("name", TYPES)
def test_other_words_and_new_optional_fields_are_additions(name: str) -> None:
    def gain(schema: dict[str, Any]) -> None:
        schema |= {"description": "Said better.", "title": "X", "x-trigger": "else", "deprecated": True}
        schema["x-deprecated"] = {"since": "2027-01-01"}
        for each in list(objects(schema)):
            each["properties"]["title"] = {"type": "string", "enum": ["a"], "default": "a"}
            each["properties"]["added"] = {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}
            each["properties"] = dict(reversed(each["properties"].items()))
        for definition in schema.get("$defs", {}).values():
            definition["title"] = "Renamed"

    assert changed(name, gain) == []


def test_a_class_of_another_name_is_no_change() -> None:
    def rename(schema: dict[str, Any]) -> None:
        text = json.dumps(schema).replace("#/$defs/Kind", "#/$defs/CaseKind").replace('"Kind": {', '"CaseKind": {')
        schema.clear()
        schema.update(json.loads(text))

    assert changed(CASE, rename) == []


def fields(name: str) -> list[str]:
    return list(RELEASED[name]["properties"])


@pytest.mark.parametrize("name", TYPES)
def test_every_field_that_is_taken_away_renamed_or_turned_is_named(name: str) -> None:
    needed = RELEASED[name].get("required", [])
    for field in fields(name):

        def take(schema: dict[str, Any], field: str = field) -> None:
            del schema["properties"][field]
            schema["required"] = [each for each in schema["required"] if each != field]

        def turn(schema: dict[str, Any], field: str = field) -> None:
            required = set(schema["required"]) ^ {field}
            schema["required"] = sorted(required)

        def retype(schema: dict[str, Any], field: str = field) -> None:
            schema["properties"][field] = {"type": "array", "items": {"type": "boolean"}}

        for change, rule in ((take, "R1"), (turn, "R2"), (retype, "R3")):
            found = [breach for breach in changed(name, change) if breach.where == f"{name}.{field}"]
            assert rule in {breach.rule for breach in found}, (field, change.__name__, found)
    assert set(needed) <= set(fields(name))


def set_at(*path: str, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(schema: dict[str, Any]) -> None:
        for step in path[:-1]:
            schema = schema[step]
        schema[path[-1]] = to

    return change


STATES = "reported verified refused registered dispatched accepted handling handled checked voided".split()  # noqa: SIM905


def one_more_required(schema: dict[str, Any]) -> None:
    schema["properties"]["more"] = {"type": "integer", "default": 1}
    schema["required"].append("more")


BROKEN: list[tuple[str, str, Callable[[dict[str, Any]], None]]] = [
    ("R2", "the new field is required", one_more_required),
    ("R2", "has no default", lambda s: s["properties"].update(n={"type": "integer"})),
    ("R3", "pattern was", set_at("properties", "case_no", "pattern", to="^.*$")),
    ("R3", "maximum was", set_at("properties", "sensitivity", "maximum", to=4)),
    ("R3", "default was", set_at("properties", "overdue", "default", to=True)),
    ("R3", "format was", set_at("properties", "occurred_at", "format", to="date")),
    ("R3", "anyOf has", set_at("properties", "due_at", "anyOf", to=[{"type": "string", "format": "date-time"}])),
    ("R3", "format was", set_at("properties", "assisting_agency_ids", "items", to={"type": "string"})),
    ("R3", "additionalProperties was", set_at("additionalProperties", to=False)),
    ("R4", "'gone' was added", lambda s: s["$defs"]["State"]["enum"].append("gone")),
    ("R4", "'closed' is gone", set_at("$defs", "State", "enum", to=STATES)),
    ("R4", "is no enum any more", set_at("$defs", "State", to={"type": "string"})),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "words", "change"), BROKEN, ids=[f"{rule}-{words}" for rule, words, _ in BROKEN])
def test_what_is_no_addition_is_named_with_its_rule(
    rule: str, words: str, change: Callable[[dict[str, Any]], None]
) -> None:
    found = changed(CASE, change)
    assert [breach for breach in found if breach.rule == rule and words in str(breach)], found


def test_the_failure_says_which_version_to_make_instead() -> None:
    later = copy.deepcopy(RELEASED)
    del later[CASE]["properties"]["state"]
    del later["county.patrol.shift.ended.v1"]
    field, version = release.broken_events(RELEASED, later)
    assert field.startswith(f"{CASE}.state: the field is gone (R1 in docs/contracts.md): ")
    assert field.endswith("say it in a new class county.hazards.case.reported.v2 beside this one")
    assert version.startswith("county.patrol.shift.ended.v1: the released event version is gone (R5")


def test_a_release_adds_what_is_new_and_refuses_to_rewrite(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(release, "FOLDER", tmp_path / "released")
    assert release.main() == 0
    assert release.promised("schemas") == now()
    file = release.FOLDER / "schemas" / f"{CASE}.json"
    schema = json.loads(file.read_text())
    schema["properties"]["colour"] = {"type": "string", "default": None}
    file.write_text(json.dumps(schema))
    kept = {path: path.read_text() for path in release.FOLDER.rglob("*.json")}
    assert release.main() == 1
    assert f"{CASE}.colour: the field is gone" in capsys.readouterr().err
    assert {path: path.read_text() for path in release.FOLDER.rglob("*.json")} == kept
