"""A table of another service's entities, kept by its events: the newest state of each wins, a batch in one statement.

AGENCIES = NewestStates(agencies)                  # a table with id and version
AGENCIES.keep(session, [{"id": ..., "code": ..., "version": event.entity_version} for event in events])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, ColumnElement, Table, Text, bindparam, cast, column, func, select
from sqlalchemy.dialects.postgresql import insert

from backbone.database import Session, to_json

Row = Mapping[str, Any]


class NewestStates:
    """Keeps the row of the greatest `version` for each key; repeats and older states change nothing."""

    def __init__(
        self,
        table: Table,
        *,
        key: Sequence[str] = ("id",),
        version: str = "version",
        left_out: Sequence[str] = (),
        made: Mapping[str, Callable[[ColumnElement[str]], ColumnElement[Any]]] | None = None,
    ) -> None:
        """`made` says for some columns what SQL makes of the text that a row gives; `left_out` are not kept."""
        self._key, self._version, made = tuple(key), version, made or {}
        kept = [each for each in table.c if each.name not in left_out]
        given = (column(each.name, Text() if each.name in made else each.type) for each in kept)
        # One parameter, whatever the number of rows: one text for PostgreSQL, nothing to build here.
        rows = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON)).table_valued(*given)
        rows = rows.render_derived("r", with_types=True)
        values = [made[each.name](rows.c[each.name]) if each.name in made else rows.c[each.name] for each in kept]
        statement = insert(table).from_select([each.name for each in kept], select(*values))
        self._statement = statement.on_conflict_do_update(
            index_elements=[table.c[name] for name in key],
            set_={each.name: statement.excluded[each.name] for each in kept if each.name not in key},
            where=statement.excluded[version] > table.c[version],
        )

    def keep(self, session: Session, rows: Iterable[Row]) -> None:
        """One statement for all; a row must name every column kept. Of equal versions the first stays."""
        newest: dict[tuple[Any, ...], Row] = {}
        for row in rows:
            key = tuple(row[name] for name in self._key)
            known = newest.get(key)
            if known is None or row[self._version] > known[self._version]:
                newest[key] = row
        if newest:
            session.execute(self._statement, {"rows": to_json(list(newest.values()))})
