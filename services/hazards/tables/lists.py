"""What lists, searches and counts of cases stand on. Triggers keep it in step with `cases` (migration 0010, ADR 18)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql import ColumnElement

from services.hazards.tables.cases import IS_OPEN, cases
from services.hazards.tables.schema import at_type, metadata, path_type, uuid_type


def _above(depth: int) -> ColumnElement[str]:
    """The path of the area `depth` levels down (the county is 1) in which a case lies."""
    slash: ColumnElement[str] = literal_column("'/'")
    found: Any = func.split_part(cases.c.area_path, slash, literal_column("1"), type_=Text) + slash
    for level in range(2, depth + 1):
        found = found + func.split_part(cases.c.area_path, slash, literal_column(str(level)), type_=Text) + slash
    return found  # type: ignore[no-any-return]


TOWN, VILLAGE = _above(2), _above(3)
"""As the indexes have them: a query says exactly these, or the index is not used."""
TOP_CATEGORY: ColumnElement[str] = func.split_part(
    cases.c.category, literal_column("'.'"), literal_column("1"), type_=Text
)
_NEWEST = (cases.c.reported_at.desc(), cases.c.id.desc())

# Over these expressions, in PostgreSQL's own words for them.
_TOWN = "split_part(area_path, '/'::text, 1) || '/'::text) || split_part(area_path, '/'::text, 2)) || '/'::text"
Index("cases_town", text(f"(({_TOWN}"), *_NEWEST)
Index("cases_village", text(f"(((({_TOWN}) || split_part(area_path, '/'::text, 3)) || '/'::text)"), *_NEWEST)
Index("cases_top_category", text("split_part(category, '.'::text, 1)"), *_NEWEST)
Index(
    "cases_updated",
    cases.c.updated_at.desc(),
    cases.c.id.desc(),
    postgresql_include=["area_path", "sensitivity", "participants"],
)
Index("cases_grade", cases.c.grade.desc(), *_NEWEST)
Index(
    "cases_due",
    cases.c.due_at,
    cases.c.id,
    postgresql_include=["area_path", "sensitivity", "category", "state", "participants"],
    postgresql_where=IS_OPEN,
)
Index("cases_open_recent", *_NEWEST, postgresql_where=IS_OPEN)
Index("cases_open_area", cases.c.area_path, cases.c.due_at, postgresql_where=IS_OPEN)
Index("cases_open_participants", cases.c.participants, postgresql_using="gin", postgresql_where=IS_OPEN)
Index("cases_lead", cases.c.lead_agency_id, *_NEWEST, postgresql_where=text("lead_agency_id IS NOT NULL"))
Index(
    "cases_handlers",
    cases.c.handler_account_ids,
    postgresql_using="gin",
    postgresql_where=text("handler_account_ids <> '{}'"),
)
Index("cases_place", cases.c.place_id, *_NEWEST, postgresql_where=text("place_id IS NOT NULL"))
Index("cases_closed", cases.c.closed_at, postgresql_where=text("closed_at IS NOT NULL"))
Index("cases_supervised", cases.c.supervision, *_NEWEST, postgresql_where=text("supervision IS NOT NULL"))
Index("cases_listed", *_NEWEST, postgresql_where=text("listing_agency_id IS NOT NULL"))
Index("cases_no", cases.c.case_no, postgresql_ops={"case_no": "text_pattern_ops"})

# Who takes part in which case, in the order of a list: an array's index knows no order.
case_participants = Table(
    "case_participants",
    metadata,
    Column("agency_id", uuid_type(), primary_key=True),
    Column("reported_at", at_type(), primary_key=True),
    Column("case_id", uuid_type(), primary_key=True),
    # What decides whether a scope sees the case without the agency: read from the key's index.
    Column("area_path", path_type(), nullable=False),
    Column("sensitivity", SmallInteger, nullable=False),
    Column("category", Text, nullable=False),
)

# Of its own, so that a move of the case leaves the words alone.
case_texts = Table(
    "case_texts",
    metadata,
    Column("case_id", uuid_type(), primary_key=True),
    Column("pairs", ARRAY(Text), nullable=False, comment="each two characters of the description that stand together"),
    Index("case_texts_pairs", "pairs", postgresql_using="gin"),
)

case_counts = Table(
    "case_counts",
    metadata,
    Column("area_path", path_type(), primary_key=True, comment="an area; its subtree is counted"),
    Column(
        "given",
        path_type(),
        primary_key=True,
        comment="of which cases: all, state:x, category:x, agency:x (takes part)",
    ),
    Column("value", path_type(), primary_key=True, comment="how many are: all, state:x, category:x, area:child …"),
    Column("sensitivity", SmallInteger, primary_key=True),
    Column("cases", BigInteger, nullable=False),
)

case_deltas = Table(
    "case_deltas",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("cases", SmallInteger, nullable=False, comment="1: has come to these; -1: was one of these"),
    Column("area_path", path_type(), nullable=False),
    Column("sensitivity", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("grade", Text, nullable=False),
    Column("lead_agency_id", uuid_type()),
    Column("supervision", Text),
    Column("participants", ARRAY(uuid_type()), nullable=False),
)

saved_filters = Table(
    "saved_filters",
    metadata,
    Column("id", uuid_type(), primary_key=True),
    Column("account_id", uuid_type(), nullable=False),
    Column("agency_id", uuid_type(), nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("name", Text, nullable=False),
    Column("sort", Text, nullable=False),
    Column("filter", JSONB, nullable=False),
    Column("version", Integer, nullable=False),
    UniqueConstraint("account_id", "name", name="saved_filters_name"),
    Index("saved_filters_shared", "agency_id", "name", postgresql_where=text("shared")),
)

case_exports = Table(
    "case_exports",
    metadata,
    Column("id", uuid_type(), primary_key=True),
    Column("account_id", uuid_type(), nullable=False),
    Column("agency_id", uuid_type(), nullable=False),
    Column("actor", JSONB, nullable=False, comment="who asked, with the scope of that moment"),
    Column("filter", JSONB, nullable=False),
    Column("sort", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("columns", ARRAY(Text), nullable=False),
    Column("state", Text, nullable=False, comment="asked, writing, ready, failed, expired"),
    Column("progress", Double, nullable=False),
    Column("rows", Integer),
    Column("truncated", Boolean, nullable=False),
    Column("blob", Text),
    Column("size_bytes", BigInteger),
    Column("error", Text),
    Column("asked_at", at_type(), nullable=False),
    Column("finished_at", at_type()),
    Column("expires_at", at_type(), nullable=False),
    Column("version", Integer, nullable=False),
    Index("case_exports_of", "account_id", text("asked_at DESC"), text("id DESC")),
    Index("case_exports_at_hand", "expires_at", postgresql_where=text("state IN ('asked', 'writing', 'ready')")),
)
