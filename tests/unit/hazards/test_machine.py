"""The table of moves is whole, and no walk through it gets stuck."""

from __future__ import annotations

from dataclasses import replace
from heapq import heappop, heappush
from itertools import count
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.hazards.errors import IllegalMove, MissingMoveField, ReturnWindowOver, SelfCheck
from contracts.hazards.events import Grade, Source
from contracts.hazards.states import CaseLevel, State, Supervision
from contracts.refusals import InvalidField, NotAllowed
from contracts.registry import all_events
from contracts.scope import Actor, Role, Scope
from services.hazards.domain.machine import ENDS, OPEN, TABLE, TITLES, Move, Who, table_json
from services.hazards.domain.moves import Standing, decide, legal_moves, moves_from

S = State
TOWN = "330499/330499101/"
LEAD, CENTRE = UUID(int=1), UUID(int=2)
FIELDS = {
    "reason": "because",
    "note": "done",
    "category": "fire",
    "lon": 120.0,
    "lat": 30.0,
    "agency_id": UUID(int=9),
    "assisting_agency_ids": (UUID(int=9),),
    "parent_case_id": UUID(int=8),
    "into_case_id": UUID(int=8),
    "supervision": "yellow",
    "listing_no": "挂牌〔2026〕3号",
    "until": "2026-12-01T00:00:00Z",
    "leader_name": "李建国",
    "leader_title": "副县长",
    "visit_on": "2026-12-01",
    "rating": 2,
}


def actor(*roles: Role, agency: UUID = CENTRE, area: str = "330499/", account: UUID | None = None) -> Actor:
    return Actor(account or uuid4(), agency, frozenset(roles), Scope(areas=(area,), agency_id=agency))


def standing(state: State, **more: object) -> Standing:
    return replace(Standing(state, Source.PUBLIC, f"{TOWN}330499101201/", LEAD), **more)  # type: ignore[arg-type]


def fields_of(move: str) -> dict[str, object]:
    return {name: FIELDS[name] for name in TABLE[Move(move)].needs}


def test_every_move_and_state_stands_in_the_table() -> None:
    assert set(TABLE) == set(Move)
    assert set(TITLES) == set(State)
    reached = {target for rule in TABLE.values() for target in rule.targets.values()}
    assert reached == set(State)
    assert {role for rule in TABLE.values() for role in rule.roles} <= {role.value for role in Role}


def test_every_event_of_the_table_is_in_the_contract() -> None:
    assert {rule.event for rule in TABLE.values()} <= set(all_events())


def test_the_table_for_the_api_names_roles_fields_and_events() -> None:
    table = table_json()
    dispatch = next(each for each in table["moves"] if each["move"] == "dispatch")
    assert dispatch["from"] == ["registered"]
    assert dispatch["event"] == "county.hazards.case.dispatched.v1"
    assert all(each["title"]["zh"] and each["title"]["en"] and each["roles"] for each in table["moves"])


@given(
    st.sampled_from(list(Source)),
    st.lists(st.integers(min_value=0, max_value=999), max_size=60),
)
def test_no_walk_reaches_a_state_without_a_way_to_an_end(source: Source, choices: list[int]) -> None:
    now = standing(State.REPORTED, source=source)
    for choice in choices:
        legal = moves_from(now)
        if not legal:
            assert now.state is State.VOIDED
            return
        now = moved(now, legal[choice % len(legal)], choice)
    assert now.state in ENDS or reaches_close(now)


def test_a_case_with_everything_at_once_can_still_be_closed() -> None:
    """Major, listed, supervised, suspended, assisted, with a request pending and open children."""
    worst = standing(
        State.SUSPENDED,
        grade=Grade.MAJOR,
        listed_by=CENTRE,
        was_listed=True,
        supervision=Supervision.RED,
        supervisor=CENTRE,
        asked=frozenset({CENTRE}),
        assisting=frozenset({UUID(int=9)}),
        extension_pending=True,
        parent=UUID(int=8),
        open_children=2,
        returnable=False,
    )
    assert reaches_close(worst)


