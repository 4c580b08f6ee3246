"""Who is there on a day: absences, substitutes, vacant posts, on PostGIS and against a model that looks day by day."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from backbone import database as databases
from backbone.clock import system_clock
from contracts.grid import errors
from contracts.grid.commands import PutAgency, PutLeave, PutPerson, PutPost
from contracts.refusals import NotAllowed, NotVisible, Refusal
from contracts.scope import Role, Scope
from services.grid import commands, queries
from tests.integration.grid.conftest import Grid, actor
from tests.partitions import collection, partition

SYSTEM = Scope.system("test")
TOWN = "330411/330411101/"
GRID = "330411/330411101/330411101201/330411101201002/"
DAY = date(2026, 5, 1)


def day(n: int) -> date:
    return DAY + timedelta(days=n)


@pytest.fixture(scope="module")
def county(empty_grid: Grid) -> Grid:
    """A county that this module's tests share, each with people of its own."""
    empty_grid.found(collection(partition()))
    return empty_grid


def agency(grid: Grid, area_path: str = "330411/") -> UUID:
    made = uuid4()
    grid.do(commands.put_agency, PutAgency(agency_id=made, code=f"a{made.hex}", name="社区", kind="community",
                                           area_path=area_path))  # fmt: skip
    return made


def person(grid: Grid, of: UUID, name: str = "王芳", **more: Any) -> PutPerson:
    made = PutPerson(person_id=uuid4(), name=name, agency_id=of, duty_phone="0573-110", **more)
    grid.do(commands.put_person, made)
    return made


def post(grid: Grid, holder: PutPerson, **more: Any) -> UUID:
    values = {"kind": "grid_worker", "area_path": GRID, "valid_from": date(2026, 1, 1)} | more
    made = PutPost(post_id=uuid4(), person_id=holder.person_id, agency_id=holder.agency_id, **values)
    grid.do(commands.put_post, made)
    return made.post_id


def leave(holder: PutPerson, first: date = DAY, until: date | None = None, **more: Any) -> PutLeave:
    return PutLeave(leave_id=uuid4(), person_id=holder.person_id, valid_from=first, valid_until=until or first, **more)


def present(grid: Grid, post_id: UUID, on: date, scope: Scope = SYSTEM) -> dict[str, Any]:
    found = grid.list(queries.duty_at, [GRID], on, scope=scope)
    return next(each for each in found if each["post_id"] == str(post_id))


def test_a_substitute_stands_in_on_the_days_of_the_absence_and_on_no_other(county: Grid) -> None:
    of = agency(county)
    holder, other = person(county, of), person(county, of, "陆小川")
    held = post(county, holder)
    asked = leave(holder, day(0), day(2), substitute_id=other.person_id)
    noted = county.do(commands.put_leave, asked)
    assert (noted.version, noted.uncovered) == (1, ())
    assert county.do(commands.put_leave, asked) == noted
    for n, name, holder_of in ((-1, "王芳", None), (0, "陆小川", holder), (2, "陆小川", holder), (3, "王芳", None)):
        shown = present(county, held, day(n))
        assert (shown["person_name"], shown["vacant"]) == (name, False), n
        assert shown["substitute_for"] == (str(holder_of.person_id) if holder_of else None)
        assert shown["duty_phone"] == "0573-110"
    county.do(commands.put_leave, asked.model_copy(update={"active": False}))
    assert present(county, held, DAY)["person_name"] == "王芳"


def test_without_a_substitute_the_post_is_vacant_and_shows_no_phone(county: Grid) -> None:
    of = agency(county)
    holder = person(county, of)
    held = post(county, holder)
    assert county.do(commands.put_leave, leave(holder)).uncovered == (held,)
    shown = present(county, held, DAY)
    assert (shown["vacant"], shown["person_name"], shown["duty_phone"]) == (True, None, None)
    assert (shown["person_id"], shown["substitute_for"]) == (str(holder.person_id), None)
    vacant = county.list(queries.post_list, scope=SYSTEM, on=DAY, vacant=True, person_id=holder.person_id)
    assert [each["post_id"] for each in vacant] == [str(held)]
    assert county.list(queries.post_list, scope=SYSTEM, on=DAY, vacant=False, person_id=holder.person_id) == []
    (plain,) = county.list(queries.post_list, scope=SYSTEM, person_id=holder.person_id)
    assert plain["person_name"] == "王芳"


