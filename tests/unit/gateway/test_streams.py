"""The shared journal reader and its listeners, on a journal in memory."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from contracts.scope import Scope
from gateway import sse, streams
from gateway.streams import Entry, EventStream, JournalTail, Standing, Wish
from services.notify import queries

WEST, EAST = "330499/330499101/", "330499/330499102/"


class Journal:
    """Stands for `Reads` on notify: answers head and journal_page."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def add(self, area: str = WEST, type_: str = "closed", **more: Any) -> None:
        seq = len(self.entries) + 1
        self.entries.append(
            {
                "cursor_1": seq,
                "type": f"county.hazards.case.{type_}.v1",
                "routing_key": f"hazards.case.{type_}",
                "area_path": area,
                "category": None,
                "sensitivity": 1,
                "agencies": [],
                "entity_id": UUID(int=1000 + seq),
                "version": 1,
                "body": f'{{"n":{seq}}}',
            }
            | more
        )

    def _with_now(self, row: dict[str, Any]) -> dict[str, Any]:
        of_entity = (each for each in self.entries if each["entity_id"] == row["entity_id"])
        now = max(of_entity, key=lambda each: (each["version"], each["cursor_1"]))
        names = ("version", "area_path", "category", "sensitivity", "agencies")
        return row | {f"now_{name}": now[name] for name in names} | {"now_seq": now["cursor_1"]}

    async def rows(self, service: str, query: Any) -> list[Any]:
        if query.key[0] == "notify.head":
            return [{"seq": len(self.entries)}]
        wanted = query.parameters
        found = [self._with_now(row) for row in self.entries if wanted["after"] < row["cursor_1"] <= wanted["upto"]]
        return found[: wanted["limit"]]


