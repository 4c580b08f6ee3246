"""Signing in and out against a real gateway."""

import asyncio
import base64
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4, uuid5

import httpx
import psycopg2

from gateway.access import retention
from gateway.reads import Database as Pool
from tests.integration.gateway.platform import NAMES, PASSWORD, WEST_GRID, Platform, wait_for


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


def test_guesses_made_at_once_get_no_further_than_guesses_made_in_turn(platform: Platform) -> None:
    login = f"clerk{uuid4().hex[:8]}"
    person = {"kind": "person", "login": login, "password": PASSWORD, "name": "x", "areas": ["330499/"]}
    with platform.client("admin") as admin:
        admin.put(f"/v1/accounts/{uuid4()}", json=person).raise_for_status()
    with ThreadPoolExecutor(24) as guessers:
        answers = list(guessers.map(lambda _: password(platform, login, "wrong"), range(24)))
    told = [answer.status_code for answer in answers]
    assert set(told) == {401, 429}
    assert told.count(401) <= 5, "each 401 is a guess that was judged"
    assert password(platform, login).status_code == 429
    assert {answer.json()["code"] for answer in answers if answer.status_code == 429} == {"login_locked"}


def test_an_account_that_reaches_further_cannot_be_taken_over(platform: Platform) -> None:
    login = f"townadmin{uuid4().hex[:8]}"
    person: dict[str, Any] = {"kind": "person", "login": login, "password": PASSWORD, "name": "x"}
    person |= {"areas": [WEST_GRID]}
    person |= {"roles": ["county_admin"], "categories": ["fire"], "ceiling": 3}
    with platform.client("admin") as admin:
        admin.put(f"/v1/accounts/{uuid4()}", json=person).raise_for_status()
    theirs = f"/v1/accounts/{uuid5(NAMES, 'admin')}"
    with platform.client(login) as small:
        narrowed = small.put(
            theirs, json={"kind": "person", "login": "admin", "name": "x", "areas": [WEST_GRID], "categories": ["fire"]}
        )
        assert (narrowed.status_code, narrowed.json()["field"]) == (403, "areas")
        taken = small.post(f"{theirs}/credential", json={"password": "mine from now on"})
        assert (taken.status_code, taken.json()["field"]) == (403, "areas")
        wider = small.put(f"/v1/accounts/{uuid4()}", json=machine(areas=[WEST_GRID]))
        assert (wider.status_code, wider.json()["field"]) == (403, "categories")
    assert password(platform, "admin").status_code == 200


def test_what_is_old_is_removed_and_what_audits_need_is_not(platform: Platform) -> None:
    with psycopg2.connect(platform.settings["TEST_ADMIN_DATABASE_URL"]) as connection, connection.cursor() as cursor:
        account = str(uuid5(NAMES, "west"))
        for days in (1, 29, 31, 400):
            cursor.execute(
                "INSERT INTO access.sessions (session_id, account_id, jti, grant_type, expires_at) "
                "VALUES (%s, %s, 'old', 'password', now() - make_interval(days => %s))",
                (str(uuid4()), account, days),
            )
        cursor.execute(
            "INSERT INTO access.login_failures (name_hash, failures, last_at, locked_until) VALUES "
            "('old', 9, now() - interval '2 hours', now() - interval '1 hour'), "
            "('locked', 9, now() - interval '2 hours', now() + interval '1 hour'), ('new', 1, now(), NULL)"
        )
        cursor.execute("INSERT INTO access.idempotency VALUES ('c', 'r', 'k', 'f', NULL, now() - interval '49 hours')")
        cursor.execute(
            "INSERT INTO access.read_audit (read_at, account_id, purpose, route, entity, trace_id) "
            "VALUES (now() - interval '400 days', %s, 'p', 'r', 'old', 't')",
            (account,),
        )
        connection.commit()
        asyncio.run(_clean(platform))
        cursor.execute("SELECT count(*) FROM access.sessions WHERE jti = 'old'")
        assert cursor.fetchone() == (2,)
        cursor.execute(
            "SELECT name_hash FROM access.login_failures WHERE name_hash IN ('old', 'locked', 'new') ORDER BY 1"
        )
        assert cursor.fetchall() == [("locked",), ("new",)]
        cursor.execute("SELECT count(*) FROM access.idempotency WHERE client = 'c'")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT count(*) FROM access.read_audit WHERE entity = 'old'")
        assert cursor.fetchone() == (1,)


async def _clean(platform: Platform) -> None:
    pool = Pool("access", platform.settings["PINGAN_ACCESS_DATABASE_URL"], size=1)
    while not await retention.clean(pool):  # noqa: ASYNC110 - the gateway's own round, another process, holds it off
        await asyncio.sleep(0.05)
    await pool.close()


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


def renewed(platform: Platform, token: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{platform.url}/v1/auth/renew", headers=headers, timeout=15, trust_env=False)


def is_in(platform: Platform, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.get(f"{platform.url}/v1/auth/me", headers=headers, timeout=15, trust_env=False)
    return answer.status_code == 200


def test_a_persons_session_goes_on_with_the_next_token_alone(platform: Platform) -> None:
    first = password(platform, "west").json()["access_token"]
    assert is_in(platform, first)
    answer = renewed(platform, first)
    assert answer.status_code == 200, answer.text
    second = answer.json()["access_token"]
    assert is_in(platform, second)
    wait_for(lambda: not is_in(platform, first), 10)
    assert renewed(platform, first).status_code == 401
    assert is_in(platform, second), "a refused renewal costs the session nothing"


def test_a_session_is_not_renewed_after_its_end_nor_beyond_a_shift(platform: Platform) -> None:
    ended = password(platform, "west").json()["access_token"]
    httpx.post(f"{platform.url}/v1/auth/logout", headers={"Authorization": f"Bearer {ended}"}, trust_env=False)
    assert renewed(platform, ended).status_code == 401
    old = password(platform, "west").json()["access_token"]
    connection = psycopg2.connect(platform.settings["TEST_ADMIN_DATABASE_URL"])
    with connection, connection.cursor() as cursor:
        cursor.execute("UPDATE access.sessions SET created_at = now() - interval '12 hours 1 minute'")
    connection.close()
    assert renewed(platform, old).status_code == 401


def test_a_machine_asks_for_a_new_token_instead(platform: Platform) -> None:
    form = machine()
    with platform.client("admin") as admin:
        created = admin.put(f"/v1/accounts/{uuid4()}", json=form)
        assert created.status_code == 201, created.text
    secret = created.json()["client_secret"]
    token = ask(
        platform, grant_type="client_credentials", client_id=str(form["client_id"]), client_secret=secret
    ).json()["access_token"]
    assert is_in(platform, token)
    assert renewed(platform, token).status_code == 401
