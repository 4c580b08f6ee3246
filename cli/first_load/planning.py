"""From rows to writes: read, refer, validate by the command's own class; all without touching the platform."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from cli.first_load.kinds import Field, Kind
from cli.first_load.known import Known
from cli.first_load.reading import Row, Sheet
from cli.first_load.values import Refused, text


@dataclass(slots=True)
class Planned:
    """One row on its way: either `refused`, or `body` for `PUT path/{id}`; `above` is its superior in the same file."""

    line: int
    key: str = ""
    id: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    exists: bool = False
    above: str | None = None
    refused: Refused | None = None


def plan(
    kind: Kind, sheet: Sheet, columns: Mapping[str, str], known: Known, defaults: Mapping[str, Any]
) -> list[Planned]:
    """One entry a row, in the file's order. `defaults` stand in for fields without a column."""
    planner = _Planner(kind, columns, known, defaults)
    planned = [planner.row(row) for row in sheet.rows]
    planner.judge_superiors(planned)
    for each in planned:
        if each.refused is None:
            planner.validate(each)
    return planned


def waves(planned: list[Planned]) -> list[list[Planned]]:
    """Rows to write, superiors before those below them; inside a wave the order does not matter."""
    waiting = {each.key: each for each in planned if each.refused is None}
    depth: dict[str, int] = {}

    def depth_of(each: Planned) -> int:
        if each.key not in depth:
            above = waiting.get(each.above) if each.above is not None else None
            depth[each.key] = 0 if above is None else depth_of(above) + 1
        return depth[each.key]

    ordered: list[list[Planned]] = []
    for each in waiting.values():
        n = depth_of(each)
        while len(ordered) <= n:
            ordered.append([])
        ordered[n].append(each)
    return ordered


def _as_code(key: str) -> str:
    """A code of ours for an agency that has only its own: `12330411MB0` becomes `org.12330411mb0`."""
    return key if re.fullmatch(r"[a-z][a-z0-9_]{0,47}", key) else f"org.{re.sub('[^a-z0-9_]', '_', key.lower())[:47]}"


