"""Numbers of cameras, addresses of fire devices, days for filing, spots: rules that hold for all of them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.grid.domain import spots
from services.grid.domain.devices import (
    CAMERA_TYPES,
    FRONT_END,
    FRONT_END_TYPES,
    PROVINCES,
    BadCameraId,
    CameraId,
    camera_id,
    filing_due_on,
    fire_address,
    warnings_of,
)

DIGITS = "0123456789"
CENTRES = st.builds(str.__add__, st.sampled_from(sorted(PROVINCES)), st.text(DIGITS, min_size=6, max_size=6))
IDS = st.builds(
    CameraId,
    centre=CENTRES,
    trade=st.text(DIGITS, min_size=2, max_size=2),
    type=st.sampled_from(FRONT_END),
    serial=st.text(DIGITS, min_size=7, max_size=7),
)
BYTE = st.integers(0, 255)
ADDRESSES = st.tuples(
    st.text("0123456789abcdefABCDEF", min_size=12, max_size=12), BYTE, BYTE, BYTE, st.integers(0, 2**32 - 1)
)


def text_of(number: CameraId) -> str:
    return f"{number.centre}{number.trade}{number.type}{number.serial}"


@given(IDS)
def test_a_number_falls_into_its_parts_and_back(number: CameraId) -> None:
    assert camera_id(text_of(number)) == number


@given(IDS, st.integers(0, 999).filter(lambda code: code not in FRONT_END))
def test_platforms_users_and_servers_are_no_cameras(number: CameraId, code: int) -> None:
    text = text_of(number)
    with pytest.raises(BadCameraId, match="front end"):
        camera_id(f"{text[:10]}{code:03}{text[13:]}")


@given(st.text(max_size=40).filter(lambda text: not (text.isascii() and text.isdigit() and len(text) == 20)))
def test_anything_but_twenty_digits_is_refused(text: str) -> None:
    with pytest.raises(BadCameraId, match="20 digits"):
        camera_id(text)


@pytest.mark.parametrize("text", ["３" * 20, "3304990000132000001x", "99049900001320000017"])
def test_other_scripts_digits_letters_and_provinces_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(BadCameraId):
        camera_id(text)


@given(IDS)
def test_another_countys_centre_and_other_types_are_odd_but_taken(number: CameraId) -> None:
    own = warnings_of(number, number.centre[:6])
    assert own == ([] if number.type in CAMERA_TYPES else ["not_a_camera_type"])
    other = "110101" if number.centre[:6] != "110101" else "110102"
    assert warnings_of(number, other) == ["centre_of_other_county", *own]


def test_the_types_that_have_names_are_of_the_front_end() -> None:
    assert set(FRONT_END_TYPES) < set(FRONT_END)
    assert set(FRONT_END_TYPES) > CAMERA_TYPES


@given(ADDRESSES, ADDRESSES)
def test_two_addresses_have_one_spelling_only_when_they_are_one(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    same = (one[0].lower(), *one[1:]) == (other[0].lower(), *other[1:])
    assert (fire_address(*one) == fire_address(*other)) is same


@given(st.dates(date(2025, 4, 1), date(2099, 1, 1)))
def test_a_camera_is_filed_within_thirty_days_of_its_use(day: date) -> None:
    assert filing_due_on(day) == day + timedelta(days=30)


@given(st.dates(date(1990, 1, 1), date(2025, 3, 31)))
def test_what_was_in_use_before_the_decree_had_ninety_days_from_its_beginning(day: date) -> None:
    assert filing_due_on(day) == date(2025, 6, 30)


@pytest.mark.parametrize(
    "spot",
    ["guest_room", "private_dining_room", "student_dormitory", "staff_bedroom", "bathroom", "toilet", "changing_room",
     "nursing_room", "fitting_room", "other_private"],
)  # fmt: skip
def test_where_the_law_lets_no_camera_hang_it_is_quoted(spot: str) -> None:
    assert spots.known(spot)
    assert "第八条" in str(spots.ban_of(spot))


def test_every_other_spot_is_open_and_has_its_names() -> None:
    banned = {code for code, spot in spots.SPOTS.items() if spot.banned}
    assert len(banned) == 10
    for code, spot in spots.SPOTS.items():
        assert spot.name
        assert spot.name_en
        assert (spots.ban_of(code) is None) is (code not in banned)
    assert not spots.known("nowhere")
    assert spots.ban_of("nowhere") is None