def test_each_post_may_have_a_substitute_of_its_own(county: Grid) -> None:
    of = agency(county)
    holder, first, second = person(county, of), person(county, of, "甲"), person(county, of, "乙")
    here, there = post(county, holder), post(county, holder, kind="mediator")
    county.do(commands.put_leave, leave(holder, substitute_id=first.person_id, substitutes={there: second.person_id}))
    assert present(county, here, DAY)["person_name"] == "甲"
    assert present(county, there, DAY)["person_name"] == "乙"


def test_whoever_goes_away_while_standing_in_leaves_the_post_vacant_and_is_told(county: Grid) -> None:
    of = agency(county)
    holder, other, third = person(county, of), person(county, of, "甲"), person(county, of, "乙")
    held, own = post(county, holder), post(county, other)
    county.do(commands.put_leave, leave(holder, day(0), day(4), substitute_id=other.person_id))
    noted = county.do(commands.put_leave, leave(other, day(2), day(3), substitute_id=third.person_id))
    assert noted.uncovered == (held,)
    assert present(county, own, day(2))["person_name"] == "乙"
    assert [present(county, held, day(n))["vacant"] for n in range(5)] == [False, False, True, True, False]


def test_a_post_of_somebody_inactive_is_vacant_and_so_is_one_whose_substitute_left(county: Grid) -> None:
    of = agency(county)
    holder, other = person(county, of), person(county, of, "甲")
    held = post(county, holder)
    county.do(commands.put_leave, leave(holder, substitute_id=other.person_id))
    county.do(commands.put_person, other.model_copy(update={"active": False}))
    assert present(county, held, DAY)["vacant"]
    county.do(commands.put_person, holder.model_copy(update={"active": False}))
    assert present(county, held, day(9))["vacant"]


def test_what_cannot_be_is_refused_by_name(county: Grid) -> None:
    of = agency(county)
    holder, other = person(county, of), person(county, of, "甲")
    gone = person(county, of, "丙", active=False)
    held, others = post(county, holder), post(county, other)
    asked = leave(holder, day(0), day(3))
    county.do(commands.put_leave, asked)

    def refused(expected: type[Refusal], field: str, command: PutLeave) -> None:
        with pytest.raises(expected) as refusal:
            county.do(commands.put_leave, command)
        assert refusal.value.field == field

    refused(errors.InvalidPeriod, "valid_until", leave(holder, day(9), day(8)))
    refused(errors.LeaveOverlaps, "valid_from", leave(holder, day(3), day(5)))
    refused(errors.LeaveOverlaps, "valid_from", leave(holder, day(-2), day(0)))
    refused(errors.UnknownPerson, "person_id", leave(holder.model_copy(update={"person_id": uuid4()})))
    refused(errors.UnknownPerson, "substitute_id", leave(holder, day(9), substitute_id=uuid4()))
    refused(errors.SubstituteIsHolder, "substitute_id", leave(holder, day(9), substitute_id=holder.person_id))
    refused(errors.SubstituteInactive, "substitute_id", leave(holder, day(9), substitute_id=gone.person_id))
    refused(errors.SubstituteAbsent, "substitute_id", leave(other, day(3), substitute_id=holder.person_id))
    refused(errors.UnknownPost, f"substitutes.{others}", leave(holder, day(9), substitutes={others: other.person_id}))
    refused(errors.SubstituteIsHolder, f"substitutes.{held}",
            leave(holder, day(9), substitutes={held: holder.person_id}))  # fmt: skip
    refused(errors.LeaveIdReused, "leave_id", asked.model_copy(update={"person_id": other.person_id}))
    assert county.do(commands.put_leave, asked.model_copy(update={"valid_until": day(5)})).version == 2
    county.do(commands.put_leave, asked.model_copy(update={"active": False}))
    county.do(commands.put_leave, leave(holder, day(1), day(2)))


