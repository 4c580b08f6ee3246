"""The chain of digests: nothing that was written can be edited unseen, and a lawful erasure leaves it whole."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
import rfc8785
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backbone.database import from_json, to_json
from services.hazards import chain

CASE = UUID("0192f0c1-2b7a-7c3e-9f00-5d1a4e6b7c80")
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**18), 10**18)
objects = st.dictionaries(st.sampled_from(["lon", "level", "answers"]), texts | numbers | st.booleans() | st.none())
rows = st.fixed_dictionaries(
    {
        "at": st.datetimes(min_value=datetime(2020, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),  # noqa: DTZ001
        "account_id": st.none() | st.uuids(),
        "agency_id": st.none() | st.uuids(),
        "roles": st.lists(st.sampled_from(["grid_worker", "town_operator"]), max_size=2),
        "move": st.sampled_from(["verify", "relocate"]),
        "from_state": st.none() | st.just("reported"),
        "to_state": st.just("verified"),
        "reason": st.none() | texts,
        "note": st.none() | texts,
        "before": st.none() | objects,
        "after": st.none() | objects,
    }
)


anything = st.recursive(
    st.none() | st.booleans() | texts | numbers | st.integers(-(2**53) + 1, 2**53 - 1),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(texts | st.sampled_from("abc"), inside, max_size=3),
    max_leaves=12,
)


@given(anything)
def test_the_fast_form_is_that_of_rfc_8785(value: Any) -> None:
    value = chain._doubles(value)
    assert chain.canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("text", ['\x7f\x1f\b\f\n\r\t"\\/', "\u2028\ue000\U0001f600", "灭火器"])
def test_signs_are_written_as_rfc_8785_writes_them(text: str) -> None:
    assert chain.canonical([text, {text: text}]) == rfc8785.dumps([text, {text: text}])


def exported(written: list[dict[str, Any]], begin: int = 1) -> dict[str, Any]:
    """A history as PostgreSQL gives it back; rows before `begin` are of the time before the chain."""
    head, found = None, []
    for seq, values in enumerate(written, 1):
        row: dict[str, Any] = {"case_id": CASE, "seq": seq, **values}
        if seq >= begin:
            row |= chain.seal(row, head or chain.genesis(CASE, seq))
            head = row["digest"]
        else:
            row |= dict.fromkeys(("algorithm", "previous", "digest", "digests", "salts"))
        found.append(row | {"at": f"{row['at']:%Y-%m-%dT%H:%M:%S.%f}Z"})
    return from_json(
        to_json(
            {
                "case_id": CASE,
                "version": len(found),
                "state": found[-1]["to_state"],
                "head": head,
                "chained_from": begin if head else None,
                "erasures": [],
                "rows": found,
            }
        )
    )


histories = st.lists(rows, min_size=1, max_size=5).map(exported)


@given(st.lists(rows, min_size=1, max_size=4), st.integers(1, 5))
def test_what_was_written_is_found_whole_wherever_the_chain_begins(written: list[dict[str, Any]], begin: int) -> None:
    assert chain.faults(exported(written, begin)) == []


EDITS: dict[str, Callable[[dict[str, Any], int, Any], None]] = {
    "a field": lambda history, n, draw: _set(history["rows"][n], draw(st.sampled_from(chain.FIELDS)), draw(texts)),
    "a field away": lambda history, n, draw: _set(history["rows"][n], draw(st.sampled_from(chain.FIELDS)), None),
    "a salt": lambda history, n, draw: _set(
        history["rows"][n]["salts"], draw(st.sampled_from(chain.FIELDS)), "00" * 16
    ),
    "a digest": lambda history, n, draw: _set(
        history["rows"][n]["digests"], draw(st.sampled_from(chain.FIELDS)), hashlib.sha256(b"x").hexdigest()
    ),
    "field, salt and digest": lambda history, n, draw: _forge(history["rows"][n], draw(texts)),
    "a row sealed anew": lambda history, n, draw: history["rows"][n].update(
        chain.seal({**history["rows"][n], "case_id": CASE}, history["rows"][n]["previous"])
    ),
    "an erasure without a record": lambda history, n, draw: _erase(
        history["rows"][n], draw(st.sampled_from(chain.FIELDS))
    ),
    "a row's digest": lambda history, n, draw: _set(history["rows"][n], "digest", "0" * 64),
    "what it follows": lambda history, n, draw: _set(history["rows"][n], "previous", "0" * 64),
    "the algorithm": lambda history, n, draw: _set(
        history["rows"][n], "algorithm", draw(st.sampled_from([None, 0, 2]))
    ),
    "a row away": lambda history, n, draw: history["rows"].pop(n),
    "a row away and the others moved up": lambda history, n, draw: _drop(history, n),
    "a row twice": lambda history, n, draw: history["rows"].insert(n, copy.deepcopy(history["rows"][n])),
    "a row in between": lambda history, n, draw: _insert(history, n),
    "two rows swapped": lambda history, n, draw: _swap(history["rows"], n),
    "the time": lambda history, n, draw: _set(history["rows"][n], "at", "2019-12-31T23:59:59.000000Z"),
    "the end": lambda history, n, draw: _truncate(history),
    "the head": lambda history, n, draw: _set(history, "head", "0" * 64),
    "the beginning": lambda history, n, draw: _set(history, "chained_from", history["chained_from"] + 1),
    "the case": lambda history, n, draw: _set(history, "case_id", str(UUID(int=7))),
    "the state": lambda history, n, draw: _set(history, "state", "closed"),
}


@pytest.mark.parametrize("edit", EDITS)
@settings(max_examples=40, deadline=None)
@given(history=histories, data=st.data())
def test_every_edit_is_found(edit: str, history: dict[str, Any], data: st.DataObject) -> None:
    before = copy.deepcopy(history)
    EDITS[edit](history, data.draw(st.integers(0, len(history["rows"]) - 1)), data.draw)
    assume(history != before)
    found = chain.faults(history)
    assert found, edit
    assert all(str(each) for each in found)


@given(histories, st.data())
def test_a_changed_text_is_found_at_its_row_and_field(history: dict[str, Any], data: st.DataObject) -> None:
    row = data.draw(st.sampled_from(history["rows"]))
    assume(row["reason"] is not None)
    row["reason"] += "。"
    assert [(each.seq, each.field) for each in chain.faults(history)] == [(row["seq"], "reason")]


@given(histories, st.data())
def test_a_field_erased_with_its_salt_leaves_the_chain_whole_and_says_nothing(
    history: dict[str, Any], data: st.DataObject
) -> None:
    row, field = data.draw(st.sampled_from(history["rows"])), data.draw(st.sampled_from(chain.ERASABLE))
    assume(row[field] is not None)
    _erase(row, field)
    history["erasures"] = [{"seq": row["seq"], "field": field}]
    assert chain.faults(history) == []
    row[field] = "等等"
    assert chain.faults(history)


@given(st.text(), st.text())
def test_equal_texts_have_digests_that_tell_nothing_of_one_another(one: str, other: str) -> None:
    row = {"case_id": CASE, "seq": 1, **dict.fromkeys(chain.FIELDS), "reason": "同一句话"}
    first, second = chain.seal(row, "0" * 64), chain.seal(row, "0" * 64)
    assert first["digests"]["reason"] != second["digests"]["reason"]
    assert first["digests"]["reason"] != hashlib.sha256(rfc8785.dumps(["reason", "同一句话"])).hexdigest()


def test_the_published_recipe_gives_the_same_digest() -> None:
    at = datetime(2026, 3, 1, 23, 59, tzinfo=timezone(timedelta(hours=8)))
    row = {"case_id": CASE, "seq": 1, **dict.fromkeys(chain.FIELDS), "at": at, "move": "report"}
    sealed = chain.seal(row, chain.genesis(CASE, 1))
    salt = bytes.fromhex(sealed["salts"]["at"])
    assert sealed["digests"]["at"] == hashlib.sha256(salt + b'["at","2026-03-01T15:59:00.000000Z"]').hexdigest()
    first = hashlib.sha256(f'["pingan.case-history",1,"{CASE}",1]'.encode()).hexdigest()
    assert sealed["previous"] == first
    line = (
        f'{{"algorithm":1,"case_id":"{CASE}","fields":{{"at":"{sealed["digests"]["at"]}",'
        f'"move":"{sealed["digests"]["move"]}"}},"previous":"{first}","seq":1}}'
    )
    assert sealed["digest"] == hashlib.sha256(line.encode()).hexdigest()


@given(numbers)
def test_a_number_is_the_same_after_postgresql_wrote_it_in_full(number: float) -> None:
    row = {"case_id": CASE, "seq": 1, **dict.fromkeys(chain.FIELDS), "to_state": "x", "after": {"lon": number}}
    row |= chain.seal(row, chain.genesis(CASE, 1))
    written = f"{number:f}" if isinstance(number, float) and float(f"{number:f}") == number else repr(number)
    history = {
        "case_id": CASE,
        "version": 1,
        "state": "x",
        "head": row["digest"],
        "chained_from": 1,
        "erasures": [],
        "rows": [row | {"after": {"lon": from_json(written)}}],
    }
    assert chain.faults(history) == []


def _set(where: dict[str, Any], name: str, value: Any) -> None:
    where[name] = value


def _forge(row: dict[str, Any], said: str) -> None:
    """What somebody would do who knows the recipe and edits one row alone."""
    forged = chain.seal({**row, "case_id": CASE, "note": said}, row["previous"])
    row |= forged | {"note": said, "digest": row["digest"]}


def _erase(row: dict[str, Any], field: str) -> None:
    row[field] = None
    row["salts"].pop(field, None)


def _drop(history: dict[str, Any], n: int) -> None:
    history["rows"].pop(n)
    for seq, row in enumerate(history["rows"], 1):
        row["seq"] = seq
    history["version"] -= 1


def _insert(history: dict[str, Any], n: int) -> None:
    """A row made with the recipe, and the numbers after it moved on."""
    row = copy.deepcopy(history["rows"][n]) | {"note": "后来补写", "case_id": CASE}
    row |= chain.seal(row, row["previous"])
    row.pop("case_id")
    history["rows"].insert(n, row)
    for seq, each in enumerate(history["rows"], 1):
        each["seq"] = seq
    history["version"] += 1


def _swap(rows: list[dict[str, Any]], n: int) -> None:
    other = (n + 1) % len(rows)
    rows[n], rows[other] = rows[other], rows[n]
    rows[n]["seq"], rows[other]["seq"] = rows[other]["seq"], rows[n]["seq"]


def _truncate(history: dict[str, Any]) -> None:
    """The last row gone and the case's version turned back, its head forgotten."""
    history["rows"].pop()
    history["version"] -= 1
