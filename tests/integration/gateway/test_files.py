"""Files over HTTP: sent before or with a report, judged, seen by who sees the case, never with their metadata."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.gateway.platform import WEST, Platform, report, wait_for
from tests.integration.gateway.test_cases import png, problem
from tests.unit import recordings
from tests.unit.gateway.test_attachments import SCRIPT, paper
from tests.unit.pictures import telling

pytestmark = pytest.mark.timeout(120)


def upload(
    client: httpx.Client, content: bytes, name: str = "a.jpg", declared: str = "", **headers: str
) -> httpx.Response:
    part = {"file": (name, content, declared or "application/octet-stream")}
    return client.post("/v1/files", files=part, headers=headers)


def shown(client: httpx.Client, path: str, **headers: str) -> httpx.Response:
    """The copy, when the worker has made it."""
    return wait_for(lambda: (found := client.get(path, headers=headers)).status_code != 202 and found, 30)


def test_a_photo_is_uploaded_offered_its_place_and_reported_with(platform: Platform) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    with platform.client("west") as west, platform.client("east") as east:
        first, again = (upload(west, telling("JPEG"), **key) for _ in range(2))
        assert first.status_code == 201, first.text
        kept = first.json()
        assert again.json() == kept, "the same upload under the same key is the same file"
        assert (kept["kind"], kept["width"], kept["height"]) == ("photo", 40, 80)
        assert kept["exif"]["lon"] == pytest.approx(120.7011, abs=1e-3)
        assert kept["exif"]["crs"] == "wgs84"
        made = west.post("/v1/cases", json=report(WEST, files=[kept["file_id"]]))
        assert made.status_code == 201, made.text
        case = made.json()
        (file,) = case["files"]
        assert (file["file_id"], file["move"], file["version"]) == (kept["file_id"], "report", 1)
        assert "exif" not in file
        path = f"/v1/cases/{case['case_id']}/files/{file['file_id']}"
        whole = shown(west, path)
        assert (whole.status_code, whole.headers["content-type"]) == (200, "image/jpeg")
        assert whole.headers["x-content-type-options"] == "nosniff"
        for size in ("thumb", "screen"):
            smaller = shown(west, f"{path}?size={size}")
            assert smaller.headers["content-type"] == "image/webp"
            assert b"GPSMARK" not in smaller.content
            assert smaller.headers["etag"] != whole.headers["etag"]
        assert b"GPSMARK" not in whole.content
        assert west.get(path, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
        problem(east.get(path), 404, "not_found")
        problem(west.get(f"/v1/cases/{case['case_id']}/files/{uuid4()}"), 404, "not_found")
        problem(west.get(f"{path}?size=huge"), 422, "invalid_request")


def test_a_recording_plays_from_its_middle_and_a_document_is_saved(platform: Platform) -> None:
    fields = {name: str(value) for name, value in report(WEST).items()}
    parts = [
        ("files", ("a.m4a", recordings.m4a(), "audio/mp4")),
        ("files", ("b.pdf", paper(), "application/pdf")),
        ("photo", ("c.png", png(), "image/png")),
        ("photo", ("d.jpg", telling("JPEG"), "image/jpeg")),
    ]
    with platform.client("west") as west:
        made = west.post("/v1/cases", data=fields, files=parts)
        assert made.status_code == 201, made.text
        case = made.json()
        files = {each["kind"]: each for each in case["files"]}
        assert len(case["files"]) == 4
        assert len(case["photos"]) == 2
        base = f"/v1/cases/{case['case_id']}/files/"
        audio = shown(west, base + files["audio"]["file_id"])
        assert (audio.headers["content-type"], audio.headers["accept-ranges"]) == ("audio/mp4", "bytes")
        assert recordings.PLACE not in audio.content
        part = west.get(base + files["audio"]["file_id"], headers={"Range": "bytes=4-7"})
        assert (part.status_code, part.content) == (206, b"ftyp")
        document = west.get(base + files["document"]["file_id"])
        assert (document.status_code, document.content) == (200, paper())
        assert document.headers["content-disposition"].startswith("attachment;")
        assert "default-src 'none'" in document.headers["content-security-policy"]
        problem(west.get(f"{base}{files['document']['file_id']}?size=thumb"), 422, "invalid_request")


def test_a_move_brings_files_as_well(platform: Platform) -> None:
    with platform.client("admin") as admin:
        case = admin.post("/v1/cases", json=report(WEST, source="phone")).json()
        kept = upload(admin, png()).json()
        parts = [("photo", ("a.png", png(), "image/png")), ("files", ("b.amr", recordings.amr(), "audio/amr"))]
        moved = admin.post(
            f"/v1/cases/{case['case_id']}/moves",
            data={"move": "verify", "files": json.dumps([kept["file_id"]])},
            files=parts,
            headers={"If-Match": '"1"'},
        )
        assert moved.status_code == 200, moved.text
        assert [each["kind"] for each in moved.json()["files"]] == ["photo", "audio", "photo"]
        assert {(each["move"], each["version"]) for each in moved.json()["files"]} == {("verify", 2)}


def test_only_who_uploaded_it_may_add_it_and_only_once(platform: Platform) -> None:
    with platform.client("west") as west, platform.client("east") as east:
        file_id = upload(west, png()).json()["file_id"]
        refused = problem(east.post("/v1/cases", json=report(WEST, files=[file_id])), 422, "hazards.unknown_file")
        assert (refused["field"], refused["file_id"]) == ("files", file_id)
        assert west.post("/v1/cases", json=report(WEST, files=[file_id])).status_code == 201
        problem(west.post("/v1/cases", json=report(WEST, files=[file_id])), 422, "hazards.unknown_file")


def test_an_upload_as_the_body_is_what_its_bytes_are(platform: Platform) -> None:
    with platform.client("west") as west:
        for content, media_type in ((png(), "image/png"), (recordings.wav(), "application/octet-stream")):
            made = west.post("/v1/files", content=content, headers={"Content-Type": media_type})
            assert made.status_code == 201, made.text
        problem(
            west.post("/v1/files", content=b"x", headers={"Content-Type": "image/svg+xml"}),
            415,
            "unsupported_media_type",
        )
        problem(west.post("/v1/files", content=b"", headers={"Content-Type": "image/png"}), 422, "invalid_request")
        problem(west.post("/v1/files", files={"other": ("a", png())}), 422, "invalid_request")
        problem(west.post("/v1/files", data={"file": "text"}, files={}), 415, "unsupported_media_type")


HOSTILE: dict[str, tuple[bytes, str, int, str]] = {
    "a program": (b"MZ" + bytes(100), "image/jpeg", 415, "unsupported_file"),
    "svg": (b"<svg onload='alert(1)'/>", "image/svg+xml", 415, "unsupported_file"),
    "html": (b"<!doctype html><script>x</script>", "image/png", 415, "unsupported_file"),
    "a document called a picture": (paper(), "image/jpeg", 415, "file_type_mismatch"),
    "heic": (recordings.box(b"ftyp", b"heic", bytes(4)) + bytes(64), "image/heic", 415, "heic_photo"),
    "a film": (recordings.m4a(handler=b"vide"), "video/mp4", 415, "unsupported_file"),
    "a script": (paper(OpenAction=SCRIPT), "application/pdf", 422, "active_pdf"),
    "half a recording": (recordings.m4a()[:-20], "audio/mp4", 422, "broken_file"),
    "half a picture": (telling("PNG")[:60], "image/png", 415, "unsupported_photo"),
    "nothing": (b"", "image/png", 422, "invalid_request"),
    "eleven MiB of picture": (png() + bytes(11 * 2**20), "image/png", 413, "file_too_large"),
    "more than any file": (bytes(21 * 2**20), "image/png", 413, "body_too_large"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_by_name_and_with_the_reason(platform: Platform, name: str) -> None:
    content, declared, status, code = HOSTILE[name]
    with platform.client("west") as west:
        refused = problem(upload(west, content, "现场.jpg", declared), status, code)
        if code != "body_too_large":
            assert (refused["field"], refused["file"]) == ("file", "现场.jpg")
        chinese = upload(west, content, "x", declared, **{"Accept-Language": "zh-CN"})
        assert any("\u4e00" <= character <= "\u9fff" for character in chinese.json()["title"])


def test_of_ten_files_and_one_the_eleventh_is_too_many_and_nothing_is_written(platform: Platform) -> None:
    fields: dict[str, Any] = {name: str(value) for name, value in report(WEST).items()} | {"case_id": str(uuid4())}
    with platform.client("west") as west:
        parts = [("photo", (f"{n}.png", png(), "image/png")) for n in range(11)]
        problem(west.post("/v1/cases", data=fields, files=parts), 422, "too_many_files")
        parts = [*parts[:2], ("files", ("x.exe", b"MZ" + bytes(99), "application/pdf"))]
        assert problem(west.post("/v1/cases", data=fields, files=parts), 415, "unsupported_file")["file"] == "x.exe"
        problem(west.post("/v1/cases", data=fields, files=[("other", ("a", png()))]), 422, "invalid_request")
        problem(west.get(f"/v1/cases/{fields['case_id']}"), 404, "not_found")


def test_without_signing_in_nothing_is_uploaded(platform: Platform) -> None:
    with platform.client() as anybody:
        problem(upload(anybody, png()), 401, "unauthenticated")
