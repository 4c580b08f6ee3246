"""grid's tables: boundary versions and their areas, imports on their way there, and the registry of agencies."""

from __future__ import annotations

import uuid

from geoalchemy2 import Geometry
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

metadata = MetaData(schema="grid")


def _uuid() -> UUID[uuid.UUID]:
    return UUID(as_uuid=True)


def _path() -> Text:
    # The C collation makes a subtree one index range (contracts.areas.path_end).
    return Text(collation="C")


def _at() -> DateTime:
    return DateTime(timezone=True)


boundary_versions = Table(
    "boundary_versions",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("county_code", Text, nullable=False),
    Column("areas", Integer, nullable=False),
    Column("digest", Text, nullable=False, comment="of the events: code:sha256(wkb) lines"),
    Column("content_sha256", Text, nullable=False, comment="of names, levels, kinds and shapes: equal = unchanged"),
    Column("import_id", _uuid(), unique=True, comment="NULL where a former version was restored"),
    Column("restored", Integer, comment="the version that this one equals"),
    Column("published_by", _uuid(), nullable=False),
    Column("valid_from", _at(), nullable=False),
)

areas = Table(
    "areas",
    metadata,
    Column("boundary_version", Integer, primary_key=True, autoincrement=False),
    Column("code", Text, primary_key=True),
    Column("level", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("parent_code", Text),
    Column("path", _path(), nullable=False),
    Column("geom", Geometry("GEOMETRY", srid=4326, spatial_index=False), nullable=False),
    Column("lon", Double, nullable=False, comment="a point inside, for labels"),
    Column("lat", Double, nullable=False),
    Column("area_m2", Double, nullable=False),
    Column("wkb_sha256", Text, nullable=False),
    Column("search", Text, nullable=False, server_default="", comment="name, pinyin initials and code"),
    Column("entity_version", Integer, nullable=False, server_default="0", comment="of the code, over all versions"),
    Index("areas_path", "boundary_version", "path", unique=True),
    Index("areas_parent", "boundary_version", "parent_code"),
    Index("areas_code", "code", "entity_version"),
    Index("areas_geom", "geom", postgresql_using="gist"),
    Index("areas_search", "search", postgresql_using="gin", postgresql_ops={"search": "gin_trgm_ops"}),
)

area_successors = Table(
    "area_successors",
    metadata,
    Column("boundary_version", Integer, primary_key=True, autoincrement=False, comment="the first without `path`"),
    Column("path", _path(), primary_key=True),
    Column("into_path", _path(), primary_key=True),
    Column("code", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("share", Double, nullable=False, comment="of the former area; 0 where its land left the county"),
    Column("entity_version", Integer, nullable=False),
    Index("area_successors_code", "code", "entity_version"),
    Index("area_successors_into", "into_path"),
)

area_aliases = Table(
    "area_aliases",
    metadata,
    Column("system", Text, primary_key=True),
    Column("alias", Text, primary_key=True),
    Column("code", Text, nullable=False),
    Column("created_at", _at(), nullable=False),
    Index("area_aliases_code", "code"),
    Index(
        "area_aliases_search",
        text("lower(alias) gin_trgm_ops"),
        postgresql_using="gin",
    ),
)

# Zones for a purpose (a patrol zone, a school's surroundings): they own nothing.
overlays = Table(
    "overlays",
    metadata,
    Column("overlay_id", _uuid(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("geom", Geometry("GEOMETRY", srid=4326, spatial_index=False), nullable=False),
    Column("wkb_sha256", Text, nullable=False),
    Column("original_crs", Text, nullable=False),
    Column("area_m2", Double, nullable=False),
    Column("area_path", _path(), nullable=False, comment="the narrowest area that holds all of it"),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", _at(), nullable=False),
    Index("overlays_area", "area_path", "overlay_id"),
    Index("overlays_geom", "geom", postgresql_using="gist"),
)

area_imports = Table(
    "area_imports",
    metadata,
    Column("import_id", _uuid(), primary_key=True),
    Column("state", Text, nullable=False),
    Column("progress", Float, nullable=False, server_default="0"),
    Column("crs", Text, nullable=False),
    Column("blob", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("mapping", JSONB, nullable=False, server_default=text("'{}'")),
    Column("options", JSONB, nullable=False, server_default=text("'{}'"), comment="numbering, snap_m"),
    Column("operations", JSONB, comment="of a change of the boundary; then there is no file"),
    Column("base_version", Integer),
    Column("plan", JSONB),
    Column("errors", Integer),
    Column("warnings", Integer),
    Column("report", JSONB),
    Column("county_code", Text),
    Column("areas", Integer),
    Column("content_sha256", Text),
    Column("boundary_version", Integer),
    Column("created_by", _uuid(), nullable=False),
    Column("agency_id", _uuid(), nullable=False, comment="the author's: it sees the import before there is any area"),
    Column("created_at", _at(), nullable=False),
    Column("updated_at", _at(), nullable=False, server_default=func.now()),
    Column("version", Integer, nullable=False),
    Index("area_imports_created", "created_at", "import_id"),
)

import_areas = Table(
    "import_areas",
    metadata,
    Column("import_id", _uuid(), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False, comment="position in the file"),
    Column("parent_n", Integer),
    Column("code", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("parent_code", Text),
    Column("path", _path(), comment="NULL where the tree is broken"),
    Column("raw", LargeBinary, nullable=False, comment="WKB as read"),
    Column("geom", Geometry("GEOMETRY", srid=4326, spatial_index=False), nullable=False, comment="made valid"),
    Column("lon", Double, nullable=False),
    Column("lat", Double, nullable=False),
    Column("area_m2", Double, nullable=False),
    Column("search", Text, nullable=False, server_default=""),
    Index("import_areas_parent", "import_id", "parent_n"),
    Index("import_areas_geom", "geom", postgresql_using="gist"),
)

agencies = Table(
    "agencies",
    metadata,
    Column("agency_id", _uuid(), primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("parent_id", _uuid()),
    Column("area_path", _path(), nullable=False),
    Column("duty_phone", Text),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", _at(), nullable=False),
    Index("agencies_area", "area_path"),
)

jurisdictions = Table(
    "jurisdictions",
    metadata,
    Column("jurisdiction_id", _uuid(), primary_key=True),
    Column("agency_id", _uuid(), nullable=False),
    Column("area_path", _path(), nullable=False),
    Column("category", Text),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", _at(), nullable=False),
    Index("jurisdictions_area", "area_path"),
    Index("jurisdictions_agency", "agency_id"),
)

# Staff on duty, never residents. A private phone joins when it can be stored encrypted.
persons = Table(
    "persons",
    metadata,
    Column("person_id", _uuid(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("agency_id", _uuid(), nullable=False),
    Column("duty_phone", Text),
    Column("account_id", _uuid()),
    Column("certificates", JSONB, nullable=False, server_default=text("'[]'"), comment="code, valid_until"),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", _at(), nullable=False),
    Index("persons_agency", "agency_id"),
)

posts = Table(
    "posts",
    metadata,
    Column("post_id", _uuid(), primary_key=True),
    Column("person_id", _uuid(), nullable=False),
    Column("agency_id", _uuid(), nullable=False),
    Column("kind", Text, nullable=False),
    Column("area_path", _path(), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date),
    Column("place_id", _uuid(), comment="of a key place; `area_path` follows it"),
    Column("version", Integer, nullable=False),
    Column("updated_at", _at(), nullable=False),
    Index("posts_area", "area_path"),
    Index("posts_person", "person_id"),
    Index("posts_place", "place_id", postgresql_where=text("place_id IS NOT NULL")),
)

# That somebody is away, never why: a reason may be health. Cancelled rows stay, `active` false.
leaves = Table(
    "leaves",
    metadata,
    Column("leave_id", _uuid(), primary_key=True),
    Column("person_id", _uuid(), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date, nullable=False, comment="included"),
    Column("substitute_id", _uuid(), comment="at every post without a substitute of its own"),
    Column("substitutes", JSONB, nullable=False, server_default=text("'{}'"), comment="post -> person"),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", _at(), nullable=False),
    Index("leaves_person", "person_id", "valid_until"),
    Index("leaves_until", "valid_until"),
)

external_refs = Table(
    "external_refs",
    metadata,
    Column("system", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("entity_id", _uuid(), nullable=False),
    Column("linked_at", _at(), nullable=False),
    Index("external_refs_entity", "entity", "entity_id"),
)

places = Table(
    "places",
    metadata,
    Column("place_id", _uuid(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("geom", Geometry("POINT", srid=4326, spatial_index=False), nullable=False),
    Column("original_crs", Text, nullable=False),
    Column("original_lon", Double, nullable=False),
    Column("original_lat", Double, nullable=False),
    Column("risk", Text, nullable=False),
    Column("area_path", _path(), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", _at(), nullable=False),
    Index("places_area", "area_path"),
    Index("places_geom", "geom", postgresql_using="gist"),
    Index("places_geography", text("geography(geom)"), postgresql_using="gist"),
)

devices = Table(
    "devices",
    metadata,
    Column("device_id", _uuid(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("agency_id", _uuid(), nullable=False),
    Column("geom", Geometry("POINT", srid=4326, spatial_index=False), nullable=False),
    Column("original_crs", Text, nullable=False),
    Column("original_lon", Double, nullable=False),
    Column("original_lat", Double, nullable=False),
    Column("area_path", _path(), nullable=False),
    Column("spot", Text),
    Column("place_id", _uuid()),
    Column("installed_on", Date),
    Column("filing_due_on", Date),
    Column("filed_on", Date),
    Column("filing_no", Text),
    Column("filing_told_for", Date, comment="the last day for filing of which FilingDue was said"),
    Column("identifier", Text, comment="gb_id, or a fire device's whole address: no two in use have the same"),
    Column("gb_id", Text),
    Column("bearing_deg", Double),
    Column("angle_deg", Double),
    Column("range_m", Double),
    Column("height_m", Double),
    Column("shared", Boolean, nullable=False),
    Column("source_address", Text),
    Column("system_type", Integer),
    Column("system_address", Integer),
    Column("part_type", Integer),
    Column("part_address", BigInteger),
    Column("warnings", ARRAY(Text), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", _at(), nullable=False),
    Index("devices_area", "area_path", "device_id"),
    Index("devices_agency", "agency_id"),
    Index("devices_place", "place_id"),
    Index("devices_identifier", "identifier", unique=True, postgresql_where=text("active")),
    Index("devices_filing", "filing_due_on", postgresql_where=text("active AND filed_on IS NULL")),
    Index("devices_geom", "geom", postgresql_using="gist"),
    Index("devices_geography", text("geography(geom)"), postgresql_using="gist"),
)

# Written by who hears the devices, which is nobody yet; a device without a row was never heard.
device_states = Table(
    "device_states",
    metadata,
    Column("device_id", _uuid(), primary_key=True),
    Column("online", Boolean, comment="NULL where nothing was heard yet"),
    Column("last_seen_at", _at()),
)

place_categories = Table(
    "place_categories",
    metadata,
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("parent", Text),
    Column("checklist", JSONB, nullable=False),
    Column("hardware", JSONB, nullable=False),
    Column("period_days", Integer),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", _at(), nullable=False),
)

# Staff of the place at work, as with persons: a duty phone, never a private one.
place_contacts = Table(
    "place_contacts",
    metadata,
    Column("place_id", _uuid(), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("duty_phone", Text, nullable=False),
)

place_hardware = Table(
    "place_hardware",
    metadata,
    Column("place_id", _uuid(), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("state", Text, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("checked_on", Date),
)

place_qr_revocations = Table(
    "place_qr_revocations",
    metadata,
    Column("place_id", _uuid(), primary_key=True),
    Column("serial", Integer, primary_key=True, autoincrement=False,
           comment="printed codes bear it; the next one is in force, 1 at first"),
    Column("revoked_at", _at(), nullable=False),
    Column("revoked_by", _uuid(), nullable=False),
    Column("reason", Text, nullable=False),
)  # fmt: skip

alliances = Table(
    "alliances",
    metadata,
    Column("alliance_id", _uuid(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("area_path", _path(), nullable=False),
    Column("members", ARRAY(UUID(as_uuid=True)), nullable=False, comment="ids of places"),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated_at", _at(), nullable=False),
    Index("alliances_area", "area_path", "alliance_id"),
    Index("alliances_members", "members", postgresql_using="gin"),
)