class _Planner:
    def __init__(self, kind: Kind, columns: Mapping[str, str], known: Known, defaults: Mapping[str, Any]) -> None:
        self.kind, self.columns, self.known, self.defaults = kind, columns, known, defaults
        self.fields = kind.by_name()
        self.seen: dict[str, Planned] = {}
        self.above: dict[str, str] = {}

    def row(self, row: Row) -> Planned:
        planned = Planned(row.line)
        try:
            values = self._values(row)
            planned.key = self._key(values)
            if planned.key in self.seen:
                raise Refused("twice_in_file", self.kind.key, f"line {self.seen[planned.key].line}")
            self.seen[planned.key] = planned
            self._fill(planned, values)
        except Refused as refused:
            planned.refused = refused
        return planned

    def _values(self, row: Row) -> dict[str, Any]:
        """Field -> read value; a reference is still a code. A field with an empty cell is there, as None."""
        values: dict[str, Any] = {name: value for name, value in self.defaults.items() if name in self.fields}
        for name, column in self.columns.items():
            cell = row.values.get(column)
            field = self.fields[name]
            if cell is None:
                if field.required:
                    raise Refused("missing", name)
                values.setdefault(name, None)
                continue
            try:
                values[name] = self._read(field, cell)
            except Refused as refused:
                raise Refused(refused.code, name, refused.expected) from None
        return values

    def _read(self, field: Field, cell: Any) -> Any:
        named = self.known.names.get(field.names_at, {}) if field.names_at else {}
        return named[cell] if isinstance(cell, str) and cell in named else field.read(cell)

    def _key(self, values: Mapping[str, Any]) -> str:
        own = values.get(self.kind.key)
        if own:
            return str(own)
        return "|".join(str(values.get(name) or "") for name in self.kind.natural)

    def _fill(self, planned: Planned, values: dict[str, Any]) -> None:
        entity, known = self.kind.entity, self.known
        present = known.id_of(entity, planned.key)
        planned.exists, planned.id = present is not None, present or known.made_id(entity, planned.key)
        body = {} if present is None else self._kept(known.rows[entity][present])
        for name, value in values.items():
            if name in self.kind.command.model_fields:
                body[name] = self._referred(planned, self.fields[name], value)
        if "code" in self.kind.command.model_fields and not body.get("code"):
            body["code"] = _as_code(planned.key)
        if self.kind.agency_of_person and not body.get("agency_id"):
            body["agency_id"] = known.rows["person"][body["person_id"]]["agency_id"]
        if body.get("place_id") is not None and "area_path" in body and not values.get("area_path"):
            del body["area_path"]  # the place says it
        planned.body = {name: value for name, value in body.items() if value is not None}
        self._link(planned, present)

    def _kept(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What is there already and has no column: it stays as it is."""
        own = (self.kind.id_field, "expected_version", *self.kind.unknown_to_lists)
        return {
            name: row[name]
            for name in self.kind.command.model_fields
            if name in row and name not in own and name not in self.columns
        }

    def _referred(self, planned: Planned, field: Field, value: Any) -> Any:
        if field.refers is None or value is None:
            return value
        code = text(value)
        if field.refers == "area":
            path = self.known.areas.get(code)
            if path is None:
                raise Refused("unknown_area", field.name)
            return path
        if field.refers == self.kind.entity:
            planned.above = code
            self.above[planned.key] = code
        found = self.known.id_of(field.refers, code)
        if found is None and field.refers == self.kind.entity:
            return self.known.made_id(field.refers, code)  # of this file, or `judge_superiors` refuses it
        if found is None:
            raise Refused(f"unknown_{field.refers}", field.name)
        return found

    def _link(self, planned: Planned, present: str | None) -> None:
        """The row's own code becomes its external reference, beside those it has."""
        if self.kind.key in self.kind.command.model_fields or "external_refs" not in self.kind.command.model_fields:
            return
        if self.kind.key not in self.columns:
            return
        refs = [] if present is None else self.known.rows[self.kind.entity][present].get("external_refs") or []
        own = {"system": self.known.system, "id": planned.key}
        if own not in refs:
            planned.body["external_refs"] = [*refs, own]

    def judge_superiors(self, planned: list[Planned]) -> None:
        """Superiors in the same file form no circle, and are taken themselves."""
        name = next((each.name for each in self.kind.fields if each.refers == self.kind.entity), "")
        standing = [each for each in planned if each.refused is None]
        for each in standing:
            if self._chain(each)[1]:
                each.refused = Refused("circle", name)
        fallen = {each.key for each in planned if each.refused is not None and not each.exists}
        for each in standing:
            above = self._chain(each)[0]
            strange = [key for key in above if key not in self.seen and self.known.id_of(self.kind.entity, key) is None]
            if each.refused is None and (strange or not fallen.isdisjoint(above)):
                each.refused = Refused(f"unknown_{self.kind.entity}", name)

    def _chain(self, each: Planned) -> tuple[list[str], bool]:
        """Every superior that this file names, from the nearest, and whether they form a circle."""
        chain: list[str] = []
        above = self.above.get(each.key)
        while above is not None:
            if above in chain or above == each.key:
                return chain, True
            chain.append(above)
            above = self.above.get(above)
        return chain, False

    def validate(self, planned: Planned) -> None:
        """By the class that the platform validates by."""
        try:
            if self.kind.located and "crs" not in planned.body:
                raise Refused("crs_required", "crs", "--crs wgs84 | cgcs2000 | gcj02 | bd09")
            self.kind.command.model_validate({**planned.body, self.kind.id_field: planned.id})
            if self.kind.check is not None:
                self.kind.check(planned.body)
        except Refused as refused:
            planned.refused = refused
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            planned.refused = Refused("invalid_request", ".".join(map(str, first["loc"])), first["msg"])
