"""What an answer means, when to try again, cursors and the moves of a subscription."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.notify.errors import IllegalSubscriptionMove, InvalidCursor
from services.notify.domain.attempts import LONGEST_RETRY_AFTER, SCHEDULE_S, Outcome, judge, parse_retry_after, rest
from services.notify.domain.cursors import decode_cursor, encode_cursor
from services.notify.domain.subscription import MOVES, Status, after, legal_moves

NOW = datetime(2025, 1, 1, 12, tzinfo=UTC)


def _judge(status: int | None, retry_after: str | None = None, attempts: int = 1, random: float = 0.5):  # type: ignore[no-untyped-def]
    return judge(status, retry_after, attempts=attempts, now=NOW, random=lambda: random)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_success_is_2xx_alone(status: int) -> None:
    assert _judge(status).outcome is Outcome.DELIVERED


@pytest.mark.parametrize("status", [None, 100, 301, 302, 307, 308, 400, 401, 404, 408, 429, 500, 502, 503])
def test_everything_else_is_tried_again_redirects_too(status: int | None) -> None:
    verdict = _judge(status)
    assert (verdict.outcome, verdict.wait) == (Outcome.RETRY, timedelta(seconds=5))


def test_410_ends_it() -> None:
    assert _judge(410).outcome is Outcome.GONE


def test_the_schedule_runs_over_days_and_ends() -> None:
    waits = [_judge(500, attempts=n).wait for n in range(1, len(SCHEDULE_S) + 1)]
    assert waits == [timedelta(seconds=seconds) for seconds in SCHEDULE_S]
    assert timedelta(days=1) < sum(waits, timedelta()) < timedelta(days=3)
    assert _judge(500, attempts=len(SCHEDULE_S) + 1).outcome is Outcome.EXHAUSTED


@given(st.floats(0, 1), st.integers(1, len(SCHEDULE_S)))
def test_jitter_is_a_fifth(random: float, attempts: int) -> None:
    wait = _judge(500, attempts=attempts, random=random).wait
    assert 0.8 * SCHEDULE_S[attempts - 1] <= wait.total_seconds() <= 1.2 * SCHEDULE_S[attempts - 1]


@pytest.mark.parametrize("status", [429, 503])
def test_429_and_503_may_name_a_time_for_the_whole_endpoint(status: int) -> None:
    verdict = _judge(status, "120")
    assert (verdict.wait, verdict.rest) == (timedelta(seconds=120), timedelta(seconds=120))
    assert _judge(status, "1").wait == timedelta(seconds=5), "never sooner than the schedule"
    assert _judge(500, "120").rest is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("0", timedelta(0)),
        (" 90 ", timedelta(seconds=90)),
        ("9" * 5000, LONGEST_RETRY_AFTER),
        (format_datetime(NOW + timedelta(seconds=30), usegmt=True), timedelta(seconds=30)),
        (format_datetime(NOW - timedelta(seconds=30), usegmt=True), None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_RETRY_AFTER),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
    ],
)
def test_retry_after_is_read_as_rfc_9110_has_it(value: str | None, expected: timedelta | None) -> None:
    assert parse_retry_after(value, NOW) == expected


def test_an_endpoint_that_keeps_failing_rests_longer_and_longer() -> None:
    assert [rest(n) for n in (0, 1, 4)] == [None] * 3
    rests = [rest(n) for n in range(5, 40)]
    assert rests[0] == timedelta(seconds=5)
    assert rests == sorted(rests)  # type: ignore[type-var]
    assert rests[-1] == rest(10**9) == timedelta(minutes=5)


@given(st.integers(0, 2**63 - 1))
def test_a_cursor_comes_back_as_it_went(seq: int) -> None:
    word = encode_cursor(seq)
    assert decode_cursor(word) == seq
    assert word.isascii()
    assert set(word) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(st.text(max_size=40))
def test_a_word_that_is_no_cursor_is_refused_and_nothing_else_happens(word: str) -> None:
    try:
        seq = decode_cursor(word)
    except InvalidCursor:
        return
    assert encode_cursor(seq) == word


def test_no_cursor_is_the_start() -> None:
    assert decode_cursor(None) == 0
    with pytest.raises(InvalidCursor):
        decode_cursor(encode_cursor(7)[:-1] + "A")
    with pytest.raises(ValueError, match="out of range"):
        encode_cursor(-1)


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("move", list(MOVES))
def test_every_move_is_legal_exactly_where_the_table_says(status: Status, move: str) -> None:
    if move in legal_moves(status):
        assert after(move, status) in Status
    else:
        with pytest.raises(IllegalSubscriptionMove):
            after(move, status)
    assert legal_moves(Status.DELETED) == []
