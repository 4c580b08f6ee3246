"""The public address and the keys of printed codes: read from the environment, loud when they are wrong."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from backbone.settings import PublicSettings


def read(monkeypatch: pytest.MonkeyPatch, **given: str) -> PublicSettings:
    for name in ("PINGAN_PUBLIC_URL", "PINGAN_QR_KEYS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(f"PINGAN_{name}", value)
    return PublicSettings()


def test_without_a_word_there_is_no_address_and_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch)
    assert (settings.public_url, settings.qr_keys) == (None, {})


def test_keys_come_with_their_ids_and_hide_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, QR_KEYS=f'{{"0": "{"a" * 32}", "12": "{"b" * 40}"}}')
    assert {number: key.get_secret_value() for number, key in settings.qr_keys.items()} == {0: "a" * 32, 12: "b" * 40}
    assert "aaa" not in repr(settings)


@pytest.mark.parametrize(
    "keys", ['{"0": "short"}', f'{{"256": "{"a" * 32}"}}', f'{{"-1": "{"a" * 32}"}}', f'{{"x": "{"a" * 32}"}}']
)
def test_a_key_that_would_not_guard_is_refused(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    with pytest.raises(ValidationError):
        read(monkeypatch, QR_KEYS=keys)


@pytest.mark.parametrize("url", ["pingan.example.cn", "ftp://a.cn", "https://a.cn/?x=1", "https://a.cn/#x", "https://"])
def test_an_address_that_no_phone_would_open_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(ValidationError):
        read(monkeypatch, PUBLIC_URL=url)
