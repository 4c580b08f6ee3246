"""Paths, actors, envelopes and refusals keep their meaning on the wire."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts import areas, sample
from contracts.envelope import Envelope
from contracts.hazards.errors import IllegalMove
from contracts.hazards.events import CaseReported
from contracts.scope import Actor, Role, Scope, Sensitivity, actor_from_json, actor_to_json

CODES = st.lists(st.from_regex(r"[0-9]{6,20}", fullmatch=True), min_size=1, max_size=5)


@given(CODES, CODES)
def test_a_subtree_is_exactly_one_text_range(first: list[str], second: list[str]) -> None:
    root, path = "/".join(first) + "/", "/".join(second) + "/"
    assert areas.is_within(path, root) == (root <= path < areas.path_end(root))


@given(CODES)
def test_the_last_ancestor_is_the_path_itself(codes: list[str]) -> None:
    path = None
    for code in codes:
        path = areas.child_path(path, code)
    assert path is not None
    assert areas.ancestors(path)[-1] == path
    assert areas.code_of(path) == codes[-1]


@given(
    st.frozensets(st.sampled_from(list(Role))),
    st.none() | st.frozensets(st.sampled_from(["fire", "traffic.signal"])),
    st.sampled_from(list(Sensitivity)),
    st.none() | st.uuids(),
)
def test_an_actor_survives_the_wire(
    roles: frozenset[Role], categories: frozenset[str] | None, ceiling: Sensitivity, session: uuid.UUID | None
) -> None:
    scope = Scope(("330499/",), categories, ceiling, frozenset({"duty_review"}), uuid.uuid4())
    actor = Actor(uuid.uuid4(), uuid.uuid4(), roles, scope, session)
    assert actor_from_json(actor_to_json(actor)) == actor


def test_a_system_scope_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="reason"):
        Scope.system("")


def test_an_envelope_survives_the_wire_and_leaves_absent_extensions_out() -> None:
    envelope = Envelope.model_validate(sample.example(CaseReported) | {"traceparent": None})
    body = envelope.to_bytes()
    assert b"traceparent" not in body
    assert Envelope.from_bytes(body) == envelope
    assert envelope.entity == "case"


@pytest.mark.parametrize(
    "change", [{"type": "county.hazards.case.reported"}, {"areapath": "330499"}, {"entityversion": 0}]
)
def test_a_malformed_envelope_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Envelope.model_validate(sample.example(CaseReported) | change)


def test_a_reader_survives_a_field_it_does_not_know() -> None:
    data = sample.example(CaseReported)["data"] | {"added_later": 1}
    assert CaseReported.model_validate(data).state == "reported"


def test_a_refusal_carries_its_code_both_languages_and_extras() -> None:
    refusal = IllegalMove("no", field="move", legal_moves=["verify"]).to_json()
    assert refusal["code"] == "hazards.illegal_move"
    assert refusal["status"] == 409
    assert refusal["zh"]
    assert refusal["extra"] == {"legal_moves": ["verify"]}