def test_two_absences_noted_at_once_are_told_apart(county: Grid) -> None:
    holder = person(county, agency(county))
    with ThreadPoolExecutor(1) as other:
        with databases.transaction(county.engine) as session:
            commands.put_leave(session, county.admin, leave(holder, day(0), day(3)), clock=system_clock)
            late = other.submit(county.do, commands.put_leave, leave(holder, day(3), day(5)))
            time.sleep(0.3)
            assert not late.done()
        with pytest.raises(errors.LeaveOverlaps):
            late.result()


def test_absences_are_noted_and_seen_where_the_agency_is(county: Grid) -> None:
    of, elsewhere = agency(county, TOWN), agency(county, "330411/330411102/")
    holder, stranger = person(county, of), person(county, elsewhere, "外")
    asked = leave(holder)
    with pytest.raises(NotAllowed):
        county.do(commands.put_leave, asked, actor(Role.GRID_WORKER, areas=(TOWN,)))
    with pytest.raises(NotVisible):
        county.do(commands.put_leave, asked, actor(Role.COUNTY_OPERATOR, areas=("330411/330411102/",)))
    operator = actor(Role.COUNTY_OPERATOR, areas=(TOWN,))
    with pytest.raises(errors.UnknownPerson):
        county.do(commands.put_leave, asked.model_copy(update={"substitute_id": stranger.person_id}), operator)
    county.do(commands.put_leave, asked, operator)
    mine = {"person_id": holder.person_id}
    assert len(county.list(queries.leave_list, scope=Scope(areas=(TOWN,)), on=DAY, **mine)) == 1
    assert len(county.list(queries.leave_list, scope=Scope(areas=(), agency_id=of), **mine)) == 1
    assert county.list(queries.leave_list, scope=Scope(areas=(), agency_id=elsewhere), **mine) == []
    assert county.list(queries.leave_list, scope=Scope(areas=("330411/330411102/",)), **mine) == []
    assert county.list(queries.leave_list, scope=SYSTEM, on=day(1), **mine) == []
    assert len(county.list(queries.staff_list, of, DAY, scope=Scope(areas=(), agency_id=of))) == 1
    assert county.list(queries.staff_list, of, DAY, scope=Scope(areas=(), agency_id=elsewhere)) == []


def test_certificates_are_kept_until_they_are_put_anew_and_flagged_when_they_expire(county: Grid) -> None:
    of = agency(county)
    held = ({"code": "mediation", "valid_until": DAY}, {"code": "first_aid"})
    holder = person(county, of, certificates=held)
    again = county.do(commands.put_person, holder.model_copy(update={"certificates": None}))
    assert (again.version, len(again.certificates)) == (1, 2)

    def shown(today: date) -> dict[str, bool]:
        found = county.read(queries.staff_list, of, today, scope=SYSTEM)["certificates"]
        return {each["code"]: each["expired"] for each in found}

    assert shown(DAY) == {"first_aid": False, "mediation": False}
    assert shown(day(1)) == {"first_aid": False, "mediation": True}
    expired = {each["person_id"] for each in county.list(queries.staff_list, of, day(1), scope=SYSTEM, expired=True)}
    assert expired == {str(holder.person_id)}
    assert county.list(queries.staff_list, of, DAY, scope=SYSTEM, expired=True) == []
    emptied = county.do(commands.put_person, holder.model_copy(update={"certificates": ()}))
    assert (emptied.version, emptied.certificates) == (2, ())


def test_duty_of_a_day_is_found_by_index(county: Grid) -> None:
    query = queries.duty_at(SYSTEM, [GRID], DAY)
    with databases.transaction(county.engine) as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        built = query.build().compile(session)
        plan = "\n".join(session.exec_driver_sql(f"EXPLAIN {built}", built.params | query.parameters).scalars())
    assert "posts_area" in plan
    assert "leaves_person" in plan


