"""The public API only gains; and the comparison that says so would notice every loss."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from contracts import additions, generate, release


@pytest.fixture(scope="module")
def today() -> dict[str, Any]:
    bare: dict[str, Any] = release.bare(generate.openapi())
    return bare


def test_nothing_that_the_released_api_promised_is_missing(today: dict[str, Any]) -> None:
    broken = release.broken_api(release.promised_api(), today)
    assert broken == [], "\n".join(broken)


def test_the_api_is_promised() -> None:
    assert len(release.promised_api()["paths"]) >= 40


def test_an_api_is_what_it_is_and_words_are_no_part_of_it(today: dict[str, Any]) -> None:
    assert additions.losses(today, generate.openapi()) == []
    assert additions.losses(generate.openapi(), today) == []


THING: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "colour": {"enum": ["red", "green"]},
        "size": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}], "default": None},
        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
        "place": {"oneOf": [{"type": "string"}, {"type": "object", "properties": {"lon": {"type": "number"}}}]},
    },
    "required": ["name"],
}
WISH = copy.deepcopy(THING)
WISH["properties"]["parts"]["items"]["$ref"] = "#/components/schemas/Wish"
SMALL: dict[str, Any] = {
    "paths": {
        "/things": {
            "get": {
                "parameters": [{"in": "query", "name": "colour", "schema": {"enum": ["red", "green"]}}],
                "responses": {
                    "200": {
                        "headers": {"ETag": {}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                    },
                    "404": {},
                },
            },
            "post": {
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Wish"}},
                        "text/csv": {"schema": {}},
                    }
                },
                "responses": {"201": {}},
            },
        },
        "/other": {"get": {"responses": {"200": {}}}},
    },
    "components": {"schemas": {"Thing": THING, "Wish": WISH}},
}
GET, POST = ("paths", "/things", "get"), ("paths", "/things", "post")
GOT, SENT = ("components", "schemas", "Thing"), ("components", "schemas", "Wish")
JSON = ("content", "application/json", "schema")


def at(node: Any, *path: Any) -> Any:
    for step in path:
        node = node[step]
    return node


def put(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        at(document, *path[:-1])[path[-1]] = to

    return change


def drop(*path: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        del at(document, *path[:-1])[path[-1]]

    return change


LOST: list[tuple[str, Callable[[dict[str, Any]], None]]] = [
    ("/other: the path is gone", drop("paths", "/other")),
    ("POST /things: the operation is gone", drop(*POST)),
    ("GET /things: asks who is calling", put(*GET, "security", to=[{"bearer": []}])),
    ("GET /things answer 404: is gone", drop(*GET, "responses", "404")),
    ("GET /things answer 200: header ETag is gone", drop(*GET, "responses", "200", "headers", "ETag")),
    ("GET /things answer 200: media type", put(*GET, "responses", "200", "content", to={"text/plain": {}})),
    ("GET /things query colour: the parameter is gone", put(*GET, "parameters", to=[])),
    ("GET /things query colour: became required", put(*GET, "parameters", 0, "required", to=True)),
    ("GET /things query colour: 'red' is refused now", put(*GET, "parameters", 0, "schema", "enum", to=["green"])),
    ("GET /things header X: the new parameter is required", lambda d: at(d, *GET, "parameters").append(
        {"in": "header", "name": "X", "required": True})),
    ("POST /things body: became required", put(*POST, "requestBody", "required", to=True)),
    ("POST /things body: is gone", drop(*POST, "requestBody")),
    ("POST /things body: media type text/csv is gone", drop(*POST, "requestBody", "content", "text/csv")),
    ("GET /things body: is required, and there was none", put(*GET, "requestBody", to={"required": True})),
    ("answer 200.name: the field is gone", drop(*GOT, "properties", "name")),
    ("answer 200.name: the field may be absent", put(*GOT, "required", to=[])),
    ("answer 200.name: the type was string, is integer", put(*GOT, "properties", "name", "type", to="integer")),
    ("answer 200.colour: 'blue' may come now", put(*GOT, "properties", "colour", "enum", to=["red", "green", "blue"])),
    ("answer 200.colour: any value may come now", put(*GOT, "properties", "colour", to={})),
    ("answer 200.name: may be null now", put(*GOT, "properties", "name", to={"type": ["string", "null"]})),
    ("answer 200.place: a form may come", lambda d: at(d, *GOT, "properties", "place", "oneOf").append(
        {"type": "boolean"})),
    ("body.name: the field is gone", drop(*SENT, "properties", "name")),
    ("body.colour: the field became required", put(*SENT, "required", to=["name", "colour"])),
    ("body.more: the field became required", put(*SENT, "required", to=["name", "more"])),
    ("body.colour: 'red' is refused now", put(*SENT, "properties", "colour", "enum", to=["green"])),
    ("body.name: maxLength was 20, is 10", put(*SENT, "properties", "name", "maxLength", to=10)),
    ("body.name: pattern was None", put(*SENT, "properties", "name", "pattern", to="^a")),
    ("body.size: minimum was 1, is 2", put(*SENT, "properties", "size", "anyOf", 0, "minimum", to=2)),
    ("body.size: null is refused now", put(*SENT, "properties", "size", to={"type": "integer", "minimum": 1})),
    ("body.place: a form is refused now", lambda d: at(d, *SENT, "properties", "place", "oneOf").pop()),
    ("body: fields nobody knows are refused now", put(*SENT, "additionalProperties", to=False)),
    ("body.parts[]", put(*SENT, "properties", "parts", "items", to={"type": "string"})),
]  # fmt: skip


@pytest.mark.parametrize(("words", "change"), LOST, ids=[words for words, _ in LOST])
def test_a_loss_is_named(words: str, change: Callable[[dict[str, Any]], None]) -> None:
    later = copy.deepcopy(SMALL)
    change(later)
    found = additions.losses(SMALL, later)
    assert [line for line in found if words in line], found


GAINED: list[Callable[[dict[str, Any]], None]] = [
    put("paths", "/new", to={"get": {"responses": {"200": {}}}}),
    put("paths", "/other", "post", to={"requestBody": {"required": True}, "responses": {}}),
    put(*GET, "responses", "410", to={}),
    lambda d: at(d, *GET, "parameters").append({"in": "query", "name": "size", "schema": {"type": "integer"}}),
    put(*GET, "parameters", 0, "schema", "enum", to=["green", "red", "blue"]),
    put(*GOT, "properties", "new", to={"type": "string"}),
    put(*GOT, "required", to=["name", "colour"]),
    put(*GOT, "properties", "size", to={"type": "integer", "minimum": 1}),
    put(*SENT, "properties", "new", to={"type": "string"}),
    put(*SENT, "required", to=[]),
    put(*SENT, "properties", "name", to={"type": ["string", "null"], "maxLength": 30}),
    put(*SENT, "properties", "colour", to={"enum": ["blue", "green", "red"]}),
    put(*SENT, "properties", "size", "anyOf", 0, to={"type": "number", "minimum": 0}),
]


@pytest.mark.parametrize("change", GAINED, ids=range(len(GAINED)))
def test_a_gain_is_no_loss(change: Callable[[dict[str, Any]], None]) -> None:
    later = copy.deepcopy(SMALL)
    change(later)
    assert additions.losses(SMALL, later) == []


def test_every_path_and_every_operation_of_ours_would_be_missed() -> None:
    released = release.promised_api()
    for path, methods in released["paths"].items():
        for method in methods:
            later = {
                **released,
                "paths": {**released["paths"], path: {k: v for k, v in methods.items() if k != method}},
            }
            assert additions.losses(released, later) == [f"{method.upper()} {path}: the operation is gone"]


def test_every_field_of_ours_that_a_client_gets_would_be_missed() -> None:
    """Each schema that an answer uses, each field of it: without it, something is named."""
    released = release.promised_api()
    for name, schema in released["components"]["schemas"].items():
        for field in schema.get("properties", {}):
            later = copy.deepcopy(released)
            del later["components"]["schemas"][name]["properties"][field]
            found = additions.losses(released, later)
            # Of alternatives (a split, a merge ...) only the whole form can be named.
            assert any(f".{field}: the field is gone" in line or ": a form " in line for line in found), (name, field)
