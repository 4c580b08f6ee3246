"""What an answer means, and when to try again.

The schedule runs over two days, as Standard Webhooks advises; jitter keeps a recovered receiver from being
met by everything at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

SCHEDULE_S: tuple[float, ...] = (5, 30, 120, 600, 3600, 10_800, 28_800, 86_400)
JITTER = 0.2
LONGEST_RETRY_AFTER = timedelta(hours=24)

FAILURES_BEFORE_REST = 5
LONGEST_REST_S = 300.0


class Outcome(StrEnum):
    """What became of one attempt."""

    DELIVERED = "delivered"
    RETRY = "retry"
    EXHAUSTED = "exhausted"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`wait` until the next attempt of this delivery; `rest` for the whole endpoint, where it asked for one."""

    outcome: Outcome
    wait: timedelta | None = None
    rest: timedelta | None = None


def judge(
    status: int | None,
    retry_after: str | None,
    *,
    attempts: int,
    now: datetime,
    random: Callable[[], float],
    schedule_s: tuple[float, ...] = SCHEDULE_S,
) -> Verdict:
    """Judge the answer to attempt number `attempts` (from 1); `status` None means no answer came.

    2xx is delivered, 410 ends the subscription; everything else, redirects included, is a failure.
    429 and 503 may name a time before which the whole endpoint is left alone.
    """
    if status is not None and 200 <= status < 300:
        return Verdict(Outcome.DELIVERED)
    if status == 410:
        return Verdict(Outcome.GONE)
    wait = delay(attempts, random, schedule_s)
    if wait is None:
        return Verdict(Outcome.EXHAUSTED)
    asked = parse_retry_after(retry_after, now) if status in (429, 503) else None
    return Verdict(Outcome.RETRY, max(wait, asked) if asked is not None else wait, asked)


def delay(attempts: int, random: Callable[[], float], schedule_s: tuple[float, ...] = SCHEDULE_S) -> timedelta | None:
    """The wait after attempt number `attempts` (from 1), plus or minus a fifth; None when that was the last."""
    if attempts > len(schedule_s):
        return None
    return timedelta(seconds=schedule_s[attempts - 1] * (1 + JITTER * (2 * random() - 1)))


def parse_retry_after(value: str | None, now: datetime) -> timedelta | None:
    """RFC 9110 section 10.2.3: seconds or a date; at most a day. None when absent, past or not understood."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        # A number of thousands of digits is a wait of a day too, not an error.
        seconds = int(value) if len(value) < 8 else 10**7
        return min(timedelta(seconds=seconds), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    wait = moment - now
    return min(wait, LONGEST_RETRY_AFTER) if wait > timedelta(0) else None


def rest(failures: int) -> timedelta | None:
    """How long an endpoint with this many failures in a row is left alone altogether; None below five.

    A dead endpoint with a long queue would otherwise be tried once for each event in it.
    """
    if failures < FAILURES_BEFORE_REST:
        return None
    return timedelta(seconds=min(LONGEST_REST_S, 5.0 * 2 ** min(failures - FAILURES_BEFORE_REST, 10)))
