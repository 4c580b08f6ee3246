"""docs/retention.md says of every table how long its rows are kept, as the code has it."""

from __future__ import annotations

import importlib
import re
from datetime import timedelta

from backbone import retention
from backbone.settings import SERVICES
from backbone.tables import bookkeeping
from gateway.access import retention as access
from gateway.access.tables import metadata as access_tables
from services.grid import commands as grid
from services.hazards import commands as hazards
from services.notify.commands import forgetting
from services.notify.commands.settings import NotifySettings
from services.patrol import reactions as patrol
from tests.architecture.rooms import ROOT

PAGE = (ROOT / "docs" / "retention.md").read_text()


def rows(title: str) -> list[list[str]]:
    section = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([a-z_.]+)`", cell)


def written() -> list[tuple[str, str, timedelta]]:
    found = []
    for table, which, kept, *_ in rows("Removed"):
        number, unit = kept.split()[:2]
        unit = unit if unit.endswith("s") else f"{unit}s"
        found.append((quoted(table)[0], which, timedelta(**{unit: int(number)})))
    return sorted(found)


def test_the_page_has_every_rule_of_the_code_and_no_other() -> None:
    keep_days = timedelta(days=NotifySettings.model_fields["keep_days"].default)
    rules = [(rule.table, rule.what, rule.keep) for rule in retention.RULES]
    rules += [(f"notify.{rule.table}", rule.what, rule.keep) for rule in forgetting.rules(keep_days)]
    rules += [(f"grid.{rule.table}", rule.what, rule.keep) for rule in grid.KEPT]
    rules += [(f"hazards.{rule.table}", rule.what, rule.keep) for rule in hazards.KEPT]
    rules += [(f"access.{table}", "", keep) for table, keep, _ in access.RULES]
    rules += [(f"patrol.{table}", "", patrol.KEPT) for table in ("positions", "last_positions", "position_batches")]
    assert written() == sorted(rules)


def test_every_table_is_removed_from_or_kept_for_a_reason() -> None:
    tables = set(bookkeeping.tables)
    tables |= {f"access.{table.name}" for table in access_tables.tables.values()}
    for service in SERVICES:
        own = importlib.import_module(f"services.{service}.tables").metadata
        tables |= {f"{service}.{table.name}" for table in own.tables.values()}
    removed = {table for table, _, _ in written()}
    kept = [name for row in rows("Kept for good") for name in quoted(row[0])]
    assert len(kept) == len(set(kept))
    assert removed & set(kept) == set()
    assert removed | set(kept) == tables


def test_the_inbox_outlives_the_outbox() -> None:
    assert retention.OUTBOX + timedelta(days=14) <= retention.INBOX
