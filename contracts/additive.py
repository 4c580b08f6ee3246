"""What may change in an event version once it is released: a new optional field with a default, and words.

`breaches(released, today)` names every other change, by rule (docs/contracts.md gives the reasons):

    R1  a field is never removed or renamed
    R2  a field never becomes required or optional; a new one is optional and has a default
    R3  a field keeps its type, pattern, format, bounds and default
    R4  an enum is closed: no value is added, none removed
    R5  an event version, once released, stays
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

WORDS = frozenset({"title", "description", "examples", "$comment", "$id", "$schema", "deprecated"})
"""Keywords that only tell; so are all that begin with `x-`."""

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Breach:
    """One change that is no addition: where, what, against which rule."""

    where: str
    what: str
    rule: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} ({self.rule} in docs/contracts.md)"


def breaches(name: str, released: Schema, today: Schema) -> list[Breach]:
    """Every change of `today` against `released` that is no addition; both are JSON Schemas of one event version."""
    return list(_compare(name, _Node(released, released), _Node(today, today)))


@dataclass(frozen=True, slots=True)
class _Node:
    """A schema inside its document, so that references can be followed."""

    schema: Schema
    document: Schema
    open_refs: tuple[str, ...] = ()

    def at(self, schema: Schema) -> _Node:
        return _Node(schema, self.document, self.open_refs)

    def resolved(self) -> _Node:
        reference = self.schema.get("$ref")
        if reference is None:
            return self
        definition = self.document["$defs"][reference.rpartition("/")[2]]
        beside = {key: value for key, value in self.schema.items() if key != "$ref"}
        return _Node({**definition, **beside}, self.document, (*self.open_refs, reference)).resolved()


_HANDLED = frozenset({"properties", "required", "items", "prefixItems", "anyOf", "enum", "$defs", "$ref"})


def _compare(where: str, before: _Node, after: _Node) -> Iterator[Breach]:
    if before.schema.get("$ref") in before.open_refs and "$ref" in before.schema:
        return  # a type that contains itself: compared where it was opened
    before, after = before.resolved(), after.resolved()
    old, new = before.schema, after.schema
    yield from _keywords(where, old, new)
    yield from _enum(where, old, new)
    yield from _fields(where, before, after)
    for key in ("anyOf", "prefixItems"):
        yield from _listed(where, key, before, after)
    if ("items" in old) != ("items" in new):
        yield Breach(where, "its items are described otherwise", "R3")
    elif "items" in old:
        yield from _compare(f"{where}[]", before.at(old["items"]), after.at(new["items"]))


def _keywords(where: str, old: Schema, new: Schema) -> Iterator[Breach]:
    for key in sorted((old.keys() | new.keys()) - WORDS - _HANDLED):
        if not key.startswith("x-") and old.get(key, _ABSENT) != new.get(key, _ABSENT):
            yield Breach(where, f"{key} was {_said(old, key)}, is {_said(new, key)}", "R3")


_ABSENT = object()


def _said(schema: Schema, key: str) -> str:
    return repr(schema[key]) if key in schema else "not there"


def _enum(where: str, old: Schema, new: Schema) -> Iterator[Breach]:
    if ("enum" in old) != ("enum" in new):
        yield Breach(where, "became an enum" if "enum" in new else "is no enum any more", "R4")
        return
    before, after = old.get("enum", []), new.get("enum", [])
    for value in (each for each in after if each not in before):
        yield Breach(where, f"enum value {value!r} was added: a released reader refuses it", "R4")
    for value in (each for each in before if each not in after):
        yield Breach(where, f"enum value {value!r} is gone: stored events still carry it", "R4")


def _fields(where: str, before: _Node, after: _Node) -> Iterator[Breach]:
    old, new = before.schema.get("properties", {}), after.schema.get("properties", {})
    needed, needs = set(before.schema.get("required", ())), set(after.schema.get("required", ()))
    for name, field in old.items():
        here = f"{where}.{name}"
        if name not in new:
            yield Breach(here, "the field is gone", "R1")
            continue
        if (name in needed) != (name in needs):
            yield Breach(here, "the field was required" if name in needed else "the field became required", "R2")
        yield from _compare(here, before.at(field), after.at(new[name]))
    for name in sorted(new.keys() - old.keys()):
        if name in needs:
            yield Breach(f"{where}.{name}", "the new field is required: events of before do not have it", "R2")
        elif "default" not in new[name]:
            yield Breach(f"{where}.{name}", "the new field has no default for events of before", "R2")


def _listed(where: str, key: str, before: _Node, after: _Node) -> Iterator[Breach]:
    old, new = before.schema.get(key, ()), after.schema.get(key, ())
    if len(old) != len(new):
        yield Breach(where, f"{key} has {len(new)} forms, had {len(old)}", "R3")
        return
    for n, (one, other) in enumerate(zip(old, new, strict=True)):
        yield from _compare(where if key == "anyOf" else f"{where}[{n}]", before.at(one), after.at(other))
