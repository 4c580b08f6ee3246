"""The whole story of the main job, told by the script a user would run."""

from __future__ import annotations

import os
import pathlib
import subprocess

import pytest

from tests.platform import ROOT, Platform


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_hazard_goes_from_report_to_verified_close(platform: Platform, tmp_path: pathlib.Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PINGAN_")}
    environment = kept | {"PINGAN_URL": platform.url, "PINGAN_OUT": str(tmp_path)}
    done = subprocess.run(
        ["bash", "scripts/walkthrough.sh"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert done.stdout.rstrip().endswith("walkthrough: ok")
    assert (tmp_path / "webhooks.jsonl").read_text().count("\n") >= 9
