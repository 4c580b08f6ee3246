"""A deprecated event version says so everywhere it is described: since when, and what replaces it."""

from __future__ import annotations

import json
import pathlib
import shutil
from typing import ClassVar

import pytest
import yaml
from jsonschema import Draft202012Validator

from contracts import additive, asyncapi, catalogue, eventmap, generate, registry
from contracts.envelope import Deprecation, EventData
from contracts.patrol.events import ShiftEnded
from contracts.registry import all_events
from tests.contracts.test_asyncapi_parser import errors, parsed

NEW = "county.patrol.shift.ended.v2"


class OldShiftEnded(ShiftEnded):
    """The unit is off duty."""

    deprecation: ClassVar[Deprecation | None] = Deprecation(since="2027-03-01", replaced_by=NEW)


class NewShiftEnded(EventData):
    """The unit is off duty, said better."""

    type: ClassVar[str] = NEW
    trigger: ClassVar[str] = "command MoveShift end"
    minutes: int


def test_its_schema_says_so_and_only_words_have_changed() -> None:
    schema = catalogue.event_schema(OldShiftEnded)
    assert schema["deprecated"] is True
    assert schema["x-deprecated"] == {"since": "2027-03-01", "replacedBy": NEW}
    Draft202012Validator.check_schema(schema)
    assert additive.breaches(ShiftEnded.type, catalogue.event_schema(ShiftEnded), schema) == []
    assert "deprecated" not in catalogue.event_schema(ShiftEnded)


def test_the_asyncapi_document_shows_it_beside_its_successor_on_one_channel(tmp_path: pathlib.Path) -> None:
    key = ShiftEnded.routing_key()
    made = asyncapi.document({key: (("hazards", "hazards.on-shifts"),)}, [OldShiftEnded, NewShiftEnded])
    old, new = (made["components"]["messages"][each.type] for each in (OldShiftEnded, NewShiftEnded))
    assert old["x-deprecated"] == {"since": "2027-03-01", "replacedBy": NEW}
    assert old["tags"] == [{"name": "deprecated", "description": asyncapi.ends(OldShiftEnded)}]
    assert NEW in asyncapi.ends(OldShiftEnded)
    assert "x-deprecated" not in new
    assert len(made["channels"]) == 1
    assert len(made["channels"][key]["messages"]) == 2
    for operation in (f"patrol.send.{key}", f"hazards.receive.{key}"):
        assert len(made["operations"][operation]["messages"]) == 2
    shutil.copytree(generate.HERE / "schemas", tmp_path / "schemas")
    for cls in (OldShiftEnded, NewShiftEnded):
        (tmp_path / "schemas" / f"{cls.type}.json").write_text(json.dumps(catalogue.event_schema(cls)))
    file = tmp_path / "asyncapi.yaml"
    file.write_text(yaml.safe_dump(made))
    (found,) = parsed(file)
    assert errors(found) == []
    assert found["messages"] == 2


def test_the_event_map_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eventmap, "all_events", lambda: [OldShiftEnded, NewShiftEnded])
    old, new = eventmap.markdown({}).splitlines()[2:]
    assert f"**deprecated since 2027-03-01; read `{NEW}` instead.**" in old
    assert "deprecated" not in new


def test_a_day_that_is_none_and_a_class_that_replaces_itself_are_refused() -> None:
    with pytest.raises(ValueError, match="isoformat"):
        Deprecation(since="next spring")

    class Circle(EventData):
        """Replaces itself."""

        type: ClassVar[str] = "county.patrol.shift.circled.v1"
        trigger: ClassVar[str] = "a typing error"
        deprecation: ClassVar[Deprecation | None] = Deprecation("2027-03-01", "county.patrol.shift.circled.v1")

    with pytest.raises(ValueError, match="replace itself"):
        registry.event(Circle)


@pytest.mark.parametrize("cls", [cls for cls in all_events() if cls.deprecation] or [None])
def test_what_replaces_a_deprecated_version_exists(cls: type[EventData] | None) -> None:
    if cls is not None and cls.deprecation is not None and cls.deprecation.replaced_by is not None:
        assert registry.event_class(cls.deprecation.replaced_by)
