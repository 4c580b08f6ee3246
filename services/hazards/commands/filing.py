"""Files: kept when uploaded, added to a case by a report or a move, removed when nobody does.

The bytes are in `backbone.files` already, judged by the gateway. Here they get their owner and their case; a job of
the worker makes the copies that readers see.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text

from backbone import jobs
from backbone.clock import COUNTY_TIME, Clock
from backbone.database import Session, new_id
from backbone.retention import Deleting, Rule
from contracts.hazards.commands import MOST_FILES, Attachment, FileKind, KeepFile, KeptFile, MoveCase, Photo, ReportCase
from contracts.hazards.errors import FilesTooLarge, TooManyFiles, UnknownFile, UploadLimit
from contracts.scope import Actor
from services.hazards import records
from services.hazards.domain.intake import MOST_BYTES_PER_CASE, MOST_BYTES_PER_DAY, MOST_PER_CASE, MOST_PER_DAY
from services.hazards.domain.machine import REPORTERS
from services.hazards.domain.moves import require_role
from services.hazards.tables import FILE_COLUMNS, case_files, uploads

COPY_JOB, FORGET_JOB = "copy_file", "forget_files"
UNUSED = timedelta(days=7)
"""How long an upload waits for its case: a phone may be without a network for days."""

_COUNT = text("""
INSERT INTO hazards.upload_days AS d (account_id, day, files, bytes) VALUES (:account, :day, 1, :bytes)
ON CONFLICT (account_id, day) DO UPDATE SET files = d.files + 1, bytes = d.bytes + excluded.bytes
RETURNING files, bytes
""")
_NAMES = ", ".join(FILE_COLUMNS)
_TAKE = text(f"""
WITH taken AS (
  DELETE FROM hazards.uploads WHERE id = ANY (CAST(:ids AS uuid[])) AND uploader_account_id = :account RETURNING *
)
INSERT INTO hazards.case_files ({_NAMES}, case_id, seq, position, move, added_at)
SELECT {_NAMES}, :case_id, :seq, :first + array_position(CAST(:ids AS uuid[]), id) - 1, :move, :now FROM taken
RETURNING id
""")  # noqa: S608 - constants
_OLD = text("""
DELETE FROM hazards.uploads WHERE ctid = ANY (ARRAY (
  SELECT ctid FROM hazards.uploads WHERE uploaded_at < :before LIMIT :most
)) RETURNING blob
""")


def keep_file(session: Session, actor: Actor, command: KeepFile, *, clock: Clock) -> KeptFile:
    """An upload, its uploader's alone. Raises NotAllowed, UploadLimit."""
    require_role(actor, REPORTERS, "Uploading")
    now, file = clock(), command.file
    day = now.astimezone(COUNTY_TIME).date()
    used = session.execute(_COUNT, {"account": actor.account_id, "day": day, "bytes": file.size_bytes}).one()
    if used.files > MOST_PER_DAY or used.bytes > MOST_BYTES_PER_DAY:
        raise UploadLimit(
            field="file", expected=f"at most {MOST_PER_DAY} files and {MOST_BYTES_PER_DAY // 2**20} MiB a day"
        )
    row = _judged(command.file_id, file, actor, now)
    session.execute(insert(uploads).values(row))
    _enqueue(session, [row])
    return KeptFile(file_id=command.file_id, expires_at=now + UNUSED, **file.model_dump(mode="json", exclude={"blob"}))


def has_files(command: ReportCase | MoveCase) -> bool:
    """Whether a report or a move brings any."""
    return bool(command.photo or command.attachments or command.files)


def add_files(
    session: Session, actor: Actor, row: records.Row, command: ReportCase | MoveCase, move: str, now: datetime
) -> None:
    """Adds what a report or a move brings, under the case's version after it.

    Raises UnknownFile for an upload that is not the actor's, or not free; TooManyFiles, FilesTooLarge.
    """
    if not has_files(command):
        return
    came = [*([_of_photo(command.photo)] if command.photo else []), *command.attachments]
    wanted = list(dict.fromkeys(command.files))
    if len(came) + len(wanted) > MOST_FILES:
        raise TooManyFiles(field="files", expected=f"at most {MOST_FILES} at once")
    place = {"case_id": row["id"], "seq": row["version"], "move": move}
    if came:
        rows = [_judged(new_id(), each, actor, now) for each in came]
        positions = [{**place, "position": n, "added_at": now} for n in range(len(rows))]
        session.execute(insert(case_files), [one | other for one, other in zip(rows, positions, strict=True)])
        _enqueue(session, rows)
    if wanted:
        given = {**place, "ids": wanted, "account": actor.account_id, "first": len(came), "now": now}
        taken = set(session.execute(_TAKE, given).scalars())
        for missing in (each for each in wanted if each not in taken):
            raise UnknownFile(f"'{missing}' is no free upload of yours.", field="files", file_id=str(missing))
    _judge_total(session, row["id"])


def brings_picture(session: Session, actor: Actor, command: MoveCase) -> bool:
    """Whether a picture comes with it: in the form, or uploaded before by this actor."""
    if command.photo is not None or any(each.kind is FileKind.PHOTO for each in command.attachments):
        return True
    if not command.files:
        return False
    u = uploads.c
    own = (u.id.in_(command.files), u.uploader_account_id == actor.account_id, u.kind == FileKind.PHOTO.value)
    return session.execute(select(u.id).where(*own).limit(1)).first() is not None


def _judge_total(session: Session, case_id: UUID) -> None:
    sums = select(func.count(), func.sum(case_files.c.size_bytes)).where(case_files.c.case_id == case_id)
    count, size = session.execute(sums).one()
    if count > MOST_PER_CASE:
        raise TooManyFiles(field="files", expected=f"at most {MOST_PER_CASE} for one case")
    if size > MOST_BYTES_PER_CASE:
        raise FilesTooLarge(field="files", expected=f"at most {MOST_BYTES_PER_CASE // 2**20} MiB for one case")


def _of_photo(photo: Photo) -> Attachment:
    return Attachment(kind=FileKind.PHOTO, **photo.model_dump())


def _judged(file_id: UUID, file: Attachment, actor: Actor, now: datetime) -> dict[str, Any]:
    return {
        "id": file_id,
        "uploader_account_id": actor.account_id,
        "uploaded_at": now,
        **file.model_dump(mode="json"),
        # A document is given as it came: nothing in it is made smaller or left out.
        "copies": "none" if file.kind is FileKind.DOCUMENT else "waiting",
    }


def _enqueue(session: Session, rows: Iterable[dict[str, Any]]) -> None:
    for row in rows:
        if row["copies"] == "waiting":
            jobs.enqueue(session, COPY_JOB, {"file_id": str(row["id"])}, row["id"])


def _forget(session: Session, before: datetime, most: int) -> tuple[int, bool]:
    """Uploads that nobody added to a case; the worker, who has the disk, then removes bytes that nothing else needs."""
    blobs: Sequence[str] = session.execute(_OLD, {"before": before, "most": most}).scalars().all()
    if blobs:
        jobs.enqueue(session, FORGET_JOB, {"blobs": sorted(set(blobs))})
    return len(blobs), len(blobs) >= most


KEPT = (
    Rule("uploads", UNUSED, _forget, "in no case"),
    Rule("upload_days", timedelta(days=2), Deleting("hazards.upload_days", "day < CAST(:before AS date)")),
)