def moved(case: Standing, move: Move, choice: int = 0) -> Standing:
    """The case after a move: its state, and what of it the conditions look at."""
    after = replace(case, state=TABLE[move].targets[case.state])
    one = {
        Move.DISPATCH: {"returnable": choice % 5 > 0, "asked": frozenset({UUID(int=choice % 3)}) - {UUID(int=0)}},
        Move.REASSIGN: {"returnable": choice % 5 > 0, "asked": frozenset(), "assisting": frozenset()},
        Move.RETURN: {"asked": frozenset(), "assisting": frozenset()},
        Move.REOPEN: {"asked": frozenset(), "assisting": frozenset(), "rating": None, "reviewed": False},
        Move.APPEAL: {"asked": frozenset(), "assisting": frozenset(), "rating": None, "reviewed": False},
        Move.FAIL_RECHECK: {
            "asked": frozenset(),
            "assisting": frozenset(),
            "rating": None,
            "reviewed": False,
            "recheck_due": False,
        },
        Move.PASS_RECHECK: {"recheck_due": False},
        Move.CLOSE: {"recheck_due": choice % 2 == 0},
        Move.SETTLE: {"asked": frozenset(), "assisting": frozenset()},
        Move.INVITE: {"asked": case.asked | {UUID(int=choice % 7 + 10)}},
        Move.RELEASE: {"asked": frozenset(sorted(case.asked)[1:]), "assisting": frozenset(sorted(case.assisting)[1:])},
        Move.ASSIST_ACCEPT: {
            "asked": frozenset(sorted(case.asked)[1:]),
            "assisting": case.assisting | frozenset(sorted(case.asked)[:1]),
        },
        Move.ASSIST_REFUSE: {"asked": frozenset(sorted(case.asked)[1:])},
        Move.ASSIST_FINISH: {"assisting": frozenset(sorted(case.assisting)[1:])},
        Move.REQUEST_EXTENSION: {"extension_pending": True},
        Move.GRANT_EXTENSION: {"extension_pending": False},
        Move.REFUSE_EXTENSION: {"extension_pending": False},
        Move.LINK_PARENT: {"parent": UUID(int=8)},
        Move.UNLINK_PARENT: {"parent": None},
        Move.SUPERVISE: {"supervision": list(Supervision)[choice % 2], "supervisor": CENTRE},
        Move.LIFT_SUPERVISION: {"supervision": None, "supervisor": None},
        Move.LIST_CASE: {"listed_by": CENTRE, "was_listed": True},
        Move.UNLIST_CASE: {"listed_by": None},
        Move.DECLARE_MAJOR: {"grade": Grade.MAJOR},
        Move.LIFT_MAJOR: {"grade": Grade.GENERAL},
        Move.NAME_LEADER: {"leader_named": True},
        Move.REVIEW: {"reviewed": True},
        Move.EVALUATE: {"rating": choice % 5 + 1},
    }
    changed: dict[str, object] = dict(one.get(move, {}))
    return replace(after, **changed)  # type: ignore[arg-type]


def reaches_close(start: Standing) -> bool:
    """Whether the case can still be closed properly, not only voided; its children end by themselves."""
    seen, turn = {start}, count()
    ahead = [(_burden(start), next(turn), start)]
    while ahead:
        case = heappop(ahead)[2]
        if case.state is State.CLOSED:
            return True
        # Moves that only add to what must be undone again lead nowhere new.
        onward = [move for move in moves_from(case) if move not in (Move.INVITE, Move.LINK_PARENT, Move.SUPERVISE)]
        after = {moved(case, move) for move in onward}
        after |= {replace(case, open_children=case.open_children - 1)} if case.open_children else set()
        for each in after - seen:
            heappush(ahead, (_burden(each), next(turn), each))
        seen |= after
    return False


_WAY = (S.REPORTED, S.VERIFIED, S.REGISTERED, S.DISPATCHED, S.ACCEPTED, S.SUSPENDED, S.HANDLING, S.HANDLED, S.CHECKED)


def _burden(case: Standing) -> int:
    """How far a case is from its close, about: what is nearest is looked at first."""
    way = len(_WAY) - _WAY.index(case.state) if case.state in _WAY else 0 if case.state is S.CLOSED else 20
    return way + len(case.asked) + len(case.assisting) + case.open_children + (case.listed_by is not None)


def test_an_illegal_move_names_the_legal_ones_before_it_looks_at_roles_or_fields() -> None:
    with pytest.raises(IllegalMove) as refused:
        decide(standing(State.REPORTED), "close", actor(Role.AUDITOR), {})
    assert refused.value.extra["legal_moves"][:2] == ["verify", "refuse"]
    assert {"void", "relocate", "recategorise"} < set(refused.value.extra["legal_moves"])
    assert "close" not in refused.value.extra["legal_moves"]
    with pytest.raises(IllegalMove, match="no move 'dance'"):
        decide(standing(State.REPORTED), "dance", actor(Role.COUNTY_OPERATOR), {})


