"""Each Deployment's process starts and is ready with exactly the settings that its manifest gives, nothing else."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from tests.architecture.rooms import ROOT
from tests.integration.gateway.platform import free_port
from tests.k8s.manifests import modules_of, render, settings_of
from tests.k8s.test_manifests import outside_secrets
from tests.servers import Database, settings_for

READY_WITHIN_S = 90


@pytest.mark.timeout(180)
def test_each_process_is_ready_with_its_own_settings_alone(
    kubectl: None, database: Database, topology: str, tmp_path: pathlib.Path
) -> None:
    documents = render("overlays/production")
    everything = settings_for(database, topology, tmp_path) | {
        "PINGAN_HEALTH_HOST": "0.0.0.0",
        "PINGAN_GATEWAY_HOST": "127.0.0.1",
        "PINGAN_GATEWAY_PORT": str(free_port()),
    }
    ports, logs = {}, {}
    with contextlib.ExitStack() as stack:
        for name, arguments in modules_of(documents).items():
            given = settings_of(documents, f"Deployment/{name}", outside_secrets("production"))
            ports[name] = free_port()
            environment = {key: value for key, value in everything.items() if key in given}
            environment |= {"PINGAN_PROCESS": name, "PINGAN_HEALTH_PORT": str(ports[name])}
            assert set(environment) == given, f"{name} is given settings this test has no value for"
            logs[name] = tmp_path / f"{name}.log"
            log = stack.enter_context(logs[name].open("wb"))
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", *arguments],
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"} | environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            stack.callback(_end, process)
        end, waiting = time.monotonic() + READY_WITHIN_S, set(ports)
        while waiting and time.monotonic() < end:
            waiting = {name for name in waiting if not _is_ready(ports[name])}
            time.sleep(0.5)
    assert not waiting, "\n".join(f"{name}:\n{logs[name].read_text()[-1500:]}" for name in sorted(waiting))


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
