"""Cases and their append-only history."""

from __future__ import annotations

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    Sequence,
    SmallInteger,
    Table,
    Text,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.hazards.tables.schema import at_type, metadata, path_type, uuid_type

# The words of the partial indexes: a query says exactly these, or the index is not used.
IS_OPEN = literal_column("state NOT IN ('closed', 'refused', 'voided', 'merged')", Boolean)
IS_AT_REST = literal_column("state IN ('closed', 'refused', 'voided', 'merged')", Boolean)
# What the deadline engine said, not what time it is: the same for lists, tiles and events, whatever clock runs.
IS_OVERDUE = literal_column(f"missed_at IS NOT NULL AND {IS_OPEN}", Boolean)
# An open case may bear the date still: of a replica that does not know the column.
TO_RECHECK = literal_column("state = 'closed' AND recheck_due_at IS NOT NULL", Boolean)
IS_UNDISPATCHED = literal_column("(state = 'registered' AND lead_agency_id IS NULL)", Boolean)

cases = Table(
    "cases",
    metadata,
    Column("id", uuid_type(), primary_key=True),
    Column("case_no", Text, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("grade", Text, nullable=False),
    Column("sensitivity", SmallInteger, nullable=False),
    Column("description", Text, nullable=False),
    # WGS84, and the position as it was given.
    Column("geom", Geometry("POINT", srid=4326, spatial_index=False), nullable=False),
    Column("original_crs", Text, nullable=False),
    Column("original_lon", Double, nullable=False),
    Column("original_lat", Double, nullable=False),
    # The current area; `boundary_version` is the report's (or last relocation's), `located_version` the area's.
    Column("area_path", path_type(), nullable=False),
    Column("boundary_version", Integer, nullable=False),
    Column("located_version", Integer, nullable=False),
    Column("unassigned", Boolean, nullable=False),
    Column("place_id", uuid_type()),
    Column("reporter_account_id", uuid_type(), nullable=False),
    Column("reporting_agency_id", uuid_type(), nullable=False),
    Column("lead_agency_id", uuid_type()),
    Column("assisting_agency_ids", ARRAY(uuid_type()), nullable=False, server_default="{}"),
    Column("former_agency_ids", ARRAY(uuid_type()), nullable=False, server_default="{}"),
    # All agencies above: who takes part sees the case wherever it lies.
    Column("participants", ARRAY(uuid_type()), nullable=False),
    # The last account that finished, and every account that started or finished.
    Column("handler_account_id", uuid_type()),
    Column("handler_account_ids", ARRAY(uuid_type()), nullable=False, server_default="{}"),
    Column("returns", Integer, nullable=False, server_default="0"),
    Column("reworks", Integer, nullable=False, server_default="0"),
    Column("reopenings", Integer, nullable=False, server_default="0"),
    Column("county_decides", Boolean, nullable=False, server_default="false"),
    # Which level's centre answers for the case: village, town, county.
    Column("level", Text, nullable=False, server_default="town"),
    # Assisting agencies that have not answered, and those that accepted and have not finished.
    Column("assisting_asked_ids", ARRAY(uuid_type()), nullable=False, server_default="{}"),
    Column("assisting_working_ids", ARRAY(uuid_type()), nullable=False, server_default="{}"),
    Column("extensions", Integer, nullable=False, server_default="0"),
    Column("extension_pending", Boolean, nullable=False, server_default="false"),
    Column("parent_case_id", uuid_type()),
    Column("open_children", Integer, nullable=False, server_default="0"),
    Column("merged_into_id", uuid_type()),
    Column("merged_from", Text, comment="the state that unmerging gives back"),
    Column("reports", Integer, nullable=False, server_default="1", comment="its own and those merged into it"),
    Column("reminders", Integer, nullable=False, server_default="0"),
    Column("reminded_at", at_type()),
    Column("supervision", Text, comment="yellow, red"),
    Column("supervision_agency_id", uuid_type()),
    Column("listing_agency_id", uuid_type(), comment="who put it on the public list; NULL: not listed now"),
    Column("was_listed", Boolean, nullable=False, server_default="false"),
    Column("leader_named", Boolean, nullable=False, server_default="false"),
    Column("reviewed_at", at_type()),
    Column("rating", SmallInteger),
    Column("joined_agency_ids", ARRAY(uuid_type()), nullable=False, server_default="{}", comment="of merged reports"),
    Column("follow_code", Text, unique=True),
    Column("category_version", Integer),
    Column("answers", JSONB),
    Column(
        "suggested_agency_ids", ARRAY(uuid_type()), comment="whom the rules named last while it waits for an agency"
    ),
    Column("occurred_at", at_type(), nullable=False),
    Column("reported_at", at_type(), nullable=False),
    Column("updated_at", at_type(), nullable=False),
    Column("dispatched_at", at_type(), comment="the running dispatch"),
    Column("handled_at", at_type(), comment="the last time that handling ended"),
    Column("suspended_until", at_type()),
    Column("closed_at", at_type()),
    Column("recheck_due_at", at_type(), comment="by when; NULL: none is to be made"),
    Column("recheck_missed_at", at_type(), comment="when it was said that nobody had made it"),
    # The total clock of case_clocks, and the running dispatch's, for lists, filters and events.
    Column("due_since", at_type(), nullable=False),
    Column("warn_at", at_type(), nullable=False),
    Column("due_at", at_type(), nullable=False),
    Column("warned_at", at_type()),
    Column("missed_at", at_type()),
    Column("accept_due_at", at_type()),
    Column("return_by", at_type(), comment="until when the running dispatch may be returned"),
    Column("unacknowledged_at", at_type()),
    Column("report_digest", Text, nullable=False, comment="of the command: the same id with other content is refused"),
    Column("history_digest", Text, comment="the head of its history's chain: the last row's digest"),
    Column("chained_from", Integer, comment="the first seq of that chain; earlier rows have no digest"),
    Index("cases_recent", text("reported_at DESC"), text("id DESC")),
    Index("cases_state_recent", "state", text("reported_at DESC"), text("id DESC")),
    Index("cases_area", "area_path", "reported_at"),
    Index("cases_participants", "participants", postgresql_using="gin"),
    Index("cases_geom", "geom", postgresql_using="gist"),
    Index("cases_open_geom", "geom", postgresql_using="gist", postgresql_where=IS_OPEN),
    Index("cases_overdue", text("reported_at DESC"), text("id DESC"), postgresql_where=IS_OVERDUE),
    Index(
        "cases_overdue_area",
        "area_path",
        postgresql_include=["sensitivity", "category"],
        postgresql_where=IS_OVERDUE,
    ),
    Index("cases_overdue_agencies", "participants", postgresql_using="gin", postgresql_where=IS_OVERDUE),
    Index("cases_to_resume", "suspended_until", postgresql_where=text("state = 'suspended'")),
    Index("cases_to_locate", "located_version", postgresql_where=IS_OPEN),
    Index("cases_at_rest_to_locate", "located_version", postgresql_where=IS_AT_REST),
    Index("cases_parent", "parent_case_id", postgresql_where=text("parent_case_id IS NOT NULL")),
    Index("cases_merged", "merged_into_id", postgresql_where=text("merged_into_id IS NOT NULL")),
    Index("cases_to_check", "handled_at", "id", postgresql_where=text("state = 'handled'")),
    Index("cases_to_recheck", "recheck_due_at", "id", postgresql_where=TO_RECHECK),
    Index(
        "cases_to_miss", "recheck_due_at", "id", postgresql_where=text(f"{TO_RECHECK} AND recheck_missed_at IS NULL")
    ),
    Index("cases_undispatched", text("reported_at DESC"), text("id DESC"), postgresql_where=IS_UNDISPATCHED),
    Index("cases_waiting", "id", postgresql_where=IS_UNDISPATCHED),
    Index("cases_reporter", "reporter_account_id", text("reported_at DESC"), text("id DESC")),
    Index("cases_unassigned", text("reported_at DESC"), text("id DESC"), postgresql_where=text("unassigned")),
)

case_history = Table(
    "case_history",
    metadata,
    Column("case_id", uuid_type(), ForeignKey(cases.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, comment="the case's version after the move"),
    Column("at", at_type(), nullable=False),
    Column("account_id", uuid_type(), comment="NULL: the platform's clock or a new boundary"),
    Column("agency_id", uuid_type()),
    Column("roles", ARRAY(Text), nullable=False, server_default="{}"),
    Column("move", Text, nullable=False),
    Column("from_state", Text),
    Column("to_state", Text, nullable=False),
    Column("reason", Text),
    Column("note", Text),
    Column("before", JSONB, comment="what relocate, recategorise and dispatch changed"),
    Column("after", JSONB),
    # The chain (services/hazards/chain.py); NULL in rows of the time before it.
    Column("algorithm", SmallInteger),
    Column("previous", Text),
    Column("digest", Text),
    Column("digests", JSONB),
    Column("salts", JSONB, comment="what is erased takes its salt along"),
    Index("case_history_at", "at", postgresql_using="brin"),
)

case_photos = Table(
    "case_photos",
    metadata,
    Column("case_id", uuid_type(), ForeignKey(cases.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, comment="the version it came with"),
    Column("blob", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("move", Text, nullable=False),
    Column("added_at", at_type(), nullable=False),
)

# A case's number within its day = nextval - base: nobody waits for another's commit, gaps mean nothing.
case_numbers = Sequence("case_numbers", metadata=metadata)
case_days = Table(
    "case_days",
    metadata,
    Column("day", Date, primary_key=True, comment="of Asia/Shanghai"),
    Column("base", BigInteger, nullable=False, comment="what case_numbers had given out before the day's first"),
)

external_refs = Table(
    "external_refs",
    metadata,
    Column("system", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("entity_id", uuid_type(), nullable=False),
    Column("linked_at", at_type(), nullable=False),
    Index("external_refs_entity", "entity", "entity_id"),
)
