"""What is added to a case: pictures, recordings, documents; judged by their bytes before they come here."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from contracts.codes import Sha256
from contracts.commands import Command, Part, Reply

MOST_FILES = 10
"""Of one report or one move."""


class FileKind(StrEnum):
    """What a file is to people."""

    PHOTO = "photo"
    AUDIO = "audio"
    DOCUMENT = "document"


MediaType = Annotated[
    str, StringConstraints(pattern=r"^(image/(jpeg|png|webp)|audio/(mp4|mpeg|ogg|wav|amr)|application/pdf)$")
]


class Attachment(Part):
    """A file already stored in `backbone.files`, by hash, with what its bytes say of it."""

    blob: Sha256
    kind: FileKind
    media_type: MediaType
    size_bytes: int = Field(ge=1)
    width: int | None = Field(default=None, ge=1)
    height: int | None = Field(default=None, ge=1)
    seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    pages: int | None = Field(default=None, ge=1)


class KeepFile(Command):
    """Keep an uploaded file until its uploader adds it to a case; after some days without one it is removed."""

    service: ClassVar[str] = "hazards"
    file_id: UUID
    file: Attachment


class KeptFile(Reply):
    """The upload: who may name `file_id` is its uploader alone, and until `expires_at`."""

    file_id: UUID
    kind: str
    media_type: str
    size_bytes: int
    width: int | None
    height: int | None
    seconds: float | None
    pages: int | None
    expires_at: datetime