class Listener:
    """An ASGI peer; `slow` never takes more than the head."""

    def __init__(self, tail: JournalTail, journal: Journal, scope: Scope | None, **more: Any) -> None:
        self.scope = scope
        self.text = ""
        self.slow = more.pop("slow", False)
        wish = more.pop("wish", Wish())
        self.stream = EventStream(tail, journal, self._scope_now, wish, more.pop("after", None))  # type: ignore[arg-type]
        self.task = asyncio.ensure_future(self.stream({"type": "http"}, self._receive, self._send))

    async def _scope_now(self) -> Scope | None:
        return self.scope

    async def _receive(self) -> Any:
        await asyncio.Event().wait()

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            if self.slow and self.text:
                await asyncio.Event().wait()
            self.text += message["body"].decode()

    def numbers(self) -> list[int]:
        return [int(line.split(":")[2].rstrip("}")) for line in self.text.splitlines() if line.startswith("data:")]


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def tail(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> JournalTail:
    monkeypatch.setattr(streams, "RIGHTS_S", 0.05)
    return JournalTail(journal)  # type: ignore[arg-type]


async def settle() -> None:
    await asyncio.sleep(0.15)
    for _ in range(20):  # on a busy machine the time may be over before anything ran
        await asyncio.sleep(0)


ALL = Scope(areas=("330499/",))


async def test_listeners_hear_what_comes_in_order_and_only_what_they_may(journal: Journal, tail: JournalTail) -> None:
    await tail.poll()
    both, west = Listener(tail, journal, ALL), Listener(tail, journal, Scope(areas=(WEST,)))
    await settle()
    journal.add(WEST)
    journal.add(EAST)
    journal.add(WEST, sensitivity=3)
    await tail.poll()
    await settle()
    assert both.numbers() == [1, 2]
    assert west.numbers() == [1]
    for listener in (both, west):
        listener.task.cancel()


async def test_my_agencys_cases_are_heard_wherever_they_lie(journal: Journal, tail: JournalTail) -> None:
    await tail.poll()
    mine = Listener(tail, journal, Scope(areas=(), agency_id=UUID(int=5)))
    await settle()
    journal.add(EAST, sensitivity=3, agencies=[UUID(int=5)])
    journal.add(EAST, agencies=[UUID(int=6)])
    await tail.poll()
    await settle()
    assert mine.numbers() == [1]
    mine.task.cancel()


CASE = UUID(int=7)


async def test_an_event_is_told_only_while_its_case_may_be_seen_as_it_is_now(
    journal: Journal, tail: JournalTail
) -> None:
    await tail.poll()
    journal.add(entity_id=CASE, version=1)
    journal.add()
    await tail.poll()
    journal.add(entity_id=CASE, version=2, sensitivity=3)  # after both lie in memory
    await tail.poll()
    late = Listener(tail, journal, ALL, after=0)
    await settle()
    assert late.numbers() == [2], "neither what was open once nor what is confidential now"
    late.task.cancel()


async def test_a_case_that_moved_out_of_sight_is_told_of_no_more_even_out_of_order(
    journal: Journal, tail: JournalTail
) -> None:
    await tail.poll()
    journal.add(EAST, entity_id=CASE, version=5)
    journal.add(WEST, entity_id=CASE, version=4)  # came late: the case lies in the east by now
    await tail.poll()
    west = Listener(tail, journal, Scope(areas=(WEST,)), after=0)
    await settle()
    assert west.numbers() == []
    west.task.cancel()


async def test_what_was_told_above_ones_rights_stays_unheard_when_its_case_is_lowered(
    journal: Journal, tail: JournalTail
) -> None:
    await tail.poll()
    journal.add(entity_id=CASE, version=1, sensitivity=3)
    journal.add(entity_id=CASE, version=2)
    await tail.poll()
    listener = Listener(tail, journal, ALL, after=0)
    await settle()
    assert listener.numbers() == [2]
    listener.task.cancel()


async def test_what_is_known_of_entities_goes_with_their_last_event(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "RING", 3)
    tail = JournalTail(journal)  # type: ignore[arg-type]
    await tail.poll()
    for version in range(1, 10):
        journal.add(entity_id=CASE, version=version)
        journal.add()
    await tail.poll()
    assert len(tail._newest) == len(tail._ring) == 3


async def test_rights_narrowed_while_one_listens_bind_the_very_next_event(journal: Journal, tail: JournalTail) -> None:
    await tail.poll()
    listener = Listener(tail, journal, ALL)
    await settle()
    listener.scope = Scope(areas=(WEST,))
    journal.add(EAST)
    journal.add(WEST)
    await tail.poll()
    await settle()
    assert listener.numbers() == [2]
    listener.task.cancel()


async def test_who_comes_back_from_before_the_ring_reads_the_journal(journal: Journal, tail: JournalTail) -> None:
    for _ in range(5):
        journal.add()
    await tail.poll()  # the reader starts at 5: nothing older is in memory
    back = Listener(tail, journal, ALL, after=2)
    journal.add()
    await tail.poll()
    await settle()
    assert back.numbers() == [3, 4, 5, 6]
    back.task.cancel()


async def test_the_ring_forgets_the_oldest_and_says_so(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "RING", 3)
    tail = JournalTail(journal)  # type: ignore[arg-type]
    await tail.poll()
    for _ in range(5):
        journal.add()
    await tail.poll()
    assert tail.since(0) is None
    assert [entry.seq for entry in tail.since(2) or []] == [3, 4, 5]


async def test_a_wish_narrows_by_type_and_area(journal: Journal, tail: JournalTail) -> None:
    await tail.poll()
    picky = Listener(tail, journal, ALL, wish=Wish(types=("hazards.case.closed",), area_path=EAST))
    await settle()
    journal.add(WEST)
    journal.add(EAST, type_="reported")
    journal.add(EAST)
    await tail.poll()
    await settle()
    assert picky.numbers() == [3]
    picky.task.cancel()


async def test_a_listener_whose_session_ends_is_let_go(journal: Journal, tail: JournalTail) -> None:
    await tail.poll()
    listener = Listener(tail, journal, ALL)
    await settle()
    listener.scope = None
    await asyncio.wait_for(listener.task, 1)
    journal.add()
    assert listener.numbers() == []


async def test_a_listener_that_takes_nothing_is_dropped_and_costs_the_others_nothing(
    journal: Journal, tail: JournalTail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "SEND_S", 0.1)
    await tail.poll()
    slow, quick = Listener(tail, journal, ALL, slow=True), Listener(tail, journal, ALL)
    await settle()
    for _ in range(10):
        journal.add()
    await tail.poll()
    await asyncio.wait_for(slow.task, 1)
    await settle()
    assert quick.numbers() == list(range(1, 11))
    quick.task.cancel()


async def test_nobody_misses_anything_while_many_write(journal: Journal, tail: JournalTail) -> None:
    await tail.poll()
    listeners = [Listener(tail, journal, ALL) for _ in range(20)]
    await settle()
    for _ in range(50):
        for _ in range(7):
            journal.add()
        await tail.poll()
        await asyncio.sleep(0)
    await settle()
    await settle()
    for listener in listeners:
        assert listener.numbers() == list(range(1, 351))
        listener.task.cancel()


async def test_a_listener_knows_its_place_before_it_hears_anything(journal: Journal, tail: JournalTail) -> None:
    journal.add()
    await tail.poll()
    listener = Listener(tail, journal, ALL)
    await settle()
    assert f"id: {queries.encode_cursor(1)}\n\n" in listener.text
    assert listener.numbers() == []
    listener.task.cancel()


def test_an_entry_is_one_line_of_data() -> None:
    told = Standing(WEST, None, 1, ())
    entry = Entry(1, "county.hazards.case.closed.v1", "hazards.case.closed", UUID(int=1), told, '{"a":1}')
    text = streams._lines(entry)
    assert text.count("\ndata: ") == 1
    assert text.endswith("}\n\n")
