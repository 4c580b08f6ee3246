"""A released schema never changes; and the check that says so would notice."""

from __future__ import annotations

import copy
import json
import pathlib

import pytest

from contracts import catalogue, released
from contracts.hazards.events import CaseReported


def test_every_released_schema_is_what_it_was() -> None:
    assert released.broken(released.promised(), released.current()) == []


def test_the_envelope_and_every_event_would_be_promised_and_no_command() -> None:
    now = released.current()
    assert "envelope" in now
    assert CaseReported.type in now
    assert not [name for name in now if name != "envelope" and not name.startswith("county.")]


def test_other_words_keep_the_promise_and_everything_else_breaks_it() -> None:
    schema = catalogue.event_schema(CaseReported)
    before = {CaseReported.type: released.digest(schema)}
    worded = copy.deepcopy(schema) | {"description": "Said better.", "title": "Case", "x-trigger": "the same"}
    assert released.broken(before, {CaseReported.type: released.digest(worded)}) == []

    one_more, one_less, looser = (copy.deepcopy(schema) for _ in range(3))
    one_more["properties"]["title"] = {"type": "integer"}  # a field of that name, not a word
    one_less["properties"].pop("state")
    looser["required"].remove("state")
    for changed in (one_more, one_less, looser):
        assert len(released.broken(before, {CaseReported.type: released.digest(changed)})) == 1
    assert "is gone" in released.broken(before, {})[0]


def test_a_release_adds_what_is_new_and_refuses_to_rewrite(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(released, "FILE", tmp_path / "released.json")
    released.FILE.write_text("{}")
    assert released.main() == 0
    assert json.loads(released.FILE.read_text()) == released.current()
    kept = released.FILE.read_text().replace(released.current()["envelope"], "0" * 64)
    released.FILE.write_text(kept)
    assert released.main() == 1
    assert "envelope was released and has changed" in capsys.readouterr().err
    assert released.FILE.read_text() == kept
