"""A token is ours, fresh and whole, or it is nothing: every forged form is refused in the same way."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.auth.tokens import AUDIENCE, InvalidToken, Tokens

SECRET = "s" * 48
NOW = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)
ACCOUNT, SESSION = UUID(int=7), UUID(int=8)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> Tokens:
    return Tokens(SECRET, "330499", clock)


def b64(value: bytes | dict[str, Any] | str) -> str:
    raw = (
        value if isinstance(value, bytes) else json.dumps(value).encode() if isinstance(value, dict) else value.encode()
    )
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    header, payload, signature = token.split(".")
    pad = "=" * 4
    return (
        json.loads(base64.urlsafe_b64decode(header + pad)),
        json.loads(base64.urlsafe_b64decode(payload + pad)),
        signature,
    )


KEY = hmac.new(SECRET.encode(), b"pingan access token v1", hashlib.sha256).digest()
HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def signed(header: dict[str, Any], payload: Any, key: bytes = KEY, alg: str = "HS256") -> str:
    text = f"{b64(header)}.{b64(payload if isinstance(payload, (dict, bytes)) else json.dumps(payload))}"
    return f"{text}.{b64(hmac.new(key, text.encode(), HASHES[alg]).digest())}"


def test_a_good_token_gives_back_account_and_session(tokens: Tokens) -> None:
    token, issued = tokens.issue(ACCOUNT, SESSION)
    claims = tokens.check(token)
    assert claims == issued
    assert (claims.account_id, claims.session_id) == (ACCOUNT, SESSION)


def test_a_token_carries_account_and_session_only(tokens: Tokens) -> None:
    _, payload, _ = parts(tokens.issue(ACCOUNT, SESSION)[0])
    assert set(payload) == {"iss", "aud", "sub", "sid", "iat", "exp", "jti"}


def test_a_token_lasts_fifteen_minutes(tokens: Tokens, clock: Clock) -> None:
    token, _ = tokens.issue(ACCOUNT, SESSION)
    clock.now = NOW + timedelta(minutes=14, seconds=59)
    tokens.check(token)
    clock.now = NOW + timedelta(minutes=15)
    with pytest.raises(InvalidToken):
        tokens.check(token)


def test_two_tokens_of_one_session_differ(tokens: Tokens) -> None:
    assert tokens.issue(ACCOUNT, SESSION)[0] != tokens.issue(ACCOUNT, SESSION)[0]


Change = Callable[[dict[str, Any]], Any]


def without(name: str) -> Change:
    return lambda payload: {key: value for key, value in payload.items() if key != name}


def with_(**more: Any) -> Change:
    return lambda payload: payload | more


_SECOND = int(NOW.timestamp())
PAYLOADS: dict[str, Change] = {
    **{f"without {name}": without(name) for name in ("iss", "aud", "sub", "sid", "iat", "exp", "jti")},
    **{f"{name} is null": with_(**{name: None}) for name in ("iss", "aud", "sub", "sid", "iat", "exp", "jti")},
    "another county's issuer": with_(iss="pingan-grid/330498"),
    "issuer with a suffix": with_(iss="pingan-grid/330499/"),
    "issuer as a list": with_(iss=["pingan-grid/330499"]),
    "another audience": with_(aud="pingan-console"),
    "audience as a list": with_(aud=[AUDIENCE]),
    "audience among others": with_(aud=[AUDIENCE, "else"]),
    "empty audience": with_(aud=""),
    "expired a second ago": with_(exp=_SECOND - 1, iat=_SECOND - 600),
    "expires now": with_(exp=_SECOND),
    "lives a year": with_(exp=_SECOND + 365 * 86400),
    "lives one second longer than ours": with_(exp=_SECOND + 901),
    "issued in the future": with_(iat=_SECOND + 60, exp=_SECOND + 600),
    "expires before it was issued": with_(iat=_SECOND + 3, exp=_SECOND + 2),
    "exp as text": with_(exp=str(_SECOND + 600)),
    "exp as a float": with_(exp=_SECOND + 600.5),
    "exp as true": with_(exp=True),
    "exp without end": with_(exp=10**400),
    "iat as text": with_(iat="now"),
    "iat as false": with_(iat=False),
    "account is no UUID": with_(sub="root"),
    "account in capitals": with_(sub="0000000000000000000000000000000A"),
    "account as a number": with_(sub=7),
    "account with braces": with_(sub="{00000000-0000-0000-0000-000000000007}"),
    "session is no UUID": with_(sid="' OR 1=1 --"),
    "session as a list": with_(sid=[str(SESSION)]),
    "empty jti": with_(jti=""),
    "jti as a number": with_(jti=1),
    "brings roles": with_(roles=["county_admin"]),
    "brings a scope": with_(scope={"areas": ["330499/"]}),
    "brings nbf": with_(nbf=_SECOND - 10),
    "is a list": lambda payload: [payload],
    "is a number": lambda payload: 42,
    "is empty": lambda payload: {},
    "is not JSON": lambda payload: b"\xff\xfe",
}


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_payload_that_we_would_not_write_is_refused_even_well_signed(tokens: Tokens, name: str) -> None:
    header, payload, _ = parts(tokens.issue(ACCOUNT, SESSION)[0])
    with pytest.raises(InvalidToken):
        tokens.check(signed(header, PAYLOADS[name](payload)))


HEADERS: dict[str, dict[str, Any]] = {
    "alg none": {"alg": "none", "typ": "at+jwt"},
    "alg None": {"alg": "None", "typ": "at+jwt"},
    "alg NONE": {"alg": "NONE", "typ": "at+jwt"},
    "no alg": {"typ": "at+jwt"},
    "alg null": {"alg": None, "typ": "at+jwt"},
    "alg in small letters": {"alg": "hs256", "typ": "at+jwt"},
    "alg RS256": {"alg": "RS256", "typ": "at+jwt"},
    "alg ES256": {"alg": "ES256", "typ": "at+jwt"},
    "alg HS384": {"alg": "HS384", "typ": "at+jwt"},
    "alg as a list": {"alg": ["HS256"], "typ": "at+jwt"},
    "an ID token": {"alg": "HS256", "typ": "JWT"},
    "no typ": {"alg": "HS256"},
    "a key of its own": {"alg": "HS256", "typ": "at+jwt", "jwk": {"kty": "oct", "k": "AAAA"}},
    "a key id": {"alg": "HS256", "typ": "at+jwt", "kid": "../../dev/null"},
    "a key's address": {"alg": "HS256", "typ": "at+jwt", "jku": "http://attacker.example/keys"},
    "a critical extension": {"alg": "HS256", "typ": "at+jwt", "crit": ["b64"], "b64": False},
    "nested": {"alg": "HS256", "typ": "at+jwt", "cty": "JWT"},
    "compressed": {"alg": "HS256", "typ": "at+jwt", "zip": "DEF"},
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_we_would_not_write_is_refused_even_well_signed(tokens: Tokens, name: str) -> None:
    _, payload, _ = parts(tokens.issue(ACCOUNT, SESSION)[0])
    with pytest.raises(InvalidToken):
        tokens.check(signed(HEADERS[name], payload))


def test_another_hash_under_our_key_is_refused(tokens: Tokens) -> None:
    _, payload, _ = parts(tokens.issue(ACCOUNT, SESSION)[0])
    for alg in ("HS384", "HS512"):
        with pytest.raises(InvalidToken):
            tokens.check(signed({"alg": alg, "typ": "at+jwt"}, payload, alg=alg))


@pytest.mark.parametrize(
    "key",
    [b"", SECRET.encode(), b"secret", hashlib.sha256(SECRET.encode()).digest(), KEY[:-1], KEY + b"\1"],
    ids=["empty", "the platform's secret itself", "a guess", "its hash", "cut", "longer"],
)
def test_another_key_is_refused(tokens: Tokens, key: bytes) -> None:
    header, payload, _ = parts(tokens.issue(ACCOUNT, SESSION)[0])
    with pytest.raises(InvalidToken):
        tokens.check(signed(header, payload, key=key))


def test_a_public_key_used_as_an_hmac_key_is_refused(tokens: Tokens) -> None:
    public = rsa.generate_private_key(65537, 2048).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    header, payload, _ = parts(tokens.issue(ACCOUNT, SESSION)[0])
    with pytest.raises(InvalidToken):
        tokens.check(signed(header, payload, key=pem))


def test_another_countys_token_is_refused(clock: Clock, tokens: Tokens) -> None:
    token, _ = Tokens(SECRET, "330498", clock).issue(ACCOUNT, SESSION)
    with pytest.raises(InvalidToken):
        tokens.check(token)


TAMPERED: dict[str, Callable[[str], str]] = {
    "signature cut off": lambda token: token.rpartition(".")[0] + ".",
    "no signature part": lambda token: token.rpartition(".")[0],
    "signature of zeros": lambda token: token.rpartition(".")[0] + "." + "A" * 43,
    "signature one letter shorter": lambda token: token[:-1],
    "first letter of the signature changed": lambda token: _changed(token, token.rindex(".") + 1),
    "a letter of the payload changed": lambda token: _changed(token, token.index(".") + 5),
    "parts swapped": lambda token: ".".join(reversed(token.split("."))),
    "four parts": lambda token: token + ".x",
    "doubled": lambda token: token + token,
    "a space in front": lambda token: " " + token,
    "a newline behind": lambda token: token + "\n",
    "percent-encoded": lambda token: token.replace(".", "%2E"),
    "empty": lambda token: "",
    "dots": lambda token: "..",
    "not ASCII": lambda token: "ä" + token[1:],
    "a NUL": lambda token: token + "\0",
    "very long": lambda token: token + "A" * 100_000,
    "JSON form": lambda token: json.dumps({"payload": token}),
}


def _changed(token: str, at: int) -> str:
    return token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]


@pytest.mark.parametrize("name", TAMPERED)
def test_a_tampered_token_is_refused(tokens: Tokens, name: str) -> None:
    with pytest.raises(InvalidToken):
        tokens.check(TAMPERED[name](tokens.issue(ACCOUNT, SESSION)[0]))


def test_a_payload_of_another_account_under_a_borrowed_signature_is_refused(tokens: Tokens) -> None:
    mine, theirs = tokens.issue(ACCOUNT, SESSION)[0], tokens.issue(UUID(int=9), UUID(int=10))[0]
    header, _, signature = mine.split(".")
    with pytest.raises(InvalidToken):
        tokens.check(f"{header}.{theirs.split('.')[1]}.{signature}")


def test_there_are_enough_forgeries() -> None:
    assert len(PAYLOADS) + len(HEADERS) + len(TAMPERED) >= 80
