"""The pipeline's steps: what is stored depends on the fixes, not on how they came."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from contracts.patrol.positions import BatchHeaders, Fixes
from geo.cells import Cells
from geo.coordinates import from_wgs84
from services.patrol.ingest.pipeline import STEPS, Batch, Known, Work, distance_m, joined, run
from services.patrol.ingest.places import Places
from services.patrol.ingest.roster import Intervals, Roster

AGENCY, OTHER = UUID(int=1), UUID(int=2)
UNITS = [UUID(int=100 + n) for n in range(3)]
STRANGER = UUID(int=999)
SHIFTS = [UUID(int=200 + n) for n in range(3)]
SECOND = 1_000_000
START, END = 1_000 * SECOND, 2_000 * SECOND

Fix = tuple[UUID, int, float, float]


def roster() -> Roster:
    made = Roster()
    made._take_units({"id": unit, "agency_id": AGENCY, "area_path": "330499/330499101/"} for unit in UNITS)
    made.hot = Intervals.of((n, START, END, shift.bytes) for n, shift in enumerate(SHIFTS))
    return made


def places() -> Places:
    cells = Cells(1, ["330499/1/", "330499/2/"], [shapely.box(120, 30, 121, 31), shapely.box(121, 30, 122, 31)])
    return Places(cells, np.array([11, 12, 99], np.int32))


def known(of: Roster) -> Known:
    return Known(of, of.hot, Intervals.of(()), 0, places())


def batch(fixes: Sequence[Fix], number: int = 0, **headers: Any) -> Batch:
    units = list(dict.fromkeys(unit for unit, *_ in fixes))
    nan = np.full(len(fixes), np.nan, np.float32)
    wanted = {"agency_id": AGENCY, "crs": "wgs84", **headers}
    return Batch(
        BatchHeaders(
            batch_id=UUID(int=number), account_id=UUID(int=5), received_at=datetime(2026, 5, 1, tzinfo=UTC), **wanted
        ),
        Fixes(
            tuple(unit.bytes for unit in units),
            np.array([units.index(unit) for unit, *_ in fixes], np.uint32),
            np.array([at for _, at, _, _ in fixes], np.int64),
            np.array([lon for _, _, lon, _ in fixes], np.float64),
            np.array([lat for _, _, _, lat in fixes], np.float64),
            np.zeros(len(fixes), np.float32),
            nan,
            nan,
        ),
    )


def ran(*batches: Batch, of: Roster | None = None) -> Work:
    of = of or roster()
    return run(joined(batches, of), known(of))


def rows(work: Work) -> list[tuple[Any, ...]]:
    names = ("unit_id", "device_at", "shift_id", "lon", "lat", "area_id", "hex")
    return list(zip(*(work[name].tolist() for name in names), strict=True))


def test_the_steps_stand_in_one_list_in_their_order() -> None:
    assert [step.__name__ for step in STEPS] == [
        "of_known_units",
        "on_duty",
        "once_each",
        "in_wgs84",
        "speed_noticed",
        "in_area",
        "in_hex",
        "named",
    ]


def test_a_fix_on_duty_gets_shift_area_and_hex() -> None:
    work = ran(batch([(UNITS[1], START, 121.5, 30.5)]))
    unit, at, shift, lon, lat, area, cell = rows(work)[0]
    assert (UUID(bytes=unit), UUID(bytes=shift), at, lon, lat, area) == (UNITS[1], SHIFTS[1], START, 121.5, 30.5, 12)
    assert cell > 0
    assert work.counts["received"].tolist() == [1]


def test_a_fix_outside_every_area_gets_the_countys() -> None:
    assert ran(batch([(UNITS[0], START, 100.0, 30.5)]))["area_id"].tolist() == [99]


@pytest.mark.parametrize(
    ("fix", "reason"),
    [
        ((STRANGER, START, 120.5, 30.5), "unknown_unit"),
        ((UNITS[0], START - 1, 120.5, 30.5), "off_duty"),
        ((UNITS[0], END + 1, 120.5, 30.5), "off_duty"),
    ],
)
def test_what_may_not_be_stored_is_dropped_and_counted_by_its_batch(fix: Fix, reason: str) -> None:
    work = ran(batch([(UNITS[0], START, 120.5, 30.5)], 1), batch([fix], 2))
    assert len(work) == 1
    assert work.counts[reason].tolist() == [0, 1]


def test_units_of_another_agency_are_unknown_unless_they_lie_in_the_senders_areas() -> None:
    fix = (UNITS[0], START, 120.5, 30.5)
    assert ran(batch([fix], agency_id=OTHER)).counts["unknown_unit"].tolist() == [1]
    assert len(ran(batch([fix], agency_id=OTHER, areas=("330499/330499101/",)))) == 1
    assert len(ran(batch([fix], agency_id=OTHER, areas=("330499/330499102/",)))) == 0


def test_a_fix_in_gcj02_is_stored_in_wgs84_beside_one_that_was_wgs84() -> None:
    lon, lat = from_wgs84(120.5, 30.5, "gcj02")
    work = ran(batch([(UNITS[0], START, 120.5, 30.5)], 1), batch([(UNITS[1], START, lon, lat)], 2, crs="gcj02"))
    assert work["lon"].tolist() == pytest.approx([120.5, 120.5], abs=1e-7)
    assert work["lat"].tolist() == pytest.approx([30.5, 30.5], abs=1e-7)


def test_an_implausible_speed_is_counted_and_stored() -> None:
    work = ran(batch([(UNITS[0], START, 120.5, 30.5), (UNITS[0], START + SECOND, 120.6, 30.5)]))
    assert (len(work), work.counts["implausible"].tolist()) == (2, [1])


def test_speed_is_also_judged_from_the_newest_fix_of_an_earlier_transaction() -> None:
    of = roster()
    one = np.array([0]), np.array([START]), np.array([120.5]), np.array([30.5])
    of.remember(*one)
    assert ran(batch([(UNITS[0], START + SECOND, 120.6, 30.5)]), of=of).counts["implausible"].tolist() == [1]


def test_a_batch_of_nothing_is_no_trouble() -> None:
    work = ran(batch([]), batch([(STRANGER, START, 1.0, 1.0)]))
    assert (len(work), work.counts["received"].tolist()) == (0, [0, 1])


def test_a_degree_of_latitude_is_111_km() -> None:
    assert distance_m(120.0, 30.0, 120.0, 31.0) == pytest.approx(111_195, abs=5)


fixes = st.lists(
    st.tuples(
        st.sampled_from([*UNITS, STRANGER]),
        st.integers(995, 2005).map(lambda second: second * SECOND),
        st.floats(119.9, 122.1),
        st.floats(29.9, 31.1),
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda fix: fix[:2],
)


@given(fixes, st.randoms(use_true_random=False), st.integers(1, 5))
def test_shuffled_repeated_and_rebatched_fixes_give_the_same_rows(
    given_fixes: list[Fix], random: Any, parts: int
) -> None:
    in_order = ran(batch(sorted(given_fixes, key=lambda fix: (fix[0].int, fix[1]))))
    mixed = given_fixes + random.choices(given_fixes, k=len(given_fixes))
    random.shuffle(mixed)
    of = roster()
    other = ran(*(batch(mixed[n::parts], n) for n in range(parts)), of=of)
    assert rows(other) == rows(in_order)
    lost = sum(int(other.counts[reason].sum()) for reason in ("unknown_unit", "off_duty", "duplicate"))
    assert len(other) + lost == len(mixed)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 90), st.integers(0, 9)), max_size=12),
    st.lists(st.tuples(st.integers(0, 4), st.integers(-5, 110)), min_size=1, max_size=30),
)
def test_an_interval_is_found_as_by_looking_at_each(spans: list[tuple[int, int, int]], sought: Any) -> None:
    apart: list[tuple[int, int, int, bytes]] = []
    for unit, start, length in sorted(spans):
        if all(unit != other or start > end for other, _, end, _ in apart):
            apart.append((unit, start, start + length, bytes([len(apart)]) * 16))
    intervals = Intervals.of(apart)
    found = intervals.find(np.array([unit for unit, _ in sought]), np.array([at for _, at in sought]))
    for (unit, at), index in zip(sought, found.tolist(), strict=True):
        holding = [each for each in apart if each[0] == unit and each[1] <= at <= each[2]]
        assert ([intervals.shift[index].tobytes()] if index >= 0 else []) == [each[3] for each in holding]


def test_a_newest_fix_never_goes_back() -> None:
    of = roster()
    one = np.array([0])
    of.remember(one, np.array([5]), np.array([1.0]), np.array([1.0]))
    of.remember(one, np.array([4]), np.array([2.0]), np.array([2.0]))
    assert (of.newest_at[0], of.newest_lon[0]) == (5, 1.0)


def test_time_spans_beyond_the_search_key_find_nothing() -> None:
    of = roster()
    far = np.array([START + int(timedelta(days=400).total_seconds()) * SECOND, 0])
    assert of.hot.find(np.array([0, 1]), far).tolist() == [-1, -1]
