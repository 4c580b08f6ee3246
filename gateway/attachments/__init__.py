"""What is added to a case, judged by its bytes: pictures, recordings, PDF documents. A name decides nothing.

The original is stored by hash and stays sealed; the worker makes what readers see.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from backbone import files
from contracts.hazards.commands import Attachment, FileKind, Photo
from gateway.attachments import papers, pictures, recordings
from gateway.attachments.exif import Taken
from gateway.problems import Problem

MIB = 1024 * 1024
LARGEST = {FileKind.PHOTO: 10 * MIB, FileKind.AUDIO: 20 * MIB, FileKind.DOCUMENT: 20 * MIB}
LARGEST_BYTES = max(LARGEST.values())
TAKEN = "JPEG, PNG, WebP; M4A, MP3, Ogg, WAV, AMR; PDF"
MEDIA_TYPES = (
    *("image/jpeg", "image/png", "image/webp"),
    *("audio/mp4", "audio/mpeg", "audio/ogg", "audio/wav", "audio/amr"),
    "application/pdf",
)
REFUSALS = (
    *("unsupported_photo", "heic_photo", "unsupported_file", "file_type_mismatch", "file_too_large", "too_many_files"),
    *("too_many_pixels", "broken_file", "recording_too_long", "encrypted_pdf", "active_pdf", "polyglot_file"),
)
"""The codes of what can be wrong with a file."""
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
# A picture unpacks to some 180 MB at most: two at a time.
_workers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="attachments")


@dataclass(frozen=True, slots=True)
class Upload:
    """One file as it came: the form's field, the sender's name for it and media type, the bytes."""

    field: str
    name: str
    declared: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in `backbone.files`, and what it says of where it was taken."""

    upload: Upload
    file: Attachment
    taken: Taken | None

    @property
    def photo(self) -> Photo:
        return Photo(**self.file.model_dump(include=set(Photo.model_fields)))


async def stored(upload: Upload) -> Stored:
    """Judge and store; the work is off the loop. Raises Problem with the file's name in `file`."""
    return (await _off_the_loop([upload]))[0]


async def all_stored(uploads: Sequence[Upload]) -> tuple[Photo | None, tuple[Attachment, ...]]:
    """The first picture of the field `photo`, and everything else."""
    kept = await _off_the_loop(uploads)
    first = next((each for each in kept if each.upload.field == "photo"), None)
    return (first.photo if first else None), tuple(each.file for each in kept if each is not first)


async def _off_the_loop(uploads: Sequence[Upload]) -> list[Stored]:
    if not uploads:
        return []
    return await asyncio.get_running_loop().run_in_executor(_workers, _stored, uploads)


def _stored(uploads: Sequence[Upload]) -> list[Stored]:
    # All are judged before the first is stored in vain.
    found = [(upload, *_judged(upload)) for upload in uploads]
    return [_put(*each) for each in found]


def _judged(upload: Upload) -> tuple[Attachment, Taken | None]:
    try:
        return judged(upload)
    except Problem as problem:
        problem.field = upload.field
        problem.extra.setdefault("file", upload.name)
        raise


def _put(upload: Upload, file: Attachment, found: Taken | None) -> Stored:
    blob = files.put(upload.content)
    return Stored(upload, file.model_copy(update={"blob": blob.sha256}), found)


def judged(upload: Upload) -> tuple[Attachment, Taken | None]:
    """What the bytes are; `blob` is still empty. Raises Problem."""
    content = upload.content
    kind, media_type = _kind_of(content, upload.field)
    if upload.field == "photo" and kind is not FileKind.PHOTO:
        raise _no_picture()
    if len(content) > LARGEST[kind]:
        raise Problem("file_too_large", limit_bytes=LARGEST[kind])
    _check_declared(upload.declared, kind)
    _check_alone(content, kind)
    known = {"kind": kind, "size_bytes": len(content), "blob": "0" * 64}
    if kind is FileKind.PHOTO:
        seen = pictures.seen(content)
        return Attachment(media_type=seen.media_type, width=seen.width, height=seen.height, **known), seen.taken
    if kind is FileKind.AUDIO:
        return Attachment(media_type=media_type, seconds=recordings.seconds_of(content, media_type), **known), None
    return Attachment(media_type=media_type, pages=papers.pages_of(content), **known), None


def _no_picture() -> Problem:
    return Problem("unsupported_photo", expected="a JPEG, PNG or WebP picture")


def _kind_of(content: bytes, field: str) -> tuple[FileKind, str]:
    if not content:
        raise Problem("invalid_request", expected="a file that is not empty")
    if content.startswith(_PICTURES) or (content.startswith(b"RIFF") and content[8:12] == b"WEBP"):
        return FileKind.PHOTO, ""
    if content.startswith(b"%PDF-"):
        return FileKind.DOCUMENT, "application/pdf"
    if recordings.is_still(content):
        raise Problem("heic_photo", expected="the picture as JPEG")
    audio = recordings.media_type_of(content)
    if audio is None:
        raise _no_picture() if field == "photo" else Problem("unsupported_file", expected=TAKEN)
    return FileKind.AUDIO, audio


def _check_declared(declared: str, kind: FileKind) -> None:
    """Who says it is a picture and sends a document is wrong or lies. Recorders do call their sound video/mp4."""
    family = declared.partition("/")[0].strip().lower()
    said = {
        "image": FileKind.PHOTO,
        "audio": FileKind.AUDIO,
        "video": FileKind.AUDIO,
        "text": None,
    }.get(family, kind)
    if declared.lower().startswith("application/pdf"):
        said = FileKind.DOCUMENT
    if said is not kind:
        raise Problem("file_type_mismatch", expected=f"the media type of what it is: {kind.value}")


def _check_alone(content: bytes, kind: FileKind) -> None:
    """A file that is two things at once is shown as one here and opened as the other elsewhere."""
    if kind is not FileKind.DOCUMENT and b"%PDF-" in content[:1024]:
        raise Problem("polyglot_file", also="PDF")
    tail = content[-65_557:]
    at = tail.rfind(b"PK\x05\x06")
    # The end of an archive: its comment, if any, ends where the file does.
    if at >= 0 and len(tail) >= at + 22 and at + 22 + int.from_bytes(tail[at + 20 : at + 22], "little") == len(tail):
        raise Problem("polyglot_file", also="ZIP")
