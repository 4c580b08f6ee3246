"""Health and metrics ask nobody who they are: they are for this machine, unless a setting opens them."""

from __future__ import annotations

import pytest

from backbone import telemetry


def test_health_listens_on_loopback_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PINGAN_HEALTH_HOST", raising=False)
    with telemetry.serve_health(0, {}) as server:
        assert server.server_address[0] == "127.0.0.1"
        server.shutdown()
    monkeypatch.setenv("PINGAN_HEALTH_HOST", "0.0.0.0")
    with telemetry.serve_health(0, {}) as server:
        assert server.server_address[0] == "0.0.0.0"
        server.shutdown()
