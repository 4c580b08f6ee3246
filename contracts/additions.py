"""The public API changes by addition only: what of a released OpenAPI document a newer one no longer keeps.

Two directions. What a client **sends** (parameters, bodies) may only become freer: nothing that was accepted is
refused, no new thing is required. What a client **gets** may only gain fields and answers: nothing that was promised
is missing, no value comes that the released document does not name. `/v2` is the place for anything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Document = Mapping[str, Any]
Schema = Mapping[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
SENT, GOT = "sent", "got"


def losses(released: Document, today: Document) -> list[str]:
    """One line for each thing that the released document promised and today's does not keep."""
    return list(_Comparison(released, today).paths())


class _Comparison:
    def __init__(self, released: Document, today: Document) -> None:
        self.old, self.new = released, today
        self._open: set[tuple[str, str, str]] = set()

    def paths(self) -> Iterator[str]:
        for path, item in self.old["paths"].items():
            if path not in self.new["paths"]:
                yield f"{path}: the path is gone"
                continue
            for method in (each for each in METHODS if each in item):
                name = f"{method.upper()} {path}"
                if method not in self.new["paths"][path]:
                    yield f"{name}: the operation is gone"
                else:
                    yield from self._operation(name, item[method], self.new["paths"][path][method])

    def _operation(self, name: str, old: Schema, new: Schema) -> Iterator[str]:
        if not old.get("security", self.old.get("security")) and new.get("security", self.new.get("security")):
            yield f"{name}: asks who is calling, and did not"
        yield from self._parameters(name, old.get("parameters", []), new.get("parameters", []))
        yield from self._body(f"{name} body", old.get("requestBody"), new.get("requestBody"))
        for status, answer in old.get("responses", {}).items():
            here = f"{name} answer {status}"
            if status not in new.get("responses", {}):
                yield f"{here}: is gone"
                continue
            after = new["responses"][status]
            yield from (f"{here}: header {each} is gone" for each in _gone(answer, after, "headers"))
            yield from self._content(here, answer, after, GOT)

    def _parameters(self, name: str, old: list[Schema], new: list[Schema]) -> Iterator[str]:
        before = {(each["in"], each["name"]): each for each in old}
        after = {(each["in"], each["name"]): each for each in new}
        for key, parameter in before.items():
            here = f"{name} {key[0]} {key[1]}"
            if key not in after:
                yield f"{here}: the parameter is gone"
                continue
            if after[key].get("required") and not parameter.get("required"):
                yield f"{here}: became required"
            yield from self._schema(here, parameter.get("schema", {}), after[key].get("schema", {}), SENT)
        for key in after.keys() - before.keys():
            if after[key].get("required"):
                yield f"{name} {key[0]} {key[1]}: the new parameter is required"

    def _body(self, here: str, old: Schema | None, new: Schema | None) -> Iterator[str]:
        if old is None:
            if new is not None and new.get("required"):
                yield f"{here}: is required, and there was none"
        elif new is None:
            yield f"{here}: is gone"
        else:
            if new.get("required") and not old.get("required"):
                yield f"{here}: became required"
            yield from self._content(here, old, new, SENT)

    def _content(self, here: str, old: Schema, new: Schema, way: str) -> Iterator[str]:
        yield from (f"{here}: media type {each} is gone" for each in _gone(old, new, "content"))
        for media_type in old.get("content", {}).keys() & new.get("content", {}).keys():
            before, after = old["content"][media_type], new["content"][media_type]
            yield from self._schema(here, before.get("schema", {}), after.get("schema", {}), way)

    # -- schemas -------------------------------------------------------------------------------------

    def _schema(self, here: str, old: Schema, new: Schema, way: str) -> Iterator[str]:
        key = (str(old.get("$ref")), str(new.get("$ref")), way)
        if "$ref" in old and "$ref" in new:
            if key in self._open:
                return  # a type that contains itself
            self._open.add(key)
        try:
            yield from self._forms(here, _forms(self.old, old), _forms(self.new, new), way)
        finally:
            self._open.discard(key)

    def _forms(self, here: str, old: list[Schema], new: list[Schema], way: str) -> Iterator[str]:
        """Alternatives: each that could be sent is still taken, each that may come was there before."""
        nulls = [any(each.get("type") == "null" for each in forms) for forms in (old, new)]
        if nulls == [True, False] and way == SENT:
            yield f"{here}: null is refused now"
        if nulls == [False, True] and way == GOT:
            yield f"{here}: may be null now"
        old, new = ([each for each in forms if each.get("type") != "null"] for forms in (old, new))
        if len(old) == len(new) == 1:
            yield from self._one(here, old[0], new[0], way)
            return
        asked, known = (old, new) if way == SENT else (new, old)
        for form in asked:
            tries = ((form, each) if way == SENT else (each, form) for each in known)
            if not any(not list(self._one(here, before, after, way)) for before, after in tries):
                became = "is refused now" if way == SENT else "may come that was not named"
                yield f"{here}: a form {became}: {_brief(form)}"

    def _one(self, here: str, old: Schema, new: Schema, way: str) -> Iterator[str]:
        yield from _kinds(here, old, new, way)
        yield from _values(here, old, new, way)
        yield from _limits(here, old, new, way)
        yield from self._properties(here, old, new, way)
        if "items" in old and "items" in new:
            yield from self._schema(f"{here}[]", old["items"], new["items"], way)
        elif "items" in new and way == SENT:
            yield f"{here}: its items are narrowed"
        extra = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if isinstance(extra[0], dict) and isinstance(extra[1], dict):
            yield from self._schema(f"{here}.*", extra[0], extra[1], way)
        elif extra[0] is not False and extra[1] is False and way == SENT:
            yield f"{here}: fields nobody knows are refused now"

    def _properties(self, here: str, old: Schema, new: Schema, way: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        needed, needs = set(old.get("required", ())), set(new.get("required", ()))
        for name, field in before.items():
            if name not in after:
                yield f"{here}.{name}: the field is gone"
                continue
            yield from self._schema(f"{here}.{name}", field, after[name], way)
        if way == SENT:
            yield from (f"{here}.{each}: the field became required" for each in sorted(needs - needed))
        else:
            lost = sorted((needed - needs) & after.keys())
            yield from (f"{here}.{each}: the field may be absent now" for each in lost)


def _forms(document: Document, schema: Schema) -> list[Schema]:
    """The alternatives of a schema with its references followed; a list of types is one alternative each."""
    while "$ref" in schema:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        node: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            node = node[step]
        schema = {**node, **beside}
    if len(schema.get("allOf", ())) == 1:
        rest = {key: value for key, value in schema.items() if key != "allOf"}
        return [{**form, **rest} for form in _forms(document, schema["allOf"][0])]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return [form for each in schema[key] for form in _forms(document, each)]
    if isinstance(schema.get("type"), list):
        return [{**schema, "type": each} for each in schema["type"]]
    return [schema]


def _gone(old: Schema, new: Schema, key: str) -> list[str]:
    return sorted(old.get(key, {}).keys() - new.get(key, {}).keys())


def _kinds(here: str, old: Schema, new: Schema, way: str) -> Iterator[str]:
    before, after = old.get("type"), new.get("type")
    narrow, wide = (after, before) if way == SENT else (before, after)
    if narrow is not None and wide != narrow and not (narrow == "number" and wide == "integer"):
        yield f"{here}: the type was {before or 'any'}, is {after or 'any'}"


def _values(here: str, old: Schema, new: Schema, way: str) -> Iterator[str]:
    before, after = _enum(old), _enum(new)
    if way == SENT and after is not None:
        lost = ["other values"] if before is None else [repr(each) for each in before if each not in after]
        yield from (f"{here}: {each} is refused now" for each in lost)
    if way == GOT and before is not None:
        added = ["any value"] if after is None else [repr(each) for each in after if each not in before]
        yield from (f"{here}: {each} may come now" for each in added)


def _enum(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    return schema.get("enum")


_LOW = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_HIGH = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")


def _limits(here: str, old: Schema, new: Schema, way: str) -> Iterator[str]:
    """Bounds bind the sender; a form (pattern, format) binds both."""
    if way == SENT:
        for keys, sign in ((_LOW, 1), (_HIGH, -1)):
            for key in (each for each in keys if each in new):
                if key not in old or sign * new[key] > sign * old[key]:
                    yield f"{here}: {key} was {old.get(key, 'not there')}, is {new[key]}"
        if "default" in old and old["default"] != new.get("default"):
            yield f"{here}: the default was {old['default']!r}, is {new.get('default')!r}"
    narrow, wide = (new, old) if way == SENT else (old, new)
    for key in ("pattern", "format", "multipleOf", "uniqueItems"):
        if narrow.get(key) and narrow[key] != wide.get(key):
            yield f"{here}: {key} was {old.get(key)!r}, is {new.get(key)!r}"


def _brief(schema: Schema) -> str:
    return str(schema.get("title") or schema.get("const") or schema.get("enum") or schema.get("type") or "any")
