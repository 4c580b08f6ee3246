"""Files of cases: an upload is its uploader's, belongs to one case once, and nothing of it is lost or left behind."""

import os
import pathlib
import time
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from backbone import files
from backbone.database import Session, new_id, transaction
from backbone.jobs import JobContext
from backbone.retention import Cleaning
from contracts.hazards.commands import Attachment, KeepFile, KeptFile
from contracts.hazards.errors import FilesTooLarge, TooManyFiles, UnknownFile, UploadLimit
from contracts.refusals import NotAllowed
from contracts.scope import Actor, Role
from services.hazards import commands
from services.hazards.domain import intake
from services.hazards.jobs import JOBS
from tests.integration.hazards.town import Town, actor
from tests.unit import recordings
from tests.unit.pictures import telling

BLOB = "b" * 64


def attachment(**more: Any) -> Attachment:
    given = {"blob": BLOB, "kind": "photo", "media_type": "image/jpeg", "size_bytes": 1000, "width": 40, "height": 30}
    return Attachment(**given | more)


def keep(town: Town, by: Actor | None = None, **more: Any) -> KeptFile:
    asked = KeepFile(file_id=new_id(), file=attachment(**more))
    return commands.keep_file(town.session, by or town.worker, asked, clock=town.clock)


def jobs_of(session: Session, kind: str) -> list[Any]:
    found = session.execute(text("SELECT payload FROM jobs WHERE kind = :kind ORDER BY created_at"), {"kind": kind})
    return [payload for (payload,) in found]


def test_an_upload_waits_for_its_case_and_then_belongs_to_it(town: Town) -> None:
    one, other = keep(town), keep(town, kind="audio", media_type="audio/mp4", width=None, height=None, seconds=3.5)
    assert one.expires_at == town.clock() + timedelta(days=7)
    case = town.report(files=[other.file_id, one.file_id])
    first, second = case.body["files"]
    assert [first["file_id"], second["file_id"]] == [str(other.file_id), str(one.file_id)], (
        "in the order they were named"
    )
    assert (first["kind"], first["seconds"], first["move"], first["version"]) == ("audio", 3.5, "report", 1)
    assert (second["width"], second["height"], second["audience"]) == (40, 30, "case")
    assert [each["media_type"] for each in case.body["photos"]] == ["image/jpeg"]
    assert town.session.execute(text("SELECT count(*) FROM hazards.uploads")).scalar_one() == 0
    assert "blob" not in str(case.body["files"]), "the original is sealed"
    assert {each["file_id"] for each in jobs_of(town.session, "copy_file")} >= {str(one.file_id), str(other.file_id)}


def test_a_move_takes_files_too_under_its_own_version(town: Town) -> None:
    case = town.report()
    kept = keep(town, town.centre)
    inline = attachment(kind="document", media_type="application/pdf", pages=2, width=None, height=None)
    moved = town.move(case, "verify", town.centre, files=[kept.file_id], attachments=[inline])
    assert [(each["kind"], each["move"], each["version"]) for each in moved.body["files"]] == [
        ("document", "verify", 2),
        ("photo", "verify", 2),
    ]
    assert len(jobs_of(town.session, "copy_file")) == 1, "a document is given as it came: it has no copies"


@pytest.mark.parametrize("whose", ["another's", "nobody's", "used"])
def test_only_the_uploader_may_add_it_and_only_once(town: Town, whose: str) -> None:
    kept = keep(town, town.police if whose == "another's" else town.worker)
    file_id = uuid4() if whose == "nobody's" else kept.file_id
    if whose == "used":
        town.report(files=[file_id])
    with pytest.raises(UnknownFile) as refused:
        town.report(files=[file_id])
    assert refused.value.extra["file_id"] == str(file_id)


def test_the_same_report_sent_again_finds_its_files_used_and_is_the_same_case(town: Town) -> None:
    asked = town.asked(files=[keep(town).file_id])
    first, again = (
        commands.report_case(town.session, town.worker, asked, clock=town.clock, county_code="330499") for _ in range(2)
    )
    assert again == first
    assert len(again.body["files"]) == 1


def test_who_only_looks_does_not_upload(town: Town) -> None:
    with pytest.raises(NotAllowed):
        keep(town, actor(Role.AUDITOR, "county_centre"))


def test_an_account_uploads_so_much_a_day_and_the_next_day_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands.filing, "MOST_PER_DAY", 3)
    for _ in range(3):
        keep(town)
    with pytest.raises(UploadLimit), town.session.begin_nested():
        keep(town)
    keep(town, town.police)
    town.clock.forward(minutes=1)  # midnight in the county
    keep(town)
    monkeypatch.setattr(commands.filing, "MOST_BYTES_PER_DAY", 1500)
    with pytest.raises(UploadLimit):
        keep(town)


def test_a_case_has_so_many_files_and_no_more(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooManyFiles):
        town.report(attachments=[attachment()] * 6, files=[uuid4() for _ in range(5)])
    monkeypatch.setattr(commands.filing, "MOST_PER_CASE", 3)
    case = town.report(attachments=[attachment()] * 3)
    with pytest.raises(TooManyFiles):
        town.move(case, "verify", attachments=[attachment()])
    monkeypatch.setattr(commands.filing, "MOST_BYTES_PER_CASE", 2999)
    with pytest.raises(FilesTooLarge):
        town.report(attachments=[attachment()] * 3)
    assert intake.MOST_PER_CASE == 90


