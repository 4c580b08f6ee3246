"""The report of a fault run: seed, scale, versions, and for each test its figures, kill times and outcome.

Written as Markdown to `faults-report.md` in the instance's own directory when the session ends (the path is
printed); `docs/faults.md` is a copy of one at full scale.
"""

from __future__ import annotations

import datetime
import pathlib
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.faults.scale import FULL, SCALE, SEED


@dataclass
class Notes:
    """What one test has to say; printed as it comes, and kept for the report."""

    test: str
    started: float = field(default_factory=time.monotonic)
    lines: list[str] = field(default_factory=list)
    outcome: str = "not run"
    seconds: float = 0.0

    def say(self, line: str) -> None:
        """A figure or a kill, stamped with the seconds since the test began."""
        stamped = f"{time.monotonic() - self.started:6.1f} s  {line}"
        print(stamped, flush=True)
        self.lines.append(stamped)


@dataclass
class Report:
    """Of one session."""

    tests: list[Notes] = field(default_factory=list)
    versions: str = ""
    """Of the servers, when a test said them."""
    began: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))

    def of(self, test: str) -> Notes:
        notes = Notes(test)
        self.tests.append(notes)
        return notes

    @property
    def closing(self) -> str:
        passed = sum(notes.outcome == "passed" for notes in self.tests)
        failed = sum(notes.outcome == "failed" for notes in self.tests)
        return f"{passed} passed, {failed} failed"

    def markdown(self) -> str:
        form = f"scale {SCALE:g}" if FULL else "short form"
        parts = [
            "# Fault run",
            f"{self.began:%Y-%m-%d %H:%M} UTC, seed {SEED}, {form}, Python {platform.python_version()}"
            + (f", {self.versions}" if self.versions else ""),
            "| test | outcome | seconds |\n|---|---|---|\n"
            + "\n".join(f"| {notes.test} | {notes.outcome} | {notes.seconds:.0f} |" for notes in self.tests),
        ]
        for notes in self.tests:
            said = "\n".join(f"    {line}" for line in notes.lines) or "    (nothing to say)"
            parts.append(f"## {notes.test}\n\n{said}")
        return "\n\n".join([*parts, self.closing]) + "\n"


REPORT = Report()


@pytest.fixture
def notes(request: pytest.FixtureRequest) -> Iterator[Notes]:
    """Where a fault test says its figures: `notes.say("kill -9 relay (pid 7)")`."""
    notes = REPORT.of(f"{request.node.path.stem.removeprefix('test_')}: {request.node.name.removeprefix('test_')}")
    yield notes
    notes.seconds = time.monotonic() - notes.started


def keep_outcome(item: pytest.Item, outcome: pytest.TestReport) -> None:
    """Called for each phase of each test; a failure of any phase is the test's."""
    notes = getattr(item, "funcargs", {}).get("notes")
    if notes is None:
        return
    if outcome.failed:
        notes.outcome = "failed"
    elif outcome.when == "call" and notes.outcome == "not run":
        notes.outcome = outcome.outcome


def write(directory: pathlib.Path) -> pathlib.Path | None:
    """The report's path; None when no fault test ran."""
    if not REPORT.tests:
        return None
    path = directory / "faults-report.md"
    path.write_text(REPORT.markdown())
    return path
