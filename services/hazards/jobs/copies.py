"""Readers' copies of a case's files, without what phones write into them; the original stays sealed as it came."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from backbone import files, telemetry
from backbone.jobs import ATTEMPTS, JobContext
from services.hazards.jobs import pictures, sounds
from services.hazards.queries import SCREEN, SHOWN, THUMB
from services.hazards.tables import case_files, uploads

log = telemetry.logger("hazards.jobs")


def copy_file(context: JobContext) -> dict[str, Any] | None:
    """Job `copy_file`, payload {"file_id"}: make what readers get. Safe to run again: it starts over."""
    file_id = UUID(context.payload["file_id"])
    row = _row(context, file_id)
    if row is None:
        return {"copies": "gone"}
    try:
        content = files.path_of(row.blob).read_bytes()
        made = _copies(content, row.kind, row.media_type)
    except files.UnknownBlob:
        if context.attempt < ATTEMPTS:
            raise  # another machine's disk may be late; what is lost is lost at the last attempt too
        log.error("a file is not there", file_id=str(file_id))
        _mark(context, file_id, "failed")
        return {"copies": "lost"}
    except (pictures.BrokenPicture, sounds.BrokenSound) as error:
        # The gateway has read all of it: only a newer decoder's opinion comes here.
        log.warning("no copies of a file", file_id=str(file_id), error=repr(error)[:200])
        _mark(context, file_id, "failed")
        return {"copies": "failed"}
    for name, copy in made.items():
        files.keep_derived(name, row.blob, copy)
    _mark(context, file_id, "made")
    return {"copies": "made", "bytes": sum(map(len, made.values()))}


def forget_files(context: JobContext) -> dict[str, Any]:
    """Job `forget_files`, payload {"blobs"}: remove bytes that no upload and no case speaks of any more."""
    blobs = set(context.payload["blobs"])
    with context.transaction() as session:
        for table in (uploads, case_files):
            blobs -= set(session.execute(select(table.c.blob).where(table.c.blob.in_(blobs))).scalars())
    removed = sum(files.remove(blob, (SHOWN, SCREEN, THUMB), files.PUT_LATELY_S) for blob in sorted(blobs))
    return {"removed": removed}


def _copies(content: bytes, kind: str, media_type: str) -> dict[str, bytes]:
    return pictures.copies(content) if kind == "photo" else {SHOWN: sounds.without_tags(content, media_type)}


def _row(context: JobContext, file_id: UUID) -> Any:
    with context.transaction() as session:
        for table in (uploads, case_files):
            columns = (table.c.blob, table.c.kind, table.c.media_type)
            row = session.execute(select(*columns).where(table.c.id == file_id)).one_or_none()
            if row is not None:
                return row
    return None


def _mark(context: JobContext, file_id: UUID, copies: str) -> None:
    # In this order: an upload that becomes a case's file meanwhile is waited for here, and found there.
    with context.transaction() as session:
        for table in (uploads, case_files):
            session.execute(update(table).where(table.c.id == file_id).values(copies=copies))
