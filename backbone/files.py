"""Blobs by hash in PINGAN_FILES_DIRECTORY: written beside, synced, renamed; the same bytes are stored once."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from backbone.settings import required

PUT_LATELY_S = 3600.0
"""Bytes that were put since then may belong to a row that is still to come."""
_CHUNK = 1 << 20
_SHA256 = re.compile(r"^[0-9a-f]{64}$")


class UnknownBlob(LookupError):
    """No blob has this hash."""


class BlobTooLarge(ValueError):
    """The stream is longer than allowed."""


@dataclass(frozen=True, slots=True)
class Blob:
    """SHA-256 in hex and size in bytes."""

    sha256: str
    size: int


def put(source: bytes | BinaryIO | Iterable[bytes], limit: int | None = None) -> Blob:
    """Store bytes, a binary file or chunks; durable when it returns. Raises BlobTooLarge past `limit` bytes."""
    directory = _directory()
    handle, name = tempfile.mkstemp(prefix="incoming-", dir=directory)
    try:
        digest, size = hashlib.sha256(), 0
        with os.fdopen(handle, "wb") as file:
            for chunk in _chunks(source):
                size += len(chunk)
                if limit is not None and size > limit:
                    raise BlobTooLarge(f"more than {limit} bytes")
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        blob = Blob(digest.hexdigest(), size)
        target = _place(directory, blob.sha256)
        if target.exists():
            os.utime(target)  # wanted again: `remove` leaves it alone
            os.unlink(name)
            return blob
        target.parent.mkdir(mode=0o750, exist_ok=True)
        os.replace(name, target)
        _sync(target.parent)
        _sync(directory)
        return blob
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise


def path_of(sha256: str) -> Path:
    """Where a blob lies. Raises UnknownBlob, also for what is no hash."""
    if not _SHA256.match(sha256):
        raise UnknownBlob(sha256)
    path = _place(_directory(), sha256)
    if not path.is_file():
        raise UnknownBlob(sha256)
    return path


def keep_derived(name: str, sha256: str, content: bytes) -> None:
    """Keep a file made from a blob under `name`, for `derived`; what was there is replaced. Raises UnknownBlob."""
    path_of(sha256)
    target = _place(_directory() / name, sha256)
    target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    handle, incoming = tempfile.mkstemp(prefix="incoming-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(incoming, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(incoming)
        raise


def derived(name: str, sha256: str) -> Path:
    """Where the file lies that was made from a blob under `name`. Raises UnknownBlob."""
    if not _SHA256.match(sha256):
        raise UnknownBlob(sha256)
    path = _place(_directory() / name, sha256)
    if not path.is_file():
        raise UnknownBlob(sha256)
    return path


def remove(sha256: str, names: Iterable[str], unused_s: float) -> bool:
    """Remove a blob and what was made from it under `names`; False where it was put within the last `unused_s`.

    The caller knows that nothing speaks of it. Who puts the same bytes again meanwhile makes it young again.
    """
    try:
        path = path_of(sha256)
    except UnknownBlob:
        return True
    if time.time() - path.stat().st_mtime < unused_s:
        return False
    for each in (path, *(_place(_directory() / name, sha256) for name in names)):
        each.unlink(missing_ok=True)
    return True


def open(sha256: str) -> BinaryIO:
    """A blob's bytes as a binary file. Raises UnknownBlob."""
    return path_of(sha256).open("rb")


def _directory() -> Path:
    return Path(required("PINGAN_FILES_DIRECTORY"))


def _place(directory: Path, sha256: str) -> Path:
    return directory / sha256[:2] / sha256


def _chunks(source: bytes | BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    if isinstance(source, (bytes, bytearray, memoryview)):
        yield bytes(source)
    elif hasattr(source, "read"):
        file = cast(BinaryIO, source)
        while chunk := file.read(_CHUNK):
            yield chunk
    else:
        yield from source


def _sync(directory: Path) -> None:
    """A rename survives a power cut only after its directory is synced."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
