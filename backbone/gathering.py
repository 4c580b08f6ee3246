"""Rows that are only written, many by one statement: at once, or together with those of other commands.

INTO_HISTORY = Rows(case_history, "case_id", "seq", "at")      # built once
INTO_HISTORY.write(session, [{"case_id": ..., "seq": 1, "at": ...}])

Inside `gathered` rows wait until the block ends: nobody may read them before. Rows of one `Rows` keep their order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import JSON, Table, Text, bindparam, cast, column, func, select
from sqlalchemy.dialects.postgresql import Insert, insert

from backbone.database import Session, to_json
from backbone.prepared import Prepared

Row = Mapping[str, Any]

MOST = 500
"""Rows of one statement: an event can hold a whole area's outline."""

_gathered: WeakKeyDictionary[Any, dict[Rows, list[Row]]] = WeakKeyDictionary()


def insert_from_json(table: Table, *names: str) -> Insert:
    """INSERT of any number of rows that travel as one parameter, `rows`: one text for PostgreSQL, whatever their
    number, and nothing to build here. Columns that are not named get their defaults."""
    given = (column(name, table.c[name].type) for name in names)
    rows = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON)).table_valued(*given)
    rows = rows.render_derived("r", with_types=True)
    return insert(table).from_select(list(names), select(*(rows.c[name] for name in names)))


class Rows:
    """Rows of one table, written with these columns."""

    def __init__(self, table: Table, *names: str) -> None:
        self._statement = Prepared(insert_from_json(table, *names))

    def write(self, session: Session, rows: Sequence[Row]) -> None:
        """Every row must name the columns; values are what orjson knows."""
        waiting = _gathered.get(session.get_transaction())
        if waiting is None:
            self._insert(session, rows)
        else:
            waiting.setdefault(self, []).extend(rows)

    def _insert(self, session: Session, rows: Sequence[Row]) -> None:
        for start in range(0, len(rows), MOST):
            self._statement.execute(session, rows=to_json(rows[start : start + MOST]))


@contextmanager
def gathered(session: Session) -> Iterator[None]:
    """What the block writes into `Rows` is written at its end, one statement for each `Rows`."""
    waiting: dict[Rows, list[Row]] = {}
    transaction = session.get_transaction()
    _gathered[transaction] = waiting
    try:
        yield
    finally:
        del _gathered[transaction]
    for into, rows in waiting.items():
        into._insert(session, rows)
