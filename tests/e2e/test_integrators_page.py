"""The two programs of docs/integrators.md, as they stand there, do what the page says."""

from __future__ import annotations

import os
import pathlib
import re
import socket
import subprocess
import sys

import pytest

from infra.local.npm import NODE
from tests.platform import ROOT, Platform

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
PAGE = (ROOT / "docs" / "integrators.md").read_text()
RUN = {"python": [sys.executable], "javascript": [str(NODE / "bin" / "node")]}
SUFFIX = {"python": "py", "javascript": "mjs"}


def program(language: str) -> str:
    return re.findall(rf"^```{language}\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]


@pytest.mark.parametrize("language", RUN)
def test_the_program_reports_and_takes_a_genuine_webhook(
    platform: Platform, tmp_path: pathlib.Path, language: str
) -> None:
    with platform.client("county") as county:
        area = county.get("/v1/areas?level=grid&limit=1").json()["items"][0]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    file = tmp_path / f"program.{SUFFIX[language]}"
    file.write_text(program(language))
    account = {"CLIENT_ID": "integrator", "CLIENT_SECRET": "pingan-demo-integrator", "MY_PORT": str(port)}
    environment = {
        "PATH": os.environ["PATH"], "PINGAN_URL": platform.url, "LON": str(area["lon"]), "LAT": str(area["lat"]),
    } | account  # fmt: skip
    done = subprocess.run([*RUN[language], str(file)], env=environment, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^reported \d{6}-\d{8}-\d{5}$", done.stdout, re.MULTILINE), done.stdout
    assert re.search(r"^genuine county\.hazards\.case\.\w+\.v1$", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize("language", RUN)
def test_a_program_is_as_short_as_the_page_says(language: str) -> None:
    assert len(program(language).splitlines()) <= 25
