"""What people write about a case is read through the API alone: no event, announced ones included, carries it."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import text

from services.hazards import commands, deadlines
from services.hazards.domain.machine import TABLE, Move
from tests.integration.hazards.town import NORTH_EAST, Town, agency_id, position

CANARY = "住户张三电话13800000000"
PHOTO: dict[str, Any] = {"blob": "c" * 64, "media_type": "image/jpeg", "size_bytes": 10}


def test_no_text_reporter_handler_photo_or_foreign_id_leaves_by_any_move(town: Town) -> None:
    words = {"reason": CANARY, "note": CANARY, "photo": PHOTO}
    case = town.report(
        description=CANARY, photo=PHOTO, external_refs=[{"system": "hotline-12345", "id": "CANARY-7"}], category="fire"
    )
    other = town.report(description=CANARY)
    police = agency_id("north_police")
    invited = {"assisting_agency_ids": [police], **words}
    relocated = {"lon": NORTH_EAST[0], "lat": NORTH_EAST[1], **words}
    until = town.clock() + timedelta(days=9)
    walk: list[tuple[str, Any, dict[str, Any]]] = [
        ("refuse", town.centre, words),
        ("reopen", town.centre, words),
        ("verify", town.centre, words),
        ("relocate", town.centre, relocated),
        ("recategorise", town.centre, {"category": "fire.electrical", **words}),
        ("register", town.centre, words),
        ("raise_level", town.worker, words),
        ("hand_down", town.centre, words),
        ("link_parent", town.centre, {"parent_case_id": other.case_id, **words}),
        ("unlink_parent", town.centre, words),
        ("dispatch", town.centre, {"agency_id": agency_id("fire_brigade"), **words}),
        ("return", town.fire, words),
        ("dispatch", town.centre, words),
        ("reassign", town.centre, {"agency_id": police, **words}),
        ("reassign", town.centre, {"agency_id": agency_id("fire_brigade"), **words}),
        ("invite", town.centre, invited),
        ("release", town.centre, {"agency_id": police, **words}),
        ("declare_major", town.fire, {"until": until, **words}),
        ("supervise", town.centre, {"supervision": "red", **words}),
        ("list_case", town.centre, {"listing_no": CANARY, "until": until, "public": True, **words}),
        ("name_leader", town.centre, {"leader_name": CANARY, "leader_title": CANARY, **words}),
        ("plan_visit", town.centre, {"visit_on": date(2026, 3, 1), **words}),
        ("record_visit", town.centre, {"visit_on": date(2026, 3, 1), **words}),
        ("remind", town.worker, words),
        ("accept", town.fire, words),
        ("invite", town.fire, invited),
        ("assist_refuse", town.police, words),
        ("invite", town.fire, invited),
        ("assist_accept", town.police, words),
        ("start", town.fire, words),
        ("report_progress", town.fire, words),
        ("assist_finish", town.police, words),
        ("request_extension", town.fire, {"working_days": 1, **words}),
        ("refuse_extension", town.centre, words),
        ("suspend", town.centre, words),
        ("resume", town.fire, words),
        ("finish", town.fire, words),
        ("fail_check", town.north, words),
        ("request_extension", town.fire, {"working_days": 1, **words}),
        ("grant_extension", town.centre, words),
        ("finish", town.fire, words),
        ("pass_check", town.north, {**words, **position(*NORTH_EAST, 5)}),
        ("unlist_case", town.centre, words),
        ("review", town.centre, words),
        ("lift_supervision", town.centre, words),
        ("close", town.centre, words),
        ("pass_recheck", town.north, {**words, **position(*NORTH_EAST, 5)}),
        ("evaluate", town.worker, {"rating": 1, **words}),
        ("appeal", town.worker, words),
        ("lift_major", town.centre, words),
        ("merge", town.centre, {"into_case_id": town.report(description=CANARY).case_id, **words}),
        ("unmerge", town.centre, words),
        ("dispatch", town.centre, words),
        ("accept", town.fire, words),
        ("start", town.fire, words),
        ("finish", town.fire, words),
        ("pass_check", town.north, {**words, **position(*NORTH_EAST, 5)}),
        ("close", town.centre, words),
        ("fail_recheck", town.north, {**words, **position(*NORTH_EAST, 5)}),
        ("settle", town.worker, words),
        ("void", town.centre, words),
    ]
    assert {move for move, _, _ in walk} == {move.value for move in TABLE} == {move.value for move in Move}
    for move, by, fields in walk:
        case = town.move(case, move, by, **fields)
    town.clock.forward(days=20)
    deadlines.ring(town.session, clock=town.clock)
    assert CANARY in str(town.history(case))
    said = town.session.execute(text("SELECT string_agg(body, ' ') FROM outbox")).scalar_one()
    announced = commands.announce_cases(town.session, None, None, 100)
    assert {event.entity_id for event in announced} > {case.case_id, other.case_id}
    said += " ".join(event.data.model_dump_json() for event in announced)
    people = [str(who.account_id) for who in (town.worker, town.centre, town.fire, town.north)]
    for secret in ("张三", "13800000000", "CANARY-7", PHOTO["blob"], *people):
        assert secret not in said, secret
