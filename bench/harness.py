"""Subject and reference by turns, at least five times; median of the ratios, smallest and largest.

Machines drift: a rate alone says little, the ratio of two neighbours in time says what changed.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass

RUNS = 5
QUICK = os.environ.get("BENCH_QUICK", "") not in ("", "0")
"""BENCH_QUICK=1: does everything once and briefly, to see that it works; its numbers mean nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: rates are units per second; `must` is what quality.md asks for, if anything."""

    name: str
    unit: str
    subject: tuple[float, ...]
    reference_name: str
    reference: tuple[float, ...]
    must_rate: float | None = None
    must_ratio: float | None = None

    @property
    def ratios(self) -> list[float]:
        return [mine / theirs for mine, theirs in zip(self.subject, self.reference, strict=True)]

    @property
    def verdict(self) -> str:
        """`ok`, `below`, or `-` when nothing is asked or the run was a quick one."""
        asked = self.must_rate is not None or self.must_ratio is not None
        if not asked or QUICK:
            return "-"
        fast = self.must_rate is None or statistics.median(self.subject) >= self.must_rate
        better = self.must_ratio is None or statistics.median(self.ratios) >= self.must_ratio
        return "ok" if fast and better else "below"


def alternate(
    name: str,
    unit: str,
    subject: Callable[[], float],
    reference_name: str,
    reference: Callable[[], float],
    *,
    must_rate: float | None = None,
    must_ratio: float | None = None,
) -> Row:
    """Measures both, by turns, RUNS times (once when QUICK). Each callable returns units per second."""
    mine, theirs = by_turns(subject, reference)
    return Row(name, unit, mine, reference_name, theirs, must_rate, must_ratio)


def by_turns(*measures: Callable[[], float]) -> list[tuple[float, ...]]:
    """What each measured, RUNS times (once when QUICK)."""
    found: list[list[float]] = [[] for _ in measures]
    for turn in range(1 if QUICK else RUNS):
        # Who goes first changes, so that none always meets the warmer machine.
        order = range(len(measures))
        for number in reversed(order) if turn % 2 else order:
            found[number].append(measures[number]())
    return [tuple(each) for each in found]


def table(rows: list[Row]) -> str:
    """The table as text."""
    head = ("bench", "median", "min", "max", "reference", "median", "ratio (min - max)", "asked", "verdict")
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([text[0], "-" * len(text[0]), *text[1:]])


def _cells(row: Row) -> tuple[str, ...]:
    asked = [f">= {row.must_rate:,.0f}{row.unit}"] if row.must_rate else []
    asked += [f">= {row.must_ratio:g} x"] if row.must_ratio else []
    return (
        row.name,
        f"{statistics.median(row.subject):,.0f}{row.unit}",
        f"{min(row.subject):,.0f}",
        f"{max(row.subject):,.0f}",
        row.reference_name,
        f"{statistics.median(row.reference):,.0f}{row.unit}",
        f"{statistics.median(row.ratios):.2f} ({min(row.ratios):.2f} - {max(row.ratios):.2f})",
        ", ".join(asked) or "-",
        row.verdict,
    )
