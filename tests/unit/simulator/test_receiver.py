"""The walkthrough's webhook receiver keeps what is genuine and nothing else."""

from __future__ import annotations

import importlib.util
import pathlib
from datetime import UTC, datetime
from types import ModuleType

import pytest
from standardwebhooks.webhooks import Webhook

SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQ="
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BODY = b'{"type": "county.hazards.case.reported.v1"}'


@pytest.fixture(scope="module")
def receiver() -> ModuleType:
    file = pathlib.Path(__file__).resolve().parents[3] / "scripts" / "receiver.py"
    spec = importlib.util.spec_from_file_location("receiver", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def headers(body: bytes = BODY, at: datetime = NOW) -> dict[str, str]:
    signature = Webhook(SECRET).sign("msg_1", at, body.decode())
    return {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


def test_a_genuine_delivery_is_taken(receiver: ModuleType) -> None:
    assert receiver.is_genuine(SECRET, headers(), BODY, NOW.timestamp() + 10)


@pytest.mark.parametrize(
    ("change", "body", "late"),
    [
        ({}, BODY + b" ", 0),
        ({"webhook-id": "msg_2"}, BODY, 0),
        ({"webhook-signature": "v1,AAAA"}, BODY, 0),
        ({"webhook-timestamp": "soon"}, BODY, 0),
        ({}, BODY, 301),
    ],
)
def test_anything_else_is_not(receiver: ModuleType, change: dict[str, str], body: bytes, late: int) -> None:
    assert not receiver.is_genuine(SECRET, headers() | change, body, NOW.timestamp() + late)
