"""Old readers and new messages, new readers and old messages, over every event: a minor version disturbs nobody.

"Newer" is made here: each class with optional fields added, as the rules of docs/contracts.md allow; "older" are the
examples of the last release, and today's with every optional field left out.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError, create_model

from backbone.inbox import decode
from contracts import additive, catalogue, release, sample
from contracts.envelope import Envelope, EventData
from contracts.registry import UnknownEventType, all_events

EVENTS = list(all_events())
EXAMPLES = release.promised("examples")
by_type = pytest.mark.parametrize("cls", EVENTS, ids=lambda cls: cls.type)


class _Shade(StrEnum):
    LIGHT = "light"
    DARK = "dark"


class _Detail(BaseModel):
    shade: _Shade = _Shade.LIGHT
    more: tuple[int, ...] = ()


def newer(cls: type[EventData]) -> type[EventData]:
    """The next minor version of a class: optional fields of every kind added."""

    class Next(cls):  # type: ignore[misc,valid-type]
        added_number: int = 0
        added_time: datetime | None = None
        added_detail: _Detail | None = None
        added_list: tuple[_Shade, ...] = ()

    Next.__doc__ = cls.__doc__
    return Next


def older(cls: type[EventData]) -> dict[str, Any]:
    """Today's example as the poorest sender may say it: without any optional field."""
    required = cls.model_json_schema(mode="validation").get("required", [])
    data = sample.example(cls)["data"]
    return {name: data[name] for name in required}


def message(cls: type[EventData], data: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps(sample.example(cls) | {"data": data} | changes).encode()


def with_more(node: Any) -> Any:
    """The same JSON with an unknown field in every object, however deep."""
    if isinstance(node, dict):
        return {name: with_more(value) for name, value in node.items()} | {"nobody_knows": [{"a": None}, 1.5, "文"]}
    return [with_more(each) for each in node] if isinstance(node, list) else node


@by_type
def test_todays_reader_reads_the_next_minor_versions_message(cls: type[EventData]) -> None:
    old = sample.example(cls)["data"]
    detail = _Detail(shade=_Shade.DARK, more=(1, 2))
    sent = newer(cls)(
        **old, added_number=7, added_time=datetime.now(UTC), added_detail=detail, added_list=(_Shade.DARK,)
    )
    read = decode(message(cls, sent.model_dump(mode="json"), sampledrate=2, newattribute="x"))
    assert read.data == cls.model_validate(old)


@by_type
def test_the_next_minor_versions_reader_reads_todays_message(cls: type[EventData]) -> None:
    read = newer(cls).model_validate(sample.example(cls)["data"])
    assert (read.added_number, read.added_time, read.added_list) == (0, None, ())  # type: ignore[attr-defined]
    assert cls.model_validate(read.model_dump()) == cls.model_validate(sample.example(cls)["data"])


@by_type
def test_what_the_next_minor_version_adds_keeps_every_promise(cls: type[EventData]) -> None:
    assert additive.breaches(cls.type, catalogue.event_schema(cls), catalogue.event_schema(newer(cls))) == []


@by_type
def test_unknown_fields_are_ignored_wherever_they_stand(cls: type[EventData]) -> None:
    whole = sample.example(cls)
    read = decode(json.dumps(with_more(whole)).encode())
    assert read.data == cls.model_validate(whole["data"])


@by_type
def test_what_an_older_sender_leaves_out_gets_its_default(cls: type[EventData]) -> None:
    read = decode(message(cls, older(cls)))
    for name, field in cls.model_fields.items():
        if not field.is_required():
            assert getattr(read.data, name) == field.get_default(call_default_factory=True), name


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_todays_reader_reads_every_released_example(name: str) -> None:
    """And says of it what was said then: nothing is lost on the way through today's class."""
    read = decode(json.dumps(EXAMPLES[name]).encode())
    assert read.data.type == name
    said = read.data.model_dump(mode="json")
    assert {key: said[key] for key in EXAMPLES[name]["data"]} == EXAMPLES[name]["data"]


@by_type
def test_a_version_that_nobody_knows_is_told_apart_from_a_broken_message(cls: type[EventData]) -> None:
    unknown = cls.type.rpartition(".v")[0] + ".v9"
    with pytest.raises(UnknownEventType):
        decode(message(cls, older(cls), type=unknown))


def enums(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in the data of an example a value of an enum stands."""
    if isinstance(node, BaseModel):
        for name in type(node).model_fields:
            yield from enums(getattr(node, name), (*path, name))
    elif isinstance(node, (tuple, list)):
        for n, each in enumerate(node):
            yield from enums(each, (*path, n))
    elif isinstance(node, StrEnum):
        yield path


@by_type
def test_enums_are_closed_so_a_value_that_nobody_knows_is_refused_whole(cls: type[EventData]) -> None:
    """A reader that would take it for something else, or for nothing, would act on what it does not understand."""
    good = sample.example(cls)["data"]
    for path in enums(cls.model_validate(good)):
        data = copy.deepcopy(good)
        at = data
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = "nobody_knows"
        with pytest.raises(ValidationError):
            decode(message(cls, data))


def test_a_reader_that_demands_more_or_knows_less_would_be_noticed() -> None:
    """What these tests protect from: each is a change that the rules forbid, and each fails to read today's."""
    case = next(cls for cls in EVENTS if cls.type == "county.hazards.case.reported.v1")
    data = sample.example(case)["data"]
    demanding = create_model("Demanding", __base__=case, colour=(str, ...))
    narrower = create_model("Narrower", __base__=case, sensitivity=(bool, ...))
    readers: list[Any] = [demanding, narrower]
    for reader in readers:
        assert additive.breaches(case.type, catalogue.event_schema(case), catalogue.event_schema(reader))
    with pytest.raises(ValidationError):
        demanding.model_validate(data)


class _Rich(Envelope):
    newattribute: str | None = None


def test_the_envelope_gains_attributes_the_same_way() -> None:
    example = sample.example(EVENTS[0])
    assert Envelope.model_validate(_Rich.model_validate(example | {"newattribute": "x"}).model_dump())
    assert _Rich.model_validate(example).newattribute is None
    released = release.promised("schemas")["envelope"]
    richer = catalogue.envelope_schema() | {"properties": _Rich.model_json_schema()["properties"]}
    assert additive.breaches("envelope", released, richer) == []
