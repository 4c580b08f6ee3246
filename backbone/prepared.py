"""Statements that a connection prepares once: reading and planning one of these costs PostgreSQL more than its work.

After five runs PostgreSQL may keep one plan for all: only for statements whose plan does not depend on how large a
table has grown since (an INSERT, a look into a small table). A connection must stay with one server process, so no
pooler that shares connections between transactions may stand in between.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql import asyncpg

from backbone.database import Session

_dialect = asyncpg.dialect()  # type: ignore[no-untyped-call]
_numbers = count(1)


class Prepared:
    """A Core statement, built and compiled once; its results are the driver's, without Core's types."""

    def __init__(self, statement: Executable) -> None:
        compiled = statement.compile(dialect=_dialect)  # type: ignore[attr-defined]
        self._names = tuple(compiled.positiontup or ())
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}
        self._name = f"backbone_{next(_numbers)}"
        self._prepare = f"PREPARE {self._name} AS {compiled}"
        self._execute = f"EXECUTE {self._name}"
        if self._names:
            self._execute += f" ({', '.join(['%s'] * len(self._names))})"

    def execute(self, session: Session, **values: Any) -> Any:
        """The result, as of `Session.execute`; raises what that does."""
        known: set[str] = session.info.setdefault("prepared", set())
        if self._name not in known:
            session.exec_driver_sql(self._prepare, execution_options={"no_parameters": True})
            known.add(self._name)
        given = self._constants | values
        return session.exec_driver_sql(self._execute, tuple(given[name] for name in self._names))
