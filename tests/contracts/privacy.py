"""The rule "no event carries personal data or free text", as a function over an event class's JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from contracts.envelope import EventData

FORMATS = ("uuid", "date-time", "date")
FORBIDDEN_WORDS = frozenset(
    {"name", "names", "phone", "telephone", "mobile", "email", "address", "idcard", "face", "photo"}
    | {"text", "description", "note", "comment", "remark", "title"}
)
FORBIDDEN_NAMES = ("id_number", "id_card", "call_sign")

# What a careless pattern would let through. No pattern of ours may match any of them.
FREE_TEXTS = (
    "张三",
    "李四 住幸福路3号",
    "John Smith",
    "call me: +86 138-0000-0000",
    "11010119900307123X",
    "a@b.cn",
    "",
)


def offences(cls: type[EventData]) -> list[str]:
    """Every field of `cls`, however deep, that could carry a person or free text; empty is good."""
    schema = cls.model_json_schema(mode="validation")
    return sorted(set(_walk(cls.__name__, schema, schema.get("$defs", {}), ())))


def _walk(path: str, node: dict[str, Any], definitions: dict[str, Any], open_refs: tuple[str, ...]) -> Iterator[str]:
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        if name not in open_refs:
            yield from _walk(path, definitions[name], definitions, (*open_refs, name))
        return
    branches = [branch for key in ("anyOf", "oneOf", "allOf") for branch in node.get(key, ())]
    if branches:
        for branch in branches:
            yield from _walk(path, branch, definitions, open_refs)
        return
    if "enum" in node or "const" in node:
        return
    match node.get("type"):
        case "boolean" | "integer" | "number" | "null":
            pass
        case "string":
            yield from _string(path, node)
        case "array":
            for item in node.get("prefixItems", [node.get("items", {})]):
                yield from _walk(f"{path}[]", item, definitions, open_refs)
        case "object" if "properties" in node:
            for name, field in node["properties"].items():
                yield from _named(f"{path}.{name}", name)
                yield from _walk(f"{path}.{name}", field, definitions, open_refs)
        case _:
            yield f"{path}: open-ended value (a dict or Any may hold anything)"


def _string(path: str, node: dict[str, Any]) -> Iterator[str]:
    if node.get("format") in FORMATS:
        return
    pattern = node.get("pattern")
    if pattern is None:
        yield f"{path}: str without enum, pattern or format uuid/date-time"
        return
    let_through = [text for text in FREE_TEXTS if re.search(pattern, text)]
    if let_through:
        yield f"{path}: pattern {pattern} lets free text through, for example {let_through[0]!r}"


def _named(path: str, name: str) -> Iterator[str]:
    if name in FORBIDDEN_NAMES or FORBIDDEN_WORDS & set(name.lower().split("_")):
        yield f"{path}: a field of this name would carry a person or free text"
