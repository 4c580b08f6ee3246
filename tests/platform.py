"""A running platform for the tests that need all of it: the one that runs, or one started for them."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from infra.local import place
from simulator import staff

ROOT = pathlib.Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Platform:
    """The gateway's address, the settings of its processes, and what the supervisor says of them."""

    url: str
    settings: dict[str, str]

    def client(self, login: str) -> httpx.Client:
        """A client signed in as a demo account."""
        token = self.token(login)
        return httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False
        )

    def token(self, login: str) -> str:
        form = {"grant_type": "password", "username": login, "password": staff.PASSWORD.format(login=login)}
        answer = httpx.post(f"{self.url}/v1/auth/token", data=form, timeout=30, trust_env=False)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def processes(self) -> dict[str, dict[str, Any]]:
        """name -> {"state", "pid", "ready", "port"} of every process of the list, servers too."""
        found: dict[str, dict[str, Any]] = json.loads(_local("status", "--json").stdout or "{}")
        return found

    def is_ready(self) -> bool:
        return _local("status").returncode == 0


def _local(*arguments: str) -> subprocess.CompletedProcess[str]:
    # Settings of the caller's own shell must not leak in: the instance alone says which platform is meant.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PINGAN_")}
    environment = kept | {"PINGAN_INSTANCE": place.INSTANCE}
    command = [str(ROOT / ".venv/bin/python"), "infra/local", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """The platform with the demo county; one that ran before stays, one started here is stopped."""
    ran_before = _local("status").returncode == 0
    started = _local("up")  # where it runs already, this only makes sure that the demo county is there
    if started.returncode:
        pytest.fail(f"the platform does not start:\n{started.stdout[-4000:]}\n{started.stderr[-4000:]}")
    settings = place.load_settings()
    try:
        yield Platform(f"http://127.0.0.1:{settings['PINGAN_GATEWAY_PORT']}", settings)
    finally:
        if not ran_before:
            _local("down")


def eventually(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Polls until it holds; fails the test when it does not."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:.0f} s in vain for {what}"
        time.sleep(0.2)
