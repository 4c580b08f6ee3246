"""What became of each row: counted, and written as a report that says nothing of a person but the row's own code."""

from __future__ import annotations

import csv
import json
import pathlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cli.first_load.planning import Planned
from cli.first_load.values import WORDS, Refused

CREATED, CHANGED, UNCHANGED, REFUSED, NOT_DONE = "created", "changed", "unchanged", "refused", "not_done"
WOULD_CREATE, WOULD_PUT = "would_create", "would_put"
TITLES = {
    CREATED: "新增", CHANGED: "变更", UNCHANGED: "未变", REFUSED: "拒绝", NOT_DONE: "未执行",
    WOULD_CREATE: "将新增", WOULD_PUT: "已存在，将更新",
}  # fmt: skip
_COLUMNS = ("line", "key", "outcome", "code", "field", "message")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row's; `field` is the file's column where there is one."""

    line: int
    key: str
    outcome: str
    code: str = ""
    field: str = ""
    message: str = ""


def of_refusal(planned: Planned, refused: Refused, columns: Mapping[str, str], message: str = "") -> Outcome:
    """A refusal of ours, or of the platform where `message` is its own."""
    words = message or WORDS.get(refused.code, refused.code)
    if refused.expected:
        words = f"{words}（{refused.expected}）"
    field = columns.get(refused.field, refused.field)
    return Outcome(planned.line, planned.key, REFUSED, refused.code, field, words)


def summary(outcomes: Sequence[Outcome]) -> str:
    counts = Counter(each.outcome for each in outcomes)
    return " · ".join(f"{name} {title} {counts[name]}" for name, title in TITLES.items() if counts[name]) or "no rows"


def write(file: pathlib.Path, outcomes: Sequence[Outcome]) -> None:
    """As JSON where the name ends so, else as CSV that spreadsheets open with its Chinese text."""
    rows = [{name: getattr(each, name) for name in _COLUMNS} for each in outcomes]
    if file.suffix.lower() == ".json":
        file.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return
    with file.open("w", encoding="utf-8-sig", newline="") as target:
        writer = csv.DictWriter(target, _COLUMNS)
        writer.writeheader()
        writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)


def _harmless(value: object) -> object:
    """A spreadsheet must not take a cell of somebody's file for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t")) else value
