"""What files are by their bytes: taken, or refused with the reason, whatever they are called."""

import io
import struct
import zipfile
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, StreamObject, TextStringObject

from contracts.hazards.commands import FileKind
from gateway import attachments
from gateway.attachments import Upload, judged
from gateway.attachments.exif import Taken
from gateway.forms import shown_name
from gateway.problems import KINDS, Problem
from tests.unit import recordings


def picture(kind: str = "JPEG", exif: Image.Exif | None = None, size: tuple[int, int] = (8, 6)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind, **({"exif": exif.tobytes()} if exif is not None else {}))
    return out.getvalue()


def paper(pages: int = 2, **change: Any) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    for name, value in change.items():
        writer._root_object[NameObject(f"/{name}")] = value
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def refusal(content: bytes, declared: str = "", field: str = "file") -> Problem:
    with pytest.raises(Problem) as caught:
        judged(Upload(field, "x", declared, content))
    assert caught.value.code in {*attachments.REFUSALS, "invalid_request"}
    return caught.value


def of(content: bytes, declared: str = "") -> Any:
    return judged(Upload("file", "x", declared, content))[0]


@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_pictures_have_sides(kind: str, media_type: str) -> None:
    file = of(picture(kind))
    assert (file.kind, file.media_type, file.width, file.height) == (FileKind.PHOTO, media_type, 8, 6)


@pytest.mark.parametrize("media_type", recordings.ALL)
def test_recordings_have_a_length(media_type: str) -> None:
    content, seconds = recordings.ALL[media_type]
    file = of(content)
    assert (file.kind, file.media_type) == (FileKind.AUDIO, media_type)
    assert file.seconds == pytest.approx(seconds, abs=0.03)


def test_documents_have_pages() -> None:
    file = of(paper(3))
    assert (file.kind, file.media_type, file.pages) == (FileKind.DOCUMENT, "application/pdf", 3)


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\x00" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<!doctype html><script>alert(1)</script>",
        b"GIF89a" + bytes(50),
        b"\0" * 100,
        b"PK\x03\x04" + bytes(50),
        b"\x1aE\xdf\xa3" + bytes(50),  # Matroska
        b" %PDF-1.7",  # a reader may find it, but it does not begin there
        recordings.m4a(handler=b"vide"),
    ],
)
def test_other_kinds_are_refused(content: bytes) -> None:
    assert refusal(content).code == "unsupported_file"


@pytest.mark.parametrize("brand", [b"heic", b"mif1", b"avif"])
def test_a_heic_is_told_what_to_do(brand: bytes) -> None:
    content = recordings.box(b"ftyp", brand, bytes(4), brand) + bytes(100)
    assert refusal(content).code == refusal(content, field="photo").code == "heic_photo"


@pytest.mark.parametrize("content", [recordings.wav(), paper(), b"text", b"<svg/>"])
def test_a_photo_is_a_picture(content: bytes) -> None:
    assert refusal(content, field="photo").code == "unsupported_photo"


@pytest.mark.parametrize(
    ("content", "declared"),
    [
        (paper(), "image/jpeg"),
        (picture(), "application/pdf"),
        (picture(), "audio/mpeg"),
        (recordings.wav(), "image/png"),
        (paper(), "text/html"),
        (picture("PNG"), "text/plain"),
    ],
)
def test_who_says_another_kind_than_it_is_is_refused(content: bytes, declared: str) -> None:
    assert refusal(content, declared).code == "file_type_mismatch"


@pytest.mark.parametrize(
    ("content", "declared"),
    [
        (picture("PNG"), "image/jpeg"),  # of the same kind: the bytes decide
        (recordings.m4a(), "video/mp4"),
        (recordings.m4a(brand=b"3gp4"), "video/3gpp"),
        (paper(), "application/octet-stream"),
    ],
)
def test_a_slip_within_the_kind_does_not_matter(content: bytes, declared: str) -> None:
    assert of(content, declared).size_bytes == len(content)


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("a.class", b"x" * 100)
    return out.getvalue()


