"""No event carries personal data or free text; and the check that says so would notice."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import pytest
from pydantic import BaseModel, StringConstraints

from contracts.codes import Code
from contracts.envelope import EventData
from contracts.registry import all_events
from tests.contracts.privacy import offences


@pytest.mark.parametrize("cls", list(all_events()), ids=lambda cls: cls.type)
def test_an_event_carries_no_person_and_no_free_text(cls: type[EventData]) -> None:
    assert offences(cls) == []


class _Reporter(BaseModel):
    mobile_phone: Annotated[str, StringConstraints(pattern=r"^1[0-9]{10}$")]
    remark: str


class _Careless(EventData):
    """Carries everything that it must not."""

    type: ClassVar[str] = "county.hazards.case.leaked.v1"
    trigger: ClassVar[str] = "a mistake"

    note: str
    reporter: _Reporter | None
    tags: tuple[str, ...]
    extra: dict[str, Any]
    permissive: Annotated[str, StringConstraints(pattern=r".")]
    id_number: Annotated[str, StringConstraints(pattern=r"^[0-9]{17}[0-9X]$")]
    reason: Code


def test_a_planted_bad_event_is_found_field_by_field() -> None:
    found = offences(_Careless)
    for field in ("note", "reporter.mobile_phone", "reporter.remark", "tags[]", "extra", "permissive", "id_number"):
        assert any(offence.startswith(f"_Careless.{field}:") for offence in found), (field, found)
    assert not any("reason" in offence for offence in found)
