"""These tests share one running platform and write one report."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from infra.local import place
from tests.faults import report
from tests.faults.report import notes
from tests.integration.backbone.conftest import processes, stage
from tests.platform import platform

__all__ = ["notes", "platform", "processes", "stage"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    outcome = yield
    report.keep_outcome(item, outcome)
    return outcome


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if path := report.write(place.LINK):
        terminalreporter.write_line(f"fault report: {path}")
        terminalreporter.write_line(report.REPORT.closing)
