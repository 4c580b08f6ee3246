"""Log lines and contexts."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from backbone import telemetry


@pytest.fixture(autouse=True)
def _restored() -> object:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def test_lines_are_json_with_process_and_correlation(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure("toy")
    with telemetry.bound(telemetry.Context("c-1", traceparent=f"00-{'a' * 32}-{'b' * 16}-01")):
        telemetry.logger("here").info("done", 隐患=1)
        logging.getLogger("elsewhere").warning("from the library")
    ours, theirs = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert ours["process"] == theirs["process"] == "toy"
    assert ours["correlation_id"] == theirs["correlation_id"] == "c-1"
    assert ours["trace_id"] == "a" * 32
    assert (ours["event"], ours["隐患"], theirs["event"]) == ("done", 1, "from the library")


def test_work_without_a_context_gets_a_correlation_of_its_own() -> None:
    assert telemetry.current().correlation_id != telemetry.current().correlation_id
    with telemetry.bound(telemetry.Context("c-2")) as context:
        assert telemetry.current() is context
        assert context.trace_id == "c-2"
