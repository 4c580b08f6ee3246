"""The rendered overlays; a machine without kubectl skips what needs it, CI does not."""

from __future__ import annotations

import os

import pytest

from tests.k8s import manifests


@pytest.fixture(scope="session")
def kubectl() -> None:
    if manifests.kubectl() is None:
        reason = "no kubectl (1.27 or later) on this machine: its `kustomize` renders the manifests"
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session", params=manifests.OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def rendered(kubectl: None, overlay: str) -> list[manifests.Document]:
    return manifests.render(f"overlays/{overlay}")
