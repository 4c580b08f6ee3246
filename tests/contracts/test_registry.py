"""The registry refuses what would be ambiguous on the wire."""

from __future__ import annotations

from typing import ClassVar

import pytest

from contracts import registry
from contracts.envelope import EventData
from contracts.hazards.events import CaseReported


def test_a_type_is_found_by_its_name() -> None:
    assert registry.event_class("county.hazards.case.reported.v1") is CaseReported


def test_an_unknown_type_is_told_apart() -> None:
    with pytest.raises(registry.UnknownEventType):
        registry.event_class("county.hazards.case.reported.v99")


def test_a_second_class_of_the_same_type_is_refused() -> None:
    list(registry.all_events())

    class Twin(EventData):
        """The same once more."""

        type: ClassVar[str] = "county.hazards.case.reported.v1"
        trigger: ClassVar[str] = "copy and paste"

    with pytest.raises(ValueError, match="registered twice"):
        registry.event(Twin)
    assert registry.event_class(Twin.type) is CaseReported


@pytest.mark.parametrize(
    "name",
    [
        "county.hazards.case.reported",
        "county.hazards.case.reported.v0",
        "hazards.case.reported.v1",
        "county.mars.case.reported.v1",
    ],
)
def test_a_name_without_version_or_service_is_refused(name: str) -> None:
    class Odd(EventData):
        """Has a meaning."""

        type: ClassVar[str] = name
        trigger: ClassVar[str] = "a typing error"

    with pytest.raises(ValueError, match=r"county\.<service>"):
        registry.event(Odd)


def test_an_event_without_meaning_is_refused() -> None:
    class Mute(EventData):
        type: ClassVar[str] = "county.hazards.case.muted.v1"
        trigger: ClassVar[str] = "nothing"

    Mute.__doc__ = None
    with pytest.raises(ValueError, match="docstring"):
        registry.event(Mute)
