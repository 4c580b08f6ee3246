"""The AsyncAPI project's own parser reads our document without a word of complaint; and it would complain.

`make bootstrap` installs it by tests/contracts/asyncapi/package-lock.json; here Node only reads files.
"""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from contracts import generate
from contracts.registry import all_events
from infra.local.npm import NODE

CHECKER = pathlib.Path(__file__).parent / "asyncapi"

pytestmark = pytest.mark.timeout(120)


def parsed(*documents: pathlib.Path) -> list[dict[str, Any]]:
    """What the parser finds in each document."""
    if not (CHECKER / "node_modules").is_dir():
        pytest.fail("the parser is not installed: run `make bootstrap`")
    ended = subprocess.run(
        [str(NODE / "bin" / "node"), "parse.mjs", *map(str, documents)],
        cwd=CHECKER,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    found: list[dict[str, Any]] = json.loads(ended.stdout)
    return found


def errors(found: dict[str, Any]) -> list[str]:
    return [f"{each['at']}: {each['message']}" for each in found["diagnostics"] if each["severity"] == "error"]


def test_the_document_has_no_error_and_no_warning() -> None:
    (found,) = parsed(generate.HERE / "asyncapi.yaml")
    complaints = [each for each in found["diagnostics"] if each["severity"] in ("error", "warning")]
    assert complaints == []
    assert found["read"]
    assert found["messages"] == len(list(all_events()))


def _lost_schema(document: dict[str, Any]) -> None:
    message = next(iter(document["components"]["messages"].values()))
    message["payload"]["allOf"][0]["$ref"] = "./schemas/no_such_file.json"


def _sends_what_the_channel_has_not(document: dict[str, Any]) -> None:
    operation = next(iter(document["operations"].values()))
    operation["messages"] = [{"$ref": "#/channels/hazards.case.reported/messages/no_such_message"}]


def _unknown_action(document: dict[str, Any]) -> None:
    next(iter(document["operations"].values()))["action"] = "shout"


def _no_title(document: dict[str, Any]) -> None:
    del document["info"]["title"]


def _a_payload_of_no_type(document: dict[str, Any]) -> None:
    message = next(iter(document["components"]["messages"].values()))
    message["payload"] = {"type": "no_such_type"}


BREAKS: tuple[Callable[[dict[str, Any]], None], ...] = (
    _lost_schema,
    _sends_what_the_channel_has_not,
    _unknown_action,
    _no_title,
    _a_payload_of_no_type,
)


def test_a_broken_document_is_found_broken(tmp_path: pathlib.Path) -> None:
    shutil.copytree(generate.HERE / "schemas", tmp_path / "schemas")
    whole = (generate.HERE / "asyncapi.yaml").read_text()
    paths = [tmp_path / f"{n}.yaml" for n in range(len(BREAKS) + 1)]
    paths[0].write_text(whole)
    for path, breaks in zip(paths[1:], BREAKS, strict=True):
        document = yaml.safe_load(whole)
        breaks(document)
        path.write_text(yaml.safe_dump(document))
    as_it_is, *broken = parsed(*paths)
    assert errors(as_it_is) == []
    assert [breaks.__name__ for breaks, found in zip(BREAKS, broken, strict=True) if not errors(found)] == []


def test_the_lock_names_no_address() -> None:
    lock = (CHECKER / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert all("integrity" in each for path, each in json.loads(lock)["packages"].items() if path)
