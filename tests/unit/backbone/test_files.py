"""Blobs by hash."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backbone import files


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PINGAN_FILES_DIRECTORY", str(tmp_path))
    return tmp_path


@given(st.binary(max_size=5000))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_put_can_be_opened_by_its_hash(content: bytes) -> None:
    blob = files.put(content)
    assert (blob.sha256, blob.size) == (hashlib.sha256(content).hexdigest(), len(content))
    with files.open(blob.sha256) as file:
        assert file.read() == content
    assert files.put(io.BytesIO(content)) == files.put([content]) == blob


def test_a_stream_past_the_limit_leaves_nothing(directory: Path) -> None:
    with pytest.raises(files.BlobTooLarge):
        files.put(iter([b"x" * 60, b"x" * 60]), limit=100)
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize("name", ["", "0" * 64, "../../etc/passwd", "0" * 63 + "/", "A" * 64])
def test_what_is_no_hash_of_a_blob_is_unknown(name: str) -> None:
    with pytest.raises(files.UnknownBlob):
        files.open(name)