def test_what_nobody_adds_to_a_case_is_removed_after_a_week_and_what_was_added_stays(town: Town) -> None:
    added, lost = keep(town), keep(town, blob="c" * 64)
    case = town.report(files=[added.file_id])
    town.clock.forward(days=7)
    cleaning = Cleaning("hazards", town.clock, commands.KEPT)
    cleaning(town.session)
    assert town.session.execute(text("SELECT count(*) FROM hazards.uploads")).scalar_one() == 1, "not before"
    town.clock.forward(minutes=1)
    cleaning(town.session)
    assert jobs_of(town.session, "forget_files") == [{"blobs": ["c" * 64]}]
    with pytest.raises(UnknownFile):
        town.move(case, "verify", town.worker, files=[lost.file_id])
    found = town.session.execute(
        text("SELECT count(*) FROM hazards.case_files WHERE case_id = :id"), {"id": case.case_id}
    )
    assert found.scalar_one() == 1


def test_a_photo_of_the_release_before_is_a_file_of_this_one(town: Town) -> None:
    """Its processes may still write while the new ones start."""
    case = town.report()
    row = {"id": case.case_id, "now": town.clock(), "blob": BLOB}
    town.session.execute(
        text("INSERT INTO hazards.case_photos VALUES (:id, 1, :blob, 'image/jpeg', 10, 'report', :now)"), row
    )
    moved = town.move(case, "verify")
    assert [(each["kind"], each["move"], each["version"]) for each in moved.body["files"]] == [("photo", "report", 1)]
    assert moved.body["photos"][0]["blob"] == BLOB
    assert jobs_of(town.session, "copy_file") == [{"file_id": moved.body["files"][0]["file_id"]}]


# The worker's jobs, on committed rows and a real directory.


def run(bind: Engine, kind: str, attempt: int = 1, **payload: Any) -> Any:
    return JOBS[kind](JobContext(new_id(), payload, attempt, bind))


def uploaded(bind: Engine, content: bytes, **more: Any) -> tuple[UUID, str]:
    blob = files.put(content).sha256
    with transaction(bind) as session:
        kept = keep(Town(session), blob=blob, size_bytes=len(content), **more)
    return kept.file_id, blob


def copies_of(bind: Engine, file_id: UUID) -> str:
    with transaction(bind) as session:
        found = session.execute(text("SELECT copies FROM hazards.uploads WHERE id = :id"), {"id": file_id})
        return str(found.scalar_one())


def test_the_worker_makes_copies_without_metadata_and_leaves_the_original(
    hazards_engine: Engine, store: pathlib.Path
) -> None:
    file_id, blob = uploaded(hazards_engine, telling("JPEG"))
    run(hazards_engine, "copy_file", file_id=str(file_id))
    run(hazards_engine, "copy_file", file_id=str(file_id))  # a worker died and it is done again
    assert copies_of(hazards_engine, file_id) == "made"
    for name in ("shown", "screen", "thumb"):
        assert b"GPSMARK" not in files.derived(name, blob).read_bytes()
    assert files.path_of(blob).read_bytes() == telling("JPEG")


def test_of_a_recording_there_is_one_copy_and_of_a_lost_file_none(hazards_engine: Engine, store: pathlib.Path) -> None:
    audio = {"kind": "audio", "media_type": "audio/mp4", "width": None, "height": None}
    file_id, blob = uploaded(hazards_engine, recordings.m4a(), **audio)
    run(hazards_engine, "copy_file", file_id=str(file_id))
    assert recordings.PLACE not in files.derived("shown", blob).read_bytes()
    with pytest.raises(files.UnknownBlob):
        files.derived("thumb", blob)
    lost, blob = uploaded(hazards_engine, telling("PNG"))
    files.path_of(blob).unlink()
    with pytest.raises(files.UnknownBlob):
        run(hazards_engine, "copy_file", file_id=str(lost))  # tried again: a disk may be late
    assert copies_of(hazards_engine, lost) == "waiting"
    run(hazards_engine, "copy_file", 5, file_id=str(lost))
    assert copies_of(hazards_engine, lost) == "failed"
    assert run(hazards_engine, "copy_file", file_id=str(uuid4())) == {"copies": "gone"}


def test_bytes_are_removed_when_nothing_speaks_of_them_and_not_sooner(
    hazards_engine: Engine, store: pathlib.Path
) -> None:
    file_id, blob = uploaded(hazards_engine, telling("WEBP") + b"1")
    run(hazards_engine, "copy_file", file_id=str(file_id))
    old = time.time() - 7200
    os.utime(files.path_of(blob), (old, old))
    assert run(hazards_engine, "forget_files", blobs=[blob]) == {"removed": 0}, "an upload speaks of it"
    with transaction(hazards_engine) as session:
        session.execute(text("DELETE FROM hazards.uploads WHERE id = :id"), {"id": file_id})
    files.put(telling("WEBP") + b"1")
    assert run(hazards_engine, "forget_files", blobs=[blob]) == {"removed": 0}, "somebody has just put it again"
    os.utime(files.path_of(blob), (old, old))
    assert run(hazards_engine, "forget_files", blobs=[blob]) == {"removed": 1}
    assert [path for path in store.rglob("*") if path.is_file()] == []
