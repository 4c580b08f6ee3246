"""The life of a shift: the table of moves and the clock's end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts.patrol.events import ShiftStatus
from services.patrol.domain.shifts import (
    GRACE,
    MOVES,
    IllegalMove,
    Move,
    PlannedTimeOver,
    Status,
    Times,
    legal_moves,
    moved,
    plannable,
)

FROM = datetime(2026, 5, 1, 8, tzinfo=UTC)
UNTIL = FROM + timedelta(hours=4)
PLANNED = Times(Status.PLANNED, FROM, UNTIL)


def test_domain_and_contract_use_the_same_words() -> None:
    assert [each.value for each in Status] == [each.value for each in ShiftStatus]


def test_a_shift_starts_and_ends_when_somebody_says_so() -> None:
    started = moved(PLANNED, Move.START, FROM)
    ended = moved(started, Move.END, UNTIL)
    assert (ended.status, ended.started_at, ended.ended_at) == (Status.ENDED, FROM, UNTIL)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("move", Move)
def test_what_is_not_in_the_table_is_illegal_and_names_what_is_legal(status: Status, move: Move) -> None:
    shift = replace(PLANNED, status=status)
    if (status, move) in MOVES:
        assert moved(shift, move, FROM).status is MOVES[status, move]
    else:
        with pytest.raises(IllegalMove) as refused:
            moved(shift, move, FROM)
        assert refused.value.legal == legal_moves(status)


def test_an_end_pressed_too_late_counts_from_when_the_clock_would_have_ended_it() -> None:
    started = moved(PLANNED, Move.START, FROM)
    assert moved(started, Move.END, UNTIL + timedelta(hours=3)).ended_at == UNTIL + GRACE


def test_a_shift_whose_time_is_over_does_not_start() -> None:
    with pytest.raises(PlannedTimeOver):
        moved(PLANNED, Move.START, UNTIL + GRACE + timedelta(seconds=1))


def test_a_plan_is_longer_than_nothing_and_no_longer_than_a_day() -> None:
    assert plannable(FROM, FROM + timedelta(hours=24))
    assert not plannable(FROM, FROM)
    assert not plannable(FROM, FROM - timedelta(hours=1))
    assert not plannable(FROM, FROM + timedelta(hours=24, seconds=1))
