"""An empty platform where real people will work: no demo, one administrator from the shell, all else by the API."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.gateway import platform as parts
from tests.integration.gateway.platform import PASSWORD, WEST, Platform, report
from tests.servers import cloned_database, fresh_vhost, settings_for


@pytest.fixture(scope="module")
def empty(servers: dict[str, str], template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    from backbone import topology

    directory = tmp_path_factory.mktemp("empty")
    (directory / "files").mkdir()
    with cloned_database(servers, template) as database, fresh_vhost(servers) as vhost:
        topology.declare(vhost)
        made = Platform(settings_for(database, vhost, directory / "files"), pathlib.Path(directory))
        made.settings["PINGAN_DEMO"] = ""
        try:
            made.start("relay", "backbone.relay")
            made.start("grid", "backbone.runner services.grid.service")
            made.start("hazards", "backbone.runner services.hazards.service")
            made.start("worker", "backbone.jobs services.grid.jobs")
            made.start("gateway", "gateway")
            made.wait_ready()
            yield made
        finally:
            made.stop()


def pingan(empty: Platform, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PINGAN_")}
    environment |= {key: value for key, value in empty.settings.items() if value}
    command = [sys.executable, "-m", "cli", *words]
    return subprocess.run(command, cwd=parts.ROOT, env=environment, input=given, capture_output=True, text=True)


def test_from_nothing_to_a_reported_case(empty: Platform) -> None:
    made = pingan(empty, "admin", "create", "--login", "admin", "--password-from-stdin", given=f"{PASSWORD}\n")
    assert (made.returncode, made.stdout) == (0, "created admin\n"), made.stderr
    assert PASSWORD not in made.stdout + made.stderr
    clerk: dict[str, Any] = {"kind": "person", "login": "clerk", "password": PASSWORD, "name": "镇值班员"}
    clerk |= {"roles": ["town_operator"], "areas": [parts.TOWN]}
    with empty.client("admin") as admin:
        assert admin.get("/v1/auth/me").json()["demo"] is False
        assert admin.put(f"/v1/accounts/{uuid4()}", json=clerk).status_code == 201
        refused = admin.put(f"/v1/accounts/{uuid4()}", json=clerk | {"login": "clerk2", "demo": True})
        assert (refused.status_code, refused.json()["field"]) == (422, "demo")
    empty.import_county(reporter="clerk")
    with empty.client("clerk") as town:
        case = town.post("/v1/cases", json=report(WEST))
        assert case.status_code == 201, case.text
        assert town.get(case.headers["location"]).json()["area_path"] == parts.WEST_GRID


def test_a_second_one_needs_another_name_and_a_password_is_made_where_none_is_given(empty: Platform) -> None:
    first = pingan(empty, "admin", "create", "--login", "second")
    password = first.stdout.strip().rpartition(" ")[2]
    assert (first.returncode, len(password) >= 20) == (0, True), first.stderr
    form = {"grant_type": "password", "username": "second", "password": password}
    assert httpx.post(f"{empty.url}/v1/auth/token", data=form).status_code == 200
    again = pingan(empty, "admin", "create", "--login", "second")
    assert (again.returncode, "taken" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        (("--login", "third", "--password-from-stdin"), "short\n", "at least 10"),
        (("--login", "third", "--password-from-stdin"), "", "at least 10"),
        (("--login", "third", "--password-from-stdin"), "x" * 300 + "\n", "256"),
        (("--login", "Not A Login"), "", "login"),
        (("--login", ""), "", "login"),
    ],
)
def test_what_cannot_be_an_account_is_said_in_one_line(
    empty: Platform, words: tuple[str, ...], given: str, said: str
) -> None:
    refused = pingan(empty, "admin", "create", *words, given=given)
    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "xxxxx" not in refused.stderr


def test_demo_commands_are_refused_where_there_is_no_demo(empty: Platform) -> None:
    for words in (("demo", "load"), ("demo", "accounts")):
        refused = pingan(empty, *words)
        assert (refused.returncode, "PINGAN_DEMO is not set" in refused.stderr) == (1, True)
