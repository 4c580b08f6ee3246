"""Ready or not, and what is missing; and a stop that answers who is being served."""

import pathlib
import threading
from typing import Any

import httpx

from tests.integration.gateway.platform import Platform, Process, free_port, wait_for

PATIENT = 60
# Made once: reading certificates takes its time. Connections are not kept: the last test counts them.
CLIENT = httpx.Client(trust_env=False, verify=False, headers={"Connection": "close"})


def ready(url: str) -> tuple[int, dict[str, Any]]:
    answer = CLIENT.get(f"{url}/v1/health/ready", timeout=10)
    return answer.status_code, answer.json()["checks"]


def missing(url: str) -> dict[str, Any]:
    return {name: state for name, state in ready(url)[1].items() if state is not True}


def another_gateway(platform: Platform, name: str, **settings: str) -> tuple[Process, str]:
    port = str(free_port())
    process = platform.start(name, "gateway", PINGAN_GATEWAY_PORT=port, **settings)
    url = f"http://127.0.0.1:{port}"

    def alive() -> bool:
        try:
            return CLIENT.get(f"{url}/v1/health/live", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    wait_for(alive, PATIENT)
    return process, url


def test_ready_names_each_dependency(platform: Platform) -> None:
    wait_for(lambda: ready(platform.url)[0] == 200, PATIENT)
    assert set(ready(platform.url)[1]) == {
        *(f"database {name}" for name in ("grid", "hazards", "patrol", "notify", "access")),
        "broker",
        *(f"commands {name}" for name in ("grid", "hazards", "patrol", "notify")),
    }


def test_a_service_that_does_not_answer_is_named_and_the_gateway_stays_in_use(platform: Platform) -> None:
    platform.processes["hazards"].stop()
    try:
        wait_for(lambda: missing(platform.url), PATIENT)
        assert ready(platform.url)[0] == 503
        assert missing(platform.url) == {"commands hazards": "nobody consumes hazards.commands"}
        probe = f"http://127.0.0.1:{platform.processes['gateway'].health}/ready"
        assert CLIENT.get(probe, timeout=10).status_code == 200
        with platform.client("west") as west:
            assert west.get("/v1/cases").status_code == 200
    finally:
        platform.start("hazards", "backbone.runner services.hazards.service")
        platform.wait_ready("hazards")
    wait_for(lambda: ready(platform.url)[0] == 200, PATIENT)


def test_a_database_role_that_is_refused_is_named_without_its_address(platform: Platform) -> None:
    refused = platform.settings["PINGAN_PATROL_READ_DATABASE_URL"].replace("patrol_read:", "patrol_read:not-")
    process, url = another_gateway(platform, "refused", PINGAN_PATROL_READ_DATABASE_URL=refused)
    try:
        wait_for(lambda: set(missing(url)) == {"database patrol"}, PATIENT)
        assert missing(url) == {"database patrol": "does not answer: InvalidPasswordError"}
        assert "waiting for the database patrol" in process.log.read_text()
    finally:
        process.stop()


def test_a_broker_that_is_away_is_named_and_so_is_what_it_alone_could_say(platform: Platform) -> None:
    away = f"amqp://a:b@127.0.0.1:{free_port()}/x"
    process, url = another_gateway(platform, "brokerless", PINGAN_BROKER_URL=away)
    try:
        wait_for(lambda: "not asked yet" not in ready(url)[1].values(), PATIENT)
        found = missing(url)
        assert found.pop("broker") == "not connected"
        assert set(found) == {f"commands {name}" for name in ("grid", "hazards", "patrol", "notify")}
        assert all(state.startswith("unknown, the broker does not say") for state in found.values())
    finally:
        process.stop()


def test_a_gateway_told_to_stop_answers_the_requests_it_has(platform: Platform) -> None:
    process, url = another_gateway(platform, "stopping")
    headers = {"Authorization": f"Bearer {platform.token('county')}"}
    answers: list[httpx.Response] = []

    def ask() -> None:
        # Nothing new comes up behind the journal's end: the answer waits for its time to be over.
        params = {"after": newest, "wait": 2}
        answers.append(CLIENT.get(f"{url}/v1/events", params=params, headers=headers, timeout=20))

    newest = _newest(url, headers)
    asking = threading.Thread(target=ask)
    asking.start()
    wait_for(lambda: answers or _connections(url), PATIENT)
    process.popen.terminate()
    asking.join(PATIENT)
    assert [answer.status_code for answer in answers] == [200]
    assert process.popen.wait(PATIENT) == 0


def _connections(url: str) -> int:
    """How many connections the server of `url` has accepted, as Linux says: those that still wait have no inode."""
    port = f":{int(url.rpartition(':')[2]):04X}"
    rows = (line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(row[1].endswith(port) and row[3] == "01" and row[9] != "0" for row in rows)


def _newest(url: str, headers: dict[str, str]) -> str:
    after = ""
    while True:
        params = {"limit": "500"} | ({"after": after} if after else {})
        page = CLIENT.get(f"{url}/v1/events", params=params, headers=headers, timeout=20).json()
        after = page["next"]
        if not page["items"]:
            return str(after)