def test_what_is_two_things_at_once_is_refused() -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 6)).save(out, "JPEG", comment=b"%PDF-1.4 1 0 obj")
    for content, also in (
        (out.getvalue(), "PDF"),
        (picture() + archive(), "ZIP"),
        (paper() + archive(), "ZIP"),
        (recordings.wav() + archive(), "ZIP"),
    ):
        problem = refusal(content)
        assert (problem.code, problem.extra["also"]) == ("polyglot_file", also)


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("content", [recordings.m4a(), recordings.amr()[:-1], paper()], ids=["m4a", "amr", "pdf"])
def test_what_was_cut_short_is_broken(content: bytes, kept: float) -> None:
    assert refusal(content[: int(len(content) * kept)]).code in ("broken_file", "unsupported_file")


@pytest.mark.parametrize(
    "content",
    [
        b"#!AMR\n",
        b"#!AMR\n" + b"\x04" * 12,
        b"OggS" + bytes(24) + b"OpusHead" + bytes(100),
        b"RIFF\x10\0\0\0WAVEfmt ",
        b"ID3\x03\0\0\0\0\0\x05",
        recordings.box(b"ftyp", b"M4A ") + struct.pack(">I", 2**31) + b"moov",
        recordings.box(b"ftyp", b"M4A ") + struct.pack(">I", 4) + b"moov",
        recordings.box(b"ftyp", b"M4A ") + recordings.box(b"free") * 20_000,
        b"%PDF-1.7\n",
        b"%PDF-1.7\ntrailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF",
    ],
)
def test_what_has_not_the_form_of_its_kind_is_broken(content: bytes) -> None:
    assert refusal(content).code == "broken_file"


def test_a_recording_of_hours_is_too_long() -> None:
    assert refusal(recordings.m4a(seconds=3601)).code == "recording_too_long"


def test_a_document_with_a_password_is_told_so() -> None:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    assert refusal(out.getvalue()).code == "encrypted_pdf"


SCRIPT = DictionaryObject(
    {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1)")}
)
LAUNCH = DictionaryObject({NameObject("/S"): NameObject("/Launch"), NameObject("/F"): TextStringObject("cmd.exe")})


def with_attachment() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.add_attachment("a.exe", b"MZ")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def in_a_compressed_object() -> bytes:
    """A script whose every letter lies in an object stream, so that no search of the bytes finds it."""
    hidden = b"4 0 <</S /JavaScript /JS (app.alert(1))>>"
    stream = zlib.compress(hidden)
    objects = {
        1: b"<</Type /Catalog /Pages 2 0 R /OpenAction 4 0 R>>",
        2: b"<</Type /Pages /Kids [3 0 R] /Count 1>>",
        3: b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 9 9]>>",
        5: b"<</Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d>>\nstream\n%s\nendstream"
        % (len(stream), stream),
    }
    out, offsets = bytearray(b"%PDF-1.5\n"), {}
    for number, body in objects.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    at = len(out)
    rows = [struct.pack(">BHB", 0, 0, 0)]
    for number in range(1, 7):
        row = (2, 5, 0) if number == 4 else (1, at if number == 6 else offsets[number], 0)
        rows.append(struct.pack(">BHB", *row))
    table = b"".join(rows)
    out += b"6 0 obj\n<</Type /XRef /Size 7 /W [1 2 1] /Root 1 0 R /Length %d>>\nstream\n%s\nendstream\nendobj\n" % (
        len(table),
        table,
    )
    return bytes(out) + b"startxref\n%d\n%%%%EOF" % at


@pytest.mark.parametrize(
    "content",
    [
        paper(OpenAction=SCRIPT),
        paper(OpenAction=LAUNCH),
        paper(AA=DictionaryObject({NameObject("/WC"): SCRIPT})),
        paper(AcroForm=DictionaryObject({NameObject("/XFA"): TextStringObject("x")})),
        with_attachment(),
        paper().replace(b"%%EOF", b"9 0 obj <</S /J#61vaScript /JS (x)>> endobj\n/JavaScript\n%%EOF"),
        in_a_compressed_object(),
    ],
    ids=["script", "launch", "actions", "xfa", "files", "unlisted", "compressed"],
)
def test_a_document_that_acts_is_refused(content: bytes) -> None:
    assert refusal(content).code == "active_pdf"


