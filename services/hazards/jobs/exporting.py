"""Writing a list of cases into a file, page after page, under the scope of whoever asked.

The rows are those of the list itself. A spreadsheet would run what begins like a formula: in CSV such text gets an
apostrophe, in XLSX every text is written as one.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import IO, Any
from uuid import UUID

import xlsxwriter
from sqlalchemy import func, select, text, update

from backbone import files, jobs, telemetry
from backbone.clock import COUNTY_TIME
from backbone.database import Session, Unavailable, from_json
from backbone.jobs import JobContext, LeaseLost
from contracts.hazards.commands import CaseFilter
from contracts.hazards.commands.lists import CaseSort
from contracts.scope import Actor, actor_from_json
from services.hazards import queries
from services.hazards.tables import case_exports, categories

log = telemetry.logger("hazards.jobs")
MOST_ROWS = 100_000
PAGE = 500
TITLES = {
    "case_no": "案件编号", "kind": "类型", "category": "类别代码", "category_name": "类别", "source": "来源",
    "state": "状态", "grade": "等级", "description": "描述", "area_path": "网格路径", "lon": "经度(WGS84)",
    "lat": "纬度(WGS84)", "reporting_agency_id": "上报单位", "lead_agency_id": "主办单位",
    "reported_at": "上报时间(北京)", "occurred_at": "发生时间(北京)", "updated_at": "更新时间(北京)",
    "due_at": "办理期限(北京)", "overdue": "超期", "closed_at": "销号时间(北京)", "returns": "退回次数",
    "reworks": "返工次数", "reopenings": "重开次数", "supervision": "督办", "listed": "挂牌", "place_id": "场所",
    "case_id": "案件标识",
}  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Row = dict[str, Any]


def export_cases(context: JobContext) -> dict[str, Any] | None:
    """Job `export_cases`, payload {"export_id"}: brings an export to ready or failed. Starts over after a crash."""
    export_id = UUID(context.payload["export_id"])
    with context.transaction() as session:
        row = session.execute(select(case_exports).where(case_exports.c.id == export_id)).mappings().one_or_none()
        if row is None or row["state"] not in ("asked", "writing"):
            return None
        _set(session, export_id, state="writing")
        names = {row.code: row.name for row in session.execute(select(categories.c.code, categories.c.name))}
    actor = actor_from_json(row["actor"])
    asked, sort = CaseFilter.model_validate(row["filter"]), CaseSort(row["sort"])
    try:
        with tempfile.TemporaryFile() as file:
            rows = _rows(context, export_id, actor, asked, sort, names)
            write = {"csv": write_csv, "xlsx": write_xlsx}[row["format"]]
            count = write(file, row["columns"], rows)
            file.seek(0)
            blob = files.put(file)
    except (Unavailable, LeaseLost):
        raise
    except Exception:  # whoever asked must hear that it failed, not wait for five attempts
        log.exception("an export failed", export_id=str(export_id))
        with context.transaction() as session:
            _set(session, export_id, state="failed", error="internal_error", finished_at=func.now())
        return {"state": "failed"}
    with context.transaction() as session:
        _set(
            session,
            export_id,
            state="ready",
            progress=1.0,
            rows=count,
            truncated=count >= MOST_ROWS,
            blob=blob.sha256,
            size_bytes=blob.size,
            finished_at=func.now(),
        )
    return {"state": "ready", "rows": count}


def forget_export(context: JobContext) -> None:
    """Job `forget_export`, payload {"blob"}: removes a file that no export shows any more."""
    blob = context.payload["blob"]
    with context.transaction() as session:
        shown = session.execute(select(func.count()).where(case_exports.c.blob == blob)).scalar_one()
        if not shown and not files.remove(blob, (), files.PUT_LATELY_S):
            # Of another export that is being noted, or written in the last hour of its day: looked at once more.
            jobs.enqueue(session, "forget_export", context.payload, after_s=files.PUT_LATELY_S)


def _rows(
    context: JobContext, export_id: UUID, actor: Actor, asked: CaseFilter, sort: CaseSort, names: dict[str, str]
) -> Iterator[Row]:
    after, count = None, 0
    while count < MOST_ROWS:
        limit = min(PAGE, MOST_ROWS - count)
        query = queries.case_list(actor.scope, asked, sort=sort, account_id=actor.account_id, after=after, limit=limit)
        with context.transaction() as session:
            page = session.execute(query.build(), query.parameters).all()
            # How many there will be, nobody has counted: nearer to the end with every page.
            _set(session, export_id, progress=round(count / (count + 10 * PAGE), 3))
        context.progress(count / (count + 10 * PAGE))
        for each in page:
            yield _row(from_json(each.body), names)
        count += len(page)
        if len(page) < limit:
            return
        after = tuple(page[-1])[1:]


def _row(body: Row, names: dict[str, str]) -> Row:
    for name in ("reported_at", "occurred_at", "updated_at", "due_at", "closed_at"):
        if body.get(name):
            body[name] = f"{datetime.fromisoformat(body[name]).astimezone(COUNTY_TIME):%Y-%m-%d %H:%M:%S}"
    listed = body.get("listing_agency_id") is not None
    return body | {
        "category_name": names.get(body["category"], ""),
        "listed": "是" if listed else "否",
        "overdue": "是" if body["overdue"] else "否",
    }


def write_csv(file: IO[bytes], columns: Sequence[str], rows: Iterator[Row]) -> int:
    """UTF-8 with the mark by which spreadsheets know it; how many rows."""
    wrapped = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(wrapped)
    writer.writerow([TITLES[name] for name in columns])
    count = 0
    for row in rows:
        count += 1
        writer.writerow([harmless(row.get(name)) for name in columns])
    wrapped.flush()
    wrapped.detach()
    return count


def harmless(value: Any) -> Any:
    """Text as a spreadsheet shall read it: never as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def write_xlsx(file: IO[bytes], columns: Sequence[str], rows: Iterator[Row]) -> int:
    """One sheet, a row written as it comes; how many."""
    book = xlsxwriter.Workbook(
        file,
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    sheet = book.add_worksheet("案件")
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, [TITLES[name] for name in columns], book.add_format({"bold": True}))
    count = 0
    for count, row in enumerate(rows, start=1):
        for number, name in enumerate(columns):
            _cell(sheet, count, number, row.get(name))
    book.close()
    return count


def _cell(sheet: Any, row: int, column: int, value: Any) -> None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        sheet.write_number(row, column, value)
    elif value is not None:
        sheet.write_string(row, column, str(value))


def _set(session: Session, export_id: UUID, **values: Any) -> None:
    values.setdefault("version", text("version + 1"))
    session.execute(update(case_exports).where(case_exports.c.id == export_id).values(**values))
