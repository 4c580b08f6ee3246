"""The clock of a process: the system's, or a simulated one, and that on a demo only."""

from datetime import UTC, datetime, timedelta

import pytest

from backbone.clock import SimulatedElsewhere, process_clock, system_clock


def test_without_the_setting_it_is_the_systems() -> None:
    assert process_clock(demo=True) is system_clock


def test_a_simulated_clock_runs_as_fast_as_it_is_told_and_alike_in_every_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    anchor = system_clock() - timedelta(seconds=10)
    monkeypatch.setenv("PINGAN_CLOCK_STARTS_AT", "2026-02-10T08:00:00+08:00")
    monkeypatch.setenv("PINGAN_CLOCK_ANCHOR", anchor.isoformat())
    monkeypatch.setenv("PINGAN_CLOCK_SPEED", "3600")
    clocks = [process_clock(demo=True) for _ in range(2)]
    shows = [clock() for clock in clocks]
    assert shows[0] - datetime(2026, 2, 10, tzinfo=UTC) == pytest.approx(timedelta(hours=10), abs=timedelta(hours=2))
    assert shows[1] - shows[0] < timedelta(hours=1)
    assert clocks[0]() >= shows[0]


def test_a_platform_that_is_no_demo_does_not_start_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINGAN_CLOCK_STARTS_AT", "2026-02-10T08:00:00+08:00")
    with pytest.raises(SimulatedElsewhere):
        process_clock(demo=False)


def test_an_instant_without_a_zone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINGAN_CLOCK_STARTS_AT", "2026-02-10T08:00:00")
    with pytest.raises(ValueError, match="timezone"):
        process_clock(demo=True)
