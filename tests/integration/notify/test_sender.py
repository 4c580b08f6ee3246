"""Webhooks on a real database with a real receiver, signatures checked by the Standard Webhooks library.

Writes to rows that a running sender locks go through a thread: on the sender's own loop they would wait for a
transaction that cannot go on until they return.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from aiohttp import web
from sqlalchemy import Engine

from backbone import database as db
from contracts.notify.commands import (
    ChangeSubscription,
    ReplaySubscription,
    ResendDelivery,
    SetSubscriberScope,
    SubscriberScope,
)
from contracts.scope import Role, Sensitivity
from services.notify.commands import subscribers, subscriptions
from services.notify.domain.cursors import encode_cursor
from tests.integration.notify.conftest import (
    COUNTY,
    OTHER_TOWN,
    SEAL,
    TOWN,
    Call,
    Receiver,
    Sending,
    actor_of,
    case_event,
    eventually,
)

Journal = Callable[..., int]
Subscribe = Callable[..., Any]
Rows = Callable[..., list[Any]]


async def test_an_event_arrives_signed_and_as_it_was_journaled(
    journal: Journal, subscribe: Subscribe, receiver: Receiver, sending: Sending, rows: Rows
) -> None:
    made = subscribe(f"{receiver.url}/hook", types=("hazards.case.*",))
    event = case_event()
    journal(event)
    async with sending():
        await eventually(lambda: receiver.at("/hook"))
    [call] = receiver.verified("/hook", made.secret)
    assert call.event_id == str(event.id)
    assert call.headers["content-type"].startswith("application/cloudevents+json")
    assert json.loads(call.body) == json.loads(event.envelope.to_bytes())  # type: ignore[union-attr]
    [row] = rows("SELECT state, attempts, last_status, last_error, leased_by FROM notify.deliveries")
    assert tuple(row) == ("delivered", 1, 200, None, None)


async def test_the_events_of_one_case_arrive_in_order_whatever_fails(
    journal: Journal, subscribe: Subscribe, receiver: Receiver, sending: Sending
) -> None:
    made = subscribe(f"{receiver.url}/hook")
    cases = [uuid4() for _ in range(8)]
    failing: set[str] = set()

    def stumble(call: Call) -> web.Response:
        # Every third event fails once, at its first attempt.
        if call.event_id not in failing and hash(call.event_id) % 3 == 0:
            failing.add(call.event_id)
            return web.Response(status=500)
        return web.Response()

    receiver.answers["/hook"] = stumble
    for version in range(1, 7):
        journal(*(case_event(case, version) for case in cases))
    async with sending(), sending():
        await eventually(lambda: len(receiver.calls) == 48 + len(failing) and failing, 20)
    arrived: dict[str, list[int]] = {}
    for call in receiver.verified("/hook", made.secret):
        body = json.loads(call.body)
        arrived.setdefault(body["subject"], []).append(body["entityversion"])
    for versions in arrived.values():
        assert versions == sorted(versions)
        assert set(versions) == set(range(1, 7))


async def test_a_failure_is_tried_again_with_the_same_id(
    journal: Journal, subscribe: Subscribe, receiver: Receiver, sending: Sending, rows: Rows
) -> None:
    made = subscribe(f"{receiver.url}/hook")
    statuses = iter([500, 307, 503, 204])
    receiver.answers["/hook"] = lambda call: web.Response(
        status=next(statuses), headers={"Location": f"{receiver.url}/elsewhere", "Retry-After": "1"}
    )
    journal(case_event())
    async with sending():
        await eventually(lambda: rows("SELECT 1 FROM notify.deliveries WHERE state = 'delivered'"))
    calls = receiver.verified("/hook", made.secret)
    assert len(calls) == 4
    assert len({call.event_id for call in calls}) == 1
    assert receiver.at("/elsewhere") == []
    assert calls[3].at - calls[2].at >= 1.0, "503 named a time"
    [row] = rows("SELECT attempts, last_status FROM notify.deliveries")
    assert tuple(row) == (4, 204)


async def test_410_disables_says_so_and_loses_nothing(
    journal: Journal, subscribe: Subscribe, receiver: Receiver, sending: Sending, rows: Rows, engine: Engine
) -> None:
    actor = actor_of()
    made = subscribe(f"{receiver.url}/hook", actor)
    receiver.answers["/hook"] = lambda call: web.Response(status=410)
    first, second = case_event(), case_event()
    journal(first)
    async with sending():
        await eventually(lambda: rows("SELECT 1 FROM notify.subscriptions WHERE status = 'disabled'"))
        [event] = rows("SELECT type, entity_version, body::json->'data'->>'reason' FROM outbox")
        assert tuple(event) == ("county.notify.subscription.disabled.v1", 1, "gone")
        journal(second)
        await asyncio.sleep(0.3)
        assert len(receiver.calls) == 1
        del receiver.answers["/hook"]
        [(version,)] = rows("SELECT version FROM notify.subscriptions")
        resume = ChangeSubscription(subscription_id=made.subscription_id, move="resume", expected_version=version)
        await _write(engine, lambda s: subscriptions.change(s, actor, resume, seal=SEAL, clock=_now))
        await eventually(lambda: len(receiver.calls) == 3)
    assert [call.event_id for call in receiver.calls[1:]] == [str(first.id), str(second.id)]


async def test_when_every_retry_failed_the_subscription_is_disabled(
    journal: Journal, subscribe: Subscribe, receiver: Receiver, sending: Sending, rows: Rows
) -> None:
    subscribe(f"{receiver.url}/hook")
    receiver.answers["/hook"] = lambda call: web.Response(status=500)
    journal(case_event())
    async with sending(retry_schedule_s=(0.05, 0.05)):
        await eventually(lambda: rows("SELECT 1 FROM notify.subscriptions WHERE status = 'disabled'"))
    assert len(receiver.calls) == 3
    assert rows("SELECT disabled_reason FROM notify.subscriptions")[0][0] == "retries_exhausted"


async def test_a_dead_endpoint_does_not_delay_another(
    journal: Journal, subscribe: Subscribe, receiver: Receiver, sending: Sending
) -> None:
    async def hang(_: Call) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    for n in range(3):
        receiver.answers[f"/dead{n}"] = hang
        subscribe(f"{receiver.url}/dead{n}")
    made = subscribe(f"{receiver.url}/alive")
    journal(*(case_event() for _ in range(200)))
    async with sending(timeout_s=2.0):
        await eventually(lambda: len(receiver.at("/alive")) == 200, 3)
    assert len({call.event_id for call in receiver.verified("/alive", made.secret)}) == 200


async def test_a_sender_killed_between_answer_and_mark_sends_the_same_id_again(
    journal: Journal, subscribe: Subscribe, receiver: Receiver, sending: Sending, rows: Rows, engine: Engine
) -> None:
    made = subscribe(f"{receiver.url}/hook")
    event = case_event()
    journal(event)
    async with sending() as sender:

        async def never(batch: Any) -> None:
            return None

        sender._mark = never  # type: ignore[method-assign]
        await eventually(lambda: receiver.calls)
    assert rows("SELECT state FROM notify.deliveries") == [("pending",)]
    rows("UPDATE notify.deliveries SET leased_until = now() RETURNING 1")
    async with sending():
        await eventually(lambda: rows("SELECT 1 FROM notify.deliveries WHERE state = 'delivered'"))
    assert [call.event_id for call in receiver.verified("/hook", made.secret)] == [str(event.id)] * 2


async def test_a_sender_told_to_stop_marks_what_is_on_its_way_and_takes_no_more(
    journal: Journal, subscribe: Subscribe, receiver: Receiver, sending: Sending, rows: Rows
) -> None:
    subscribe(f"{receiver.url}/hook")
    may_answer = asyncio.Event()

    async def slow(_: Call) -> web.Response:
        await may_answer.wait()
        return web.Response()

    receiver.answers["/hook"] = slow
    journal(case_event())
    async with sending() as sender:
        await eventually(lambda: receiver.calls)
        sender.stop()
        journal(case_event())
        asyncio.get_running_loop().call_later(0.5, may_answer.set)
    assert rows("SELECT state, leased_by FROM notify.deliveries") == [("delivered", None)]


async def test_what_is_queued_is_not_sent_after_rights_were_taken_away(
    journal: Journal, subscribe: Subscribe, receiver: Receiver, sending: Sending, rows: Rows, engine: Engine
) -> None:
    actor = actor_of((TOWN, OTHER_TOWN))
    subscribe(f"{receiver.url}/hook", actor)
    receiver.answers["/hook"] = lambda call: web.Response(status=500)
    inside, outside = case_event(area_path=OTHER_TOWN), case_event(area_path=TOWN)
    journal(inside, outside)
    async with sending(retry_schedule_s=(1.0, 1.0, 1.0)):
        await eventually(lambda: len({call.event_id for call in receiver.calls}) == 2)
        await _set_scope(engine, actor.account_id, areas=(OTHER_TOWN,))
        before = len(receiver.calls)
        del receiver.answers["/hook"]
        done = "SELECT 1 FROM notify.deliveries WHERE state <> 'pending'"
        await eventually(lambda: len(rows(done)) == 2)
    assert [call.event_id for call in receiver.calls[before:]] == [str(inside.id)]
    assert rows("SELECT state, last_error FROM notify.deliveries WHERE event_id = :id", id=outside.id) == [
        ("dropped", "not_visible")
    ]


async def test_an_inactive_account_receives_nothing(
    journal: Journal, subscribe: Subscribe, receiver: Receiver, sending: Sending, engine: Engine
) -> None:
    actor = actor_of()
    subscribe(f"{receiver.url}/hook", actor)
    journal(case_event())
    await _set_scope(engine, actor.account_id, areas=(COUNTY,), active=False)
    async with sending():
        await asyncio.sleep(0.5)
        assert receiver.calls == []
        await _set_scope(engine, actor.account_id, areas=(COUNTY,))
        await eventually(lambda: receiver.calls)


async def test_a_case_that_became_more_sensitive_is_not_told_of_any_more(
    journal: Journal, subscribe: Subscribe, receiver: Receiver, sending: Sending, rows: Rows
) -> None:
    subscribe(f"{receiver.url}/hook", actor_of((TOWN,)))
    case = uuid4()
    journal(case_event(case, 1))
    async with sending() as sender:
        sender.stop()
    subscribe(f"{receiver.url}/confidential", actor_of((TOWN,), ceiling=Sensitivity.CONFIDENTIAL))
    journal(case_event(case, 2, fact="recategorised", sensitivity=3), case_event())
    async with sending():
        await eventually(lambda: len(receiver.at("/confidential")) == 2 and receiver.at("/hook"))
    assert all(str(case) not in call.body for call in receiver.at("/hook"))


async def test_scope_area_category_and_type_are_intersected_and_participation_opens(
    journal: Journal, subscribe: Subscribe, receiver: Receiver, sending: Sending
) -> None:
    police = uuid4()
    asked = {"types": ("hazards.case.reported",), "area_path": COUNTY, "categories": ("fire.exit", "gas.leak")}
    subscribe(f"{receiver.url}/hook", actor_of((TOWN,), agency_id=police, categories=frozenset({"fire.exit"})), **asked)
    wanted = [case_event(), case_event(area_path=OTHER_TOWN, category="gas.leak", lead=police, sensitivity=3)]
    unwanted = [
        case_event(area_path=OTHER_TOWN),
        case_event(category="gas.leak"),
        case_event(category="flood.house", lead=police),
        case_event(fact="closed"),
        case_event(sensitivity=2),
    ]
    journal(*unwanted, *wanted)
    async with sending():
        await eventually(lambda: len(receiver.calls) == 2)
        await asyncio.sleep(0.3)
    assert {call.event_id for call in receiver.calls} == {str(event.id) for event in wanted}


async def test_both_secrets_sign_for_a_day_after_rotation(
    journal: Journal, subscribe: Subscribe, receiver: Receiver, sending: Sending, rows: Rows, engine: Engine
) -> None:
    actor = actor_of()
    made = subscribe(f"{receiver.url}/hook", actor)
    rotate = ChangeSubscription(subscription_id=made.subscription_id, move="rotate_secret", expected_version=1)
    with db.transaction(engine) as session:
        rotated = subscriptions.change(session, actor, rotate, seal=SEAL, clock=_now)
    assert rotated.secret
    assert rotated.secret != made.secret
    stored = bytes(rows("SELECT secret || previous_secret FROM notify.subscriptions")[0][0])
    assert made.secret.encode() not in stored
    journal(case_event())
    async with sending():
        await eventually(lambda: receiver.calls)
        assert len(receiver.calls[0].headers["webhook-signature"].split()) == 2
        receiver.verified("/hook", made.secret)
        receiver.verified("/hook", rotated.secret)
        await asyncio.to_thread(rows, "UPDATE notify.subscriptions SET previous_until = now() RETURNING 1")
        journal(case_event())
        await eventually(lambda: len(receiver.calls) == 2)
    assert len(receiver.calls[1].headers["webhook-signature"].split()) == 1


async def test_what_happened_during_a_pause_is_sent_after_it_and_can_be_replayed_and_resent(
    journal: Journal, subscribe: Subscribe, receiver: Receiver, sending: Sending, rows: Rows, engine: Engine
) -> None:
    actor = actor_of()
    made = subscribe(f"{receiver.url}/hook", actor)
    events = [case_event() for _ in range(5)]

    async def change(move: str, version: int) -> None:
        command = ChangeSubscription(subscription_id=made.subscription_id, move=move, expected_version=version)
        await _write(engine, lambda s: subscriptions.change(s, actor, command, seal=SEAL, clock=_now))

    async with sending():
        await change("pause", 1)
        journal(*events)
        await asyncio.sleep(0.3)
        assert receiver.calls == []
        await change("resume", 2)
        await eventually(lambda: len(receiver.calls) == 5)
        await eventually(lambda: len(rows("SELECT 1 FROM notify.deliveries WHERE state = 'delivered'")) == 5)
        replay = ReplaySubscription(subscription_id=made.subscription_id, after=encode_cursor(2))
        await _write(engine, lambda s: subscriptions.replay(s, actor, replay))
        await eventually(lambda: len(receiver.calls) == 8)
        await eventually(lambda: len(rows("SELECT 1 FROM notify.deliveries WHERE state = 'delivered'")) == 5)
        resend = ResendDelivery(subscription_id=made.subscription_id, event_id=events[0].id)
        await _write(engine, lambda s: subscriptions.resend(s, actor, resend))
        await eventually(lambda: len(receiver.calls) == 9)
    ids = [call.event_id for call in receiver.calls]
    assert set(ids[:5]) == {str(event.id) for event in events}
    assert set(ids[5:8]) == {str(event.id) for event in events[2:]}
    assert ids[8] == str(events[0].id)


async def test_a_private_address_is_not_connected_to_when_the_switch_is_off(
    journal: Journal, subscribe: Subscribe, receiver: Receiver, sending: Sending, rows: Rows
) -> None:
    port = receiver.url.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
        subscribe(f"http://{host}:{port}/hook")
    journal(case_event())
    async with sending(allow_private_targets=False, retry_schedule_s=(60.0,)):
        await eventually(lambda: len(rows("SELECT 1 FROM notify.deliveries WHERE last_error IS NOT NULL")) == 3)
    assert receiver.calls == []
    assert {row[0] for row in rows("SELECT last_error FROM notify.deliveries")} == {"notify.forbidden_target"}


async def test_the_sender_survives_a_database_that_goes_away(
    journal: Journal, subscribe: Subscribe, receiver: Receiver, sending: Sending, rows: Rows, database: Any
) -> None:
    import psycopg2

    made = subscribe(f"{receiver.url}/hook")
    async with sending():
        for _ in range(5):
            journal(*(case_event() for _ in range(20)))
            admin = psycopg2.connect(database.url("admin"))
            admin.autocommit = True
            with admin.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND application_name <> 'pingan' AND pid <> pg_backend_pid()"
                )
            admin.close()
            await asyncio.sleep(0.2)
        await eventually(lambda: len({call.event_id for call in receiver.calls}) == 100, 30)
    receiver.verified("/hook", made.secret)


async def _set_scope(engine: Engine, account_id: UUID, *, areas: tuple[str, ...], active: bool = True) -> None:
    command = SetSubscriberScope(account_id=account_id, scope=SubscriberScope(areas=areas, ceiling=1), active=active)
    await _write(engine, lambda s: subscribers.set_scope(s, actor_of(role=Role.COUNTY_ADMIN), command))


async def _write(engine: Engine, work: Callable[[db.Session], Any]) -> None:
    def once() -> None:
        with db.transaction(engine) as session:
            work(session)

    await asyncio.to_thread(once)


def _now() -> Any:
    from backbone.clock import system_clock

    return system_clock()
