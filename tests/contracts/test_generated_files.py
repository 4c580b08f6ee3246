"""What is committed under contracts/ is what the classes say, and every example is true."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker

from contracts import catalogue, generate
from contracts.envelope import Envelope, EventData
from contracts.registry import all_events

EVENTS = list(all_events())


def test_committed_files_equal_the_generated_ones() -> None:
    stale = generate.stale()
    assert not stale, f"out of date: {', '.join(stale[:5])} ({len(stale)} files); run `{generate.COMMAND}` and commit"


def test_the_event_map_names_every_event_and_every_queue_that_hears_it() -> None:
    page = (generate.ROOT / "ARCHITECTURE.md").read_text()
    for key, consumers in generate.subscribers().items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{key}` "))
        assert all(f"`{queue}`" in row for _, queue in consumers)


def test_generation_gives_the_same_twice() -> None:
    assert generate.files() == generate.files()


@pytest.mark.parametrize("cls", EVENTS, ids=lambda cls: cls.type)
def test_an_example_validates_against_its_schemas_and_its_class(cls: type[EventData]) -> None:
    example = _read(f"examples/{cls.type}.json")
    envelope = Envelope.model_validate_json(json.dumps(example))
    assert envelope.type == cls.type
    assert envelope.routing_key == cls.routing_key()
    _validate("envelope", example)
    _validate(cls.type, example["data"])
    data = cls.model_validate(example["data"])
    assert data.model_dump(mode="json") == example["data"]


def test_every_schema_is_itself_a_valid_schema() -> None:
    for name, schema in catalogue.schemas().items():
        Draft202012Validator.check_schema(schema)
        assert schema.get("description") or name == "envelope", f"{name} has no meaning: give its class a docstring"


def test_the_asyncapi_document_has_a_channel_a_message_and_an_owner_for_every_event() -> None:
    document = yaml.safe_load((generate.HERE / "asyncapi.yaml").read_text())
    assert document["asyncapi"] == "3.0.0"
    for cls in EVENTS:
        key = cls.routing_key()
        assert document["channels"][key]["address"] == key
        assert cls.type in document["components"]["messages"]
        assert document["operations"][f"{cls.service()}.send.{key}"]["action"] == "send"


def test_every_reference_of_the_asyncapi_document_resolves() -> None:
    document = yaml.safe_load((generate.HERE / "asyncapi.yaml").read_text())
    for reference in _references(document):
        if reference.startswith("./"):
            assert (generate.HERE / reference).is_file(), reference
            continue
        node: Any = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []


def _read(path: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((generate.HERE / path).read_text())
    return value


def _validate(name: str, value: Any) -> None:
    Draft202012Validator(_read(f"schemas/{name}.json"), format_checker=FormatChecker()).validate(value)