def test_a_document_that_unpacks_to_gigabytes_is_refused_in_time() -> None:
    bomb = StreamObject()
    bomb._data = zlib.compress(b"4 0 " + b" " * 90_000_000, 9)
    content = in_a_compressed_object()
    begin, end = content.index(b"stream\n") + 7, content.index(b"\nendstream")
    spoilt = content[:begin] + bomb._data + content[end:]
    assert refusal(spoilt).code in ("broken_file", "active_pdf")


def test_a_file_larger_than_its_kind_may_be_is_refused_before_it_is_read() -> None:
    problem = refusal(picture() + bytes(10 * 1024 * 1024))
    assert (problem.code, problem.extra["limit_bytes"]) == ("file_too_large", 10 * 1024 * 1024)


async def test_a_refusal_names_the_file_and_stores_none(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINGAN_FILES_DIRECTORY", str(tmp_path))
    uploads = [Upload("photo", "a.jpg", "", picture()), Upload("files", "b.exe", "", b"MZ" + bytes(99))]
    with pytest.raises(Problem) as caught:
        await attachments.all_stored(uploads)
    assert (caught.value.field, caught.value.extra["file"]) == ("files", "b.exe")
    assert list(tmp_path.iterdir()) == []


async def test_the_first_photo_is_the_photo_and_the_rest_comes_beside_it(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINGAN_FILES_DIRECTORY", str(tmp_path))
    uploads = [
        Upload("files", "c.pdf", "", paper()),
        Upload("photo", "a.jpg", "", picture()),
        Upload("photo", "b.jpg", "", picture(size=(9, 9))),
    ]
    photo, rest = await attachments.all_stored(uploads)
    assert photo is not None
    assert (photo.width, [each.kind.value for each in rest]) == (8, ["document", "photo"])


def taken(gps: dict[int, Any], more: dict[int, Any] | None = None) -> Taken | None:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update(gps)
    exif.get_ifd(0x8769).update(more or {})
    return judged(Upload("file", "x", "", picture(exif=exif)))[1]


GPS = {1: "N", 2: (30.0, 46.0, 15.96), 3: "E", 4: (120.0, 41.0, 47.76)}


def test_place_and_time_of_a_picture_are_offered() -> None:
    found = taken(GPS, {0x9003: "2026:01:31 15:58:12", 0x9011: "+08:00"})
    assert found == Taken(120.6966, 30.7711, datetime(2026, 1, 31, 7, 58, 12, tzinfo=UTC))
    assert found is not None
    assert found.to_json() == {"lon": 120.6966, "lat": 30.7711, "crs": "wgs84", "taken_at": "2026-01-31T07:58:12Z"}
    assert taken(GPS | {1: "S", 3: "W"}) == Taken(-120.6966, -30.7711, None)


def test_a_time_without_its_offset_is_the_countys() -> None:
    assert taken({}, {0x9003: "2026:01:31 15:58:12"}) == Taken(None, None, datetime(2026, 1, 31, 7, 58, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("gps", "more"),
    [
        ({}, {}),
        (GPS | {2: (0.0, 0.0, 0.0), 4: (0.0, 0.0, 0.0)}, {}),  # a receiver without a fix
        (GPS | {2: (91.0, 0.0, 0.0)}, {}),
        (GPS | {2: (IFDRational(1, 0),) * 3}, {}),
        (GPS | {1: "?"}, {}),
        ({1: "N", 2: (30.0, 1.0, 1.0)}, {}),
        ({}, {0x9003: "0000:00:00 00:00:00"}),
        ({}, {0x9003: "2099:01:01 00:00:00"}),
        ({}, {0x9003: "yesterday"}),
    ],
)
def test_what_makes_no_sense_is_not_offered(gps: dict[int, Any], more: dict[int, Any]) -> None:
    assert taken(gps, more) is None


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        *(("a.jpg", "a.jpg"), ("C:\\dir\\现场.jpg", "现场.jpg"), ("../../etc/passwd", "passwd"), ("", "file")),
        *((None, "file"), ("a\r\nb\x00.jpg", "ab.jpg"), ("x" * 300, "x" * 100)),
    ],
)
def test_a_files_name_is_repeated_short_and_printable(given: str | None, shown: str) -> None:
    assert shown_name(given) == shown


def test_every_refusal_of_files_is_a_problem() -> None:
    assert set(attachments.REFUSALS) <= set(KINDS)
