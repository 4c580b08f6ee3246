"""Signing in and out against a real gateway."""

import base64
import time
from typing import Any
from uuid import UUID, uuid4

import httpx

from tests.integration.gateway.platform import PASSWORD, WEST_GRID, Platform


def ask(platform: Platform, **form: str) -> httpx.Response:
    return httpx.post(f"{platform.url}/v1/auth/token", data=form, timeout=15, trust_env=False)


def password(platform: Platform, login: str, secret: str = PASSWORD) -> httpx.Response:
    return ask(platform, grant_type="password", username=login, password=secret)


def test_the_password_grant_gives_a_token_that_knows_who_i_am(platform: Platform) -> None:
    answer = password(platform, "west")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    token = answer.json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 900)
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    me = httpx.get(f"{platform.url}/v1/auth/me", headers=headers).json()
    assert me["roles"] == ["grid_worker"]
    assert me["scope"]["areas"] == [WEST_GRID]


def test_a_wrong_password_and_an_unknown_name_are_the_same_answer(platform: Platform) -> None:
    known, unknown = password(platform, "county", "wrong"), password(platform, f"nobody{uuid4().hex[:8]}", "wrong")
    for answer in (known, unknown):
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
    fields = {"trace_id"}
    left, right = known.json(), unknown.json()
    assert {key: value for key, value in left.items() if key not in fields} == {
        key: value for key, value in right.items() if key not in fields
    }


def test_a_name_is_locked_after_five_failures_whether_it_exists_or_not(platform: Platform) -> None:
    name = f"ghost{uuid4().hex[:8]}"
    answers = [password(platform, name, "wrong").status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]
    locked = password(platform, name, "wrong")
    assert locked.json()["code"] == "login_locked"
    assert 0 < int(locked.headers["retry-after"]) <= 31


def test_incomplete_and_unknown_grants_are_refused(platform: Platform) -> None:
    assert ask(platform, grant_type="password", username="west").json()["code"] == "invalid_grant_request"
    assert ask(platform, grant_type="implicit").json()["code"] == "unsupported_grant_type"
    assert ask(platform).status_code == 400


def test_a_session_that_logged_out_is_over(platform: Platform) -> None:
    headers = {"Authorization": f"Bearer {password(platform, 'east').json()['access_token']}"}
    assert httpx.get(f"{platform.url}/v1/auth/me", headers=headers).status_code == 200
    assert httpx.post(f"{platform.url}/v1/auth/logout", headers=headers).status_code == 204
    answer = httpx.get(f"{platform.url}/v1/auth/me", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def machine(**more: Any) -> dict[str, Any]:
    return {
        "kind": "machine",
        "client_id": f"city-{uuid4().hex[:8]}",
        "name": "市平台",
        "roles": ["integrator"],
        "areas": ["330499/"],
    } | more


def test_a_machines_secret_is_shown_once_and_opens_a_session(platform: Platform) -> None:
    body, account = machine(), uuid4()
    with platform.client("admin") as admin:
        made = admin.put(f"/v1/accounts/{account}", json=body)
        again = admin.put(f"/v1/accounts/{account}", json=body)
    assert (made.status_code, again.status_code) == (201, 200)
    assert "client_secret" not in again.json()
    secret = made.json()["client_secret"]
    basic = base64.b64encode(f"{body['client_id']}:{secret}".encode()).decode()
    answer = httpx.post(
        f"{platform.url}/v1/auth/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {basic}"},
    )
    assert answer.status_code == 200
    wrong = ask(platform, grant_type="client_credentials", client_id=body["client_id"], client_secret=secret + "x")
    assert wrong.status_code == 401


def test_only_administrators_make_accounts_and_only_inside_their_own_areas(platform: Platform) -> None:
    with platform.client("county") as county:
        assert county.put(f"/v1/accounts/{uuid4()}", json=machine()).status_code == 403
    with platform.client("admin") as admin:
        refused = admin.put(f"/v1/accounts/{uuid4()}", json=machine(areas=["330498/"]))
        assert (refused.status_code, refused.json()["field"]) == (403, "areas")
        taken = admin.put(
            f"/v1/accounts/{uuid4()}", json=machine(kind="person", client_id=None, login="west", password=PASSWORD)
        )
        assert (taken.status_code, taken.json()["code"]) == (409, "login_taken")


def test_a_disabled_account_is_out_within_two_seconds(platform: Platform) -> None:
    account, login = uuid4(), f"clerk{uuid4().hex[:8]}"
    person = {"kind": "person", "login": login, "password": PASSWORD, "name": "x", "areas": ["330499/"]}
    with platform.client("admin") as admin:
        assert admin.put(f"/v1/accounts/{account}", json=person).status_code == 201
        with platform.client(login) as clerk:
            assert clerk.get("/v1/auth/me").status_code == 200
            assert admin.put(f"/v1/accounts/{account}", json=person | {"active": False}).status_code == 200
            time.sleep(2.2)
            assert clerk.get("/v1/auth/me").status_code == 401
        assert password(platform, login).status_code == 401
        stale = admin.put(f"/v1/accounts/{account}", json=person, headers={"If-Match": '"1"'})
        assert (stale.status_code, stale.json()["current"]["version"]) == (412, 2)


def test_demo_accounts_and_no_demo_setting_keep_the_gateway_from_starting(platform: Platform) -> None:
    demo = machine(demo=True, client_secret="a public secret")
    with platform.client("admin") as admin:
        assert admin.put(f"/v1/accounts/{UUID(int=99)}", json=demo).status_code in (200, 201)
    from tests.integration.gateway.platform import free_port

    process = platform.start("undemo", "gateway", PINGAN_DEMO="0", PINGAN_GATEWAY_PORT=str(free_port()))
    assert process.popen.wait(20) != 0
    assert "demo accounts exist" in process.log.read_text()
    del platform.processes["undemo"]
