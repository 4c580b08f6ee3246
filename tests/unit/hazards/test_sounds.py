"""A reader's copy of a recording: the same sound, and nothing of where it was made."""

import struct

import pytest

from gateway.attachments.recordings import media_type_of, seconds_of
from services.hazards.jobs.sounds import BrokenSound, _ogg_crc, without_tags
from tests.unit import recordings
from tests.unit.recordings import ALL, PLACE


@pytest.mark.parametrize("media_type", ALL)
def test_no_copy_tells_where_it_was_recorded_and_it_lasts_as_long(media_type: str) -> None:
    original, _ = ALL[media_type]
    assert (PLACE in original) == (media_type != "audio/amr")  # AMR has no room for tags
    copy = without_tags(original, media_type)
    assert PLACE not in copy
    assert media_type_of(copy) == media_type
    assert seconds_of(copy, media_type) == pytest.approx(seconds_of(original, media_type), abs=0.03)


def test_the_sound_of_an_m4a_stays_where_its_index_says_it_is() -> None:
    original = recordings.m4a()
    copy = without_tags(original, "audio/mp4")
    assert (len(copy), copy.index(b"soundsound")) == (len(original), original.index(b"soundsound"))


def test_the_pages_of_an_ogg_have_right_checksums() -> None:
    assert _ogg_crc(b"123456789") == 0x89A1897F  # CRC-32/MPEG-2's polynomial from zero
    copy, at, pages = without_tags(recordings.opus(), "audio/ogg"), 0, 0
    while at < len(copy):
        count = copy[at + 26]
        end = at + 27 + count + sum(copy[at + 27 : at + 27 + count])
        whole = copy[at : at + 22] + bytes(4) + copy[at + 26 : end]
        assert struct.unpack("<I", copy[at + 22 : at + 26])[0] == _ogg_crc(whole)
        at, pages = end, pages + 1
    assert pages == 3


@pytest.mark.parametrize("media_type", ["audio/mp4", "audio/mpeg", "audio/ogg"])
@pytest.mark.parametrize(
    "content", [b"", b"OggS", b"ID3\x03\0\0\0\0\0\x05", b"\0\0\0\x04ftyp", b"\0\0\xff\xffftypM4A "]
)
def test_of_what_is_broken_there_is_no_copy(media_type: str, content: bytes) -> None:
    if (media_type, content) in [("audio/mp4", b""), ("audio/ogg", b"")]:
        assert without_tags(content, media_type) == b""
        return
    with pytest.raises(BrokenSound):
        without_tags(content, media_type)
