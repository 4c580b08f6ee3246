"""The token of a place's printed code: short, and nothing but ours is ever taken."""

from __future__ import annotations

import base64
import random
import secrets
import string
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.place_codes import InvalidCode, PlaceCodes, address
from gateway.problems import Problem

OLD, NEW, OTHER = "old " * 10, "new " * 10, "other " * 8
CODES = PlaceCodes({0: OLD, 7: NEW})
ALPHABET = string.ascii_letters + string.digits + "-_"


def taken(codes: PlaceCodes, token: str) -> bool:
    try:
        codes.read(token)
    except InvalidCode:
        return False
    return True


def spliced(said: str, signed: str) -> str:
    """What one token says under another's signature."""
    head, tag = base64.urlsafe_b64decode(said)[:20], base64.urlsafe_b64decode(signed)[20:]
    return base64.urlsafe_b64encode(head + tag).decode()


@given(st.uuids(), st.integers(1, 2**24 - 1))
def test_a_token_is_read_as_it_was_made_and_is_short_and_fit_for_an_address(place_id: UUID, serial: int) -> None:
    token = CODES.token(place_id, serial)
    assert CODES.read(token) == (place_id, serial)
    assert len(token) == 48
    assert set(token) <= set(ALPHABET)


def test_the_newest_key_signs_and_former_keys_are_read_until_they_are_taken_away() -> None:
    place_id = uuid4()
    printed = PlaceCodes({0: OLD}).token(place_id, 1)
    assert base64.urlsafe_b64decode(CODES.token(place_id, 1))[0] == 7
    assert CODES.read(printed) == (place_id, 1)
    assert not taken(PlaceCodes({7: NEW}), printed)


def test_the_signature_covers_the_key_id() -> None:
    """A token never passes under another key's id than the one that signed it, known or not."""
    raw = bytearray(base64.urlsafe_b64decode(CODES.token(UUID(int=5), 1)))
    for key_id in range(256):
        raw[0] = key_id
        assert taken(CODES, base64.urlsafe_b64encode(bytes(raw)).decode()) is (key_id == 7)
    lone = PlaceCodes({7: NEW})
    nobodys = PlaceCodes({9: NEW}).token(UUID(int=5), 1)
    assert not taken(lone, nobodys)


def test_of_five_thousand_forged_tokens_none_is_taken() -> None:
    chance, accepted = random.Random(5), 0
    stranger = PlaceCodes({0: OTHER, 7: OTHER})
    for _ in range(1000):
        place_id, serial = uuid4(), chance.randrange(1, 1000)
        real = CODES.token(place_id, serial)
        raw = bytearray(base64.urlsafe_b64decode(real))
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        forged = (
            stranger.token(place_id, serial),
            base64.urlsafe_b64encode(bytes(raw)).decode(),
            base64.urlsafe_b64encode(bytes([chance.choice((0, 7))]) + secrets.token_bytes(35)).decode(),
            # Another place's or serial's head under a signature that is real.
            spliced(CODES.token(place_id, serial + 1), real),
            spliced(CODES.token(uuid4(), serial), real),
        )
        accepted += sum(taken(CODES, each) for each in forged)
    assert accepted == 0


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=60), st.text(ALPHABET, min_size=48, max_size=48)))
def test_any_other_text_is_an_invalid_code_and_nothing_else(text: str) -> None:
    assert not taken(CODES, text)


@pytest.mark.parametrize("change", [lambda t: t + "=", lambda t: t + "A", lambda t: t[:-1], lambda t: f" {t}",
                                    lambda t: f"{t}\n", lambda t: t.replace(t[0], "+", 1)])  # fmt: skip
def test_one_token_has_one_form(change: object) -> None:
    token = CODES.token(UUID(int=5), 1)
    assert not taken(CODES, change(token))  # type: ignore[operator]


def test_codes_are_signed_by_a_key_of_their_own() -> None:
    """The platform's secret signs access tokens too: neither key may be the secret or the other."""
    import hashlib
    import hmac

    head = bytes([0]) + UUID(int=5).bytes + (1).to_bytes(3, "big")
    for key in (OLD.encode(), hmac.new(OLD.encode(), b"pingan access token v1", hashlib.sha256).digest()):
        tag = hmac.new(key, head, hashlib.sha256).digest()[:16]
        assert not taken(PlaceCodes({0: OLD}), base64.urlsafe_b64encode(head + tag).decode())


def test_a_printed_address_is_the_public_one_or_nothing_is_printed() -> None:
    assert address("https://a.example.cn/grid/", "T") == "https://a.example.cn/grid/v1/public/places/T"
    with pytest.raises(Problem) as refused:
        address(None, "T")
    assert (refused.value.code, refused.value.expected) == ("public_url_missing", "PINGAN_PUBLIC_URL")