def test_an_absence_is_forgotten_two_years_after_its_last_day(county: Grid) -> None:
    of = agency(county)
    holder = person(county, of)
    county.do(commands.put_leave, leave(holder, date(2020, 1, 1), date(2020, 1, 31)))
    county.do(commands.put_leave, leave(holder, date(2020, 2, 1), date(2020, 2, 1)))
    (rule,) = commands.KEPT

    def left(now: datetime) -> int:
        with databases.transaction(county.engine) as session:
            rule.remove(session, now - rule.keep, 100)
        return len(county.list(queries.leave_list, scope=SYSTEM, person_id=holder.person_id))

    ends = datetime(2020, 1, 31, tzinfo=UTC) + rule.keep
    assert [left(ends), left(ends + timedelta(days=1)), left(ends + timedelta(days=2))] == [2, 1, 0]
    with databases.transaction(county.engine) as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(session.execute(text(f"EXPLAIN {rule.remove.old}"), {"before": ends, "most": 5}).scalars())
    assert "leaves_until" in plan


# -- against a model ---------------------------------------------------------------------------------

PEOPLE, DAYS = 4, 6


@dataclass
class Model:
    """Every absence that was taken, as (person, first, until, substitute, per post); looked at day by day."""

    taken: list[tuple[int, int, int, int | None, dict[int, int]]] = field(default_factory=list)

    def away(self, who: int, on: int) -> tuple[int, int, int, int | None, dict[int, int]] | None:
        return next((each for each in self.taken if each[0] == who and each[1] <= on <= each[2]), None)

    def refuses(self, who: int, first: int, until: int, named: list[int]) -> bool:
        days = range(first, until + 1)
        return (
            until < first
            or any(self.away(who, on) for on in days)
            or who in named
            or any(self.away(other, on) for other in named for on in days)
        )

    def present(self, holder: int, on: int) -> int | None:
        """Everybody holds one post, of the same number."""
        absence = self.away(holder, on)
        if absence is None:
            return holder
        other = absence[4].get(holder, absence[3])
        return None if other is None or self.away(other, on) else other


ABSENCES = st.lists(
    st.tuples(
        st.integers(0, PEOPLE - 1),
        st.integers(0, DAYS - 1),
        st.integers(0, DAYS - 1),
        st.none() | st.integers(0, PEOPLE - 1),
        st.none() | st.integers(0, PEOPLE - 1),
    ),
    max_size=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ABSENCES)
def test_absences_in_any_order_give_what_a_model_gives_day_by_day(county: Grid, absences: list[Any]) -> None:
    of, model = agency(county), Model()
    people = [person(county, of, f"员{n}") for n in range(PEOPLE)]
    posts = [post(county, each) for each in people]
    for who, first, until, general, single in absences:
        own = {} if single is None else {who: single}
        named = [each for each in (general, single) if each is not None]
        asked = leave(
            people[who],
            day(first),
            day(until),
            substitute_id=None if general is None else people[general].person_id,
            substitutes={posts[n]: people[other].person_id for n, other in own.items()},
        )
        if model.refuses(who, first, until, named):
            with pytest.raises(Refusal):
                county.do(commands.put_leave, asked)
            continue
        noted = county.do(commands.put_leave, asked)
        before = {(n, on) for n in range(PEOPLE) for on in range(first, until + 1) if model.present(n, on) is None}
        model.taken.append((who, first, until, general, own))
        after = {(n, on) for n in range(PEOPLE) for on in range(first, until + 1) if model.present(n, on) is None}
        assert set(noted.uncovered) == {posts[n] for n, _ in after - before}
    for on in range(DAYS):
        shown = {each["post_id"]: each for each in county.list(queries.duty_at, [GRID], day(on), scope=SYSTEM)}
        for n in range(PEOPLE):
            each, there = shown[str(posts[n])], model.present(n, on)
            assert each["vacant"] is (there is None), (n, on)
            assert each["person_name"] == (None if there is None else f"员{there}"), (n, on)
            assert each["substitute_for"] == (None if there in (None, n) else str(people[n].person_id))
