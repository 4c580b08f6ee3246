"""Secrets are sealed to their subscription; signatures hold by the Standard Webhooks library."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from contracts.scope import Scope
from services.notify.commands.secrets import Seal, UnreadableSecret, new_secret
from services.notify.commands.subscribers import scope_from_json, scope_to_json
from services.notify.sender.posting import signed_headers

KEY = "0123456789abcdef" * 2


def test_a_sealed_secret_opens_with_the_same_key_for_the_same_subscription_only() -> None:
    seal, secret, mine = Seal(KEY), new_secret(), uuid4()
    sealed = seal.close(secret, mine)
    assert seal.open(sealed, mine) == secret
    assert secret.encode() not in sealed
    assert seal.close(secret, mine) != sealed
    broken = bytes([sealed[0] ^ 1]) + sealed[1:]
    for opener, box, owner in (
        (seal, sealed, uuid4()),
        (Seal(KEY[::-1]), sealed, mine),
        (seal, broken, mine),
        (seal, b"", mine),
    ):
        with pytest.raises(UnreadableSecret):
            opener.open(box, owner)


def test_headers_verify_with_each_of_two_secrets() -> None:
    old, new, other = new_secret(), new_secret(), new_secret()
    body = '{"specversion":"1.0","data":{"名":"值"}}'
    headers = signed_headers(str(uuid4()), body, [new, old], datetime.now(UTC))
    for secret in (old, new):
        assert Webhook(secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(body + " ", headers)


def test_a_scope_survives_the_database_and_a_system_scope_becomes_nobodys() -> None:
    scope = Scope(("330499/",), frozenset({"fire.exit"}), purposes=frozenset({"handling"}), agency_id=uuid4())
    assert scope_from_json(scope_to_json(scope)) == scope
    stored = scope_from_json(scope_to_json(Scope.system("a test")))
    assert not stored.unrestricted
    assert stored.areas == ()