def test_roles_come_before_fields() -> None:
    with pytest.raises(NotAllowed):
        decide(standing(State.REPORTED), "refuse", actor(Role.GRID_WORKER), {})
    with pytest.raises(MissingMoveField) as refused:
        decide(standing(State.REPORTED), "refuse", actor(Role.TOWN_OPERATOR), {})
    assert refused.value.field == "reason"


def test_a_field_the_move_knows_nothing_of_is_refused() -> None:
    with pytest.raises(InvalidField) as refused:
        decide(standing(State.REPORTED), "verify", actor(Role.GRID_WORKER), {"agency_id": LEAD})
    assert refused.value.field == "agency_id"


def test_collectors_reports_skip_verification_and_the_publics_do_not() -> None:
    assert Move.REGISTER in moves_from(standing(State.REPORTED, source=Source.PATROL))
    assert Move.REGISTER not in moves_from(standing(State.REPORTED, source=Source.PUBLIC))


def test_only_the_lead_agency_accepts_returns_starts_and_finishes() -> None:
    lead_moves = {rule.move for rule in TABLE.values() if rule.who is Who.LEAD}
    assert lead_moves == {Move.ACCEPT, Move.RETURN, Move.START, Move.FINISH, Move.REQUEST_EXTENSION}
    dispatched = standing(State.DISPATCHED)
    theirs = legal_moves(dispatched, actor(Role.AGENCY_OFFICER, agency=LEAD, area="330400/"))
    assert theirs == [Move.ACCEPT, Move.RETURN, Move.INVITE, Move.RELEASE]
    with pytest.raises(NotAllowed):
        decide(dispatched, "accept", actor(Role.COUNTY_OPERATOR), {})


def test_operators_move_only_what_lies_in_their_areas() -> None:
    with pytest.raises(NotAllowed):
        decide(standing(State.REPORTED), "verify", actor(Role.TOWN_OPERATOR, area="330499/330499102/"), {})


@pytest.mark.parametrize("move", ["pass_check", "fail_check"])
def test_neither_the_handler_nor_a_colleague_checks(move: str) -> None:
    handler = uuid4()
    handled = standing(State.HANDLED, handlers=frozenset({handler}))
    for checker in (actor(Role.COUNTY_OPERATOR, account=handler), actor(Role.COUNTY_OPERATOR, agency=LEAD)):
        with pytest.raises(SelfCheck):
            decide(handled, move, checker, fields_of(move))
        assert Move(move) not in legal_moves(handled, checker)
    assert decide(handled, move, actor(Role.TOWN_OPERATOR), fields_of(move))[1] in (State.CHECKED, State.HANDLING)


def test_after_the_third_return_only_the_county_dispatches() -> None:
    returned = standing(State.REGISTERED, county_decides=True)
    with pytest.raises(NotAllowed):
        decide(returned, "dispatch", actor(Role.TOWN_OPERATOR), {})
    assert decide(returned, "dispatch", actor(Role.COUNTY_OPERATOR), {})[1] is State.DISPATCHED


@given(st.sampled_from(list(State)), st.sampled_from(list(Role)), st.sampled_from(list(Move)), st.booleans())
def test_what_legal_moves_offers_is_what_decide_lets_pass(state: State, role: Role, move: Move, leads: bool) -> None:
    someone, now = actor(role, agency=LEAD if leads else CENTRE), standing(state)
    try:
        _, target = decide(now, move.value, someone, fields_of(move))
    except (IllegalMove, NotAllowed, SelfCheck):
        assert move not in legal_moves(now, someone)
    else:
        assert move in legal_moves(now, someone)
        assert target is TABLE[move].targets[state]


def test_an_open_state_can_always_be_voided() -> None:
    assert all(Move.VOID in moves_from(standing(state)) for state in OPEN)


def test_from_the_county_a_case_goes_down_by_the_countys_hand_alone() -> None:
    above = standing(State.REGISTERED, level=CaseLevel.COUNTY)
    with pytest.raises(NotAllowed):
        decide(above, "hand_down", actor(Role.TOWN_OPERATOR), fields_of("hand_down"))
    assert decide(above, "hand_down", actor(Role.COUNTY_OPERATOR), fields_of("hand_down"))
    assert decide(standing(State.REGISTERED), "hand_down", actor(Role.TOWN_OPERATOR), fields_of("hand_down"))


def test_after_its_window_a_dispatch_is_not_returned_and_the_answer_says_what_is_left() -> None:
    late = standing(State.DISPATCHED, returnable=False)
    with pytest.raises(ReturnWindowOver) as refused:
        decide(late, "return", actor(Role.AGENCY_OFFICER, agency=LEAD), {"reason": "不是我们"})
    assert {"accept", "reassign"} <= set(refused.value.extra["legal_moves"])
