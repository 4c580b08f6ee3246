"""Files of cases: uploads that wait for a case, and what belongs to one. The bytes lie in `backbone.files`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Date, Double, ForeignKey, Index, Integer, Table, Text, text

from services.hazards.tables.cases import cases
from services.hazards.tables.schema import at_type, metadata, uuid_type

_JUDGED = ("kind", "media_type", "blob", "size_bytes", "width", "height", "seconds", "pages")
FILE_COLUMNS = ("id", "uploader_account_id", "uploaded_at", *_JUDGED, "copies")
"""What an upload and a case's file have in common: the one becomes the other."""


def _columns() -> list[Column[Any]]:
    return [
        Column("id", uuid_type(), primary_key=True),
        Column("uploader_account_id", uuid_type(), comment="NULL: came before it was noted"),
        Column("uploaded_at", at_type(), nullable=False),
        Column("kind", Text, nullable=False),
        Column("media_type", Text, nullable=False),
        Column("blob", Text, nullable=False, comment="the original, sealed: readers get copies"),
        Column("size_bytes", BigInteger, nullable=False),
        Column("width", Integer),
        Column("height", Integer),
        Column("seconds", Double),
        Column("pages", Integer),
        Column("copies", Text, nullable=False, server_default="waiting", comment="waiting, made, failed, none"),
    ]


uploads = Table(
    "uploads",
    metadata,
    *_columns(),
    Index("uploads_old", "uploaded_at"),
    Index("uploads_blob", "blob"),
)

case_files = Table(
    "case_files",
    metadata,
    *_columns(),
    Column("case_id", uuid_type(), ForeignKey(cases.c.id), nullable=False),
    Column("seq", Integer, nullable=False, comment="the version it came with"),
    Column("position", Integer, nullable=False, comment="among those that came together"),
    Column("move", Text, nullable=False),
    Column("added_at", at_type(), nullable=False),
    Column("audience", Text, nullable=False, server_default="case", comment="case: whoever sees the case"),
    Index("case_files_case", "case_id", "seq", "position"),
    Index("case_files_blob", "blob"),
)

upload_days = Table(
    "upload_days",
    metadata,
    Column("account_id", uuid_type(), primary_key=True),
    Column("day", Date, primary_key=True, comment="of Asia/Shanghai"),
    Column("files", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Index("upload_days_old", text("day")),
)
