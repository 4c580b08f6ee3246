"""Event type -> class. Refuses a duplicate, a name without `.vN` and an event without meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator

from contracts.envelope import EventData

_TYPE = re.compile(r"^county\.(grid|hazards|patrol|notify)\.[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*\.v[1-9][0-9]*$")
_events: dict[str, type[EventData]] = {}


class UnknownEventType(LookupError):
    """No class is registered for this event type and version."""


def event(cls: type[EventData]) -> type[EventData]:
    """Class decorator: registers a frozen event class under its `type`."""
    if not _TYPE.match(cls.type):
        raise ValueError(f"{cls.__name__}: {cls.type!r} is not county.<service>.<entity>.<fact>.vN")
    if cls.type in _events:
        raise ValueError(f"{cls.type} is registered twice: {_events[cls.type].__name__}, {cls.__name__}")
    if not (cls.__doc__ or "").strip() or not getattr(cls, "trigger", ""):
        raise ValueError(f"{cls.__name__} needs a docstring (meaning) and a trigger")
    if cls.deprecation is not None and cls.deprecation.replaced_by == cls.type:
        raise ValueError(f"{cls.type} cannot replace itself")
    _events[cls.type] = cls
    return cls


def event_class(event_type: str) -> type[EventData]:
    """The class of a type. Raises UnknownEventType."""
    _load()
    try:
        return _events[event_type]
    except KeyError:
        raise UnknownEventType(event_type) from None


def all_events() -> Iterator[type[EventData]]:
    """Every registered class, by type."""
    _load()
    yield from (_events[key] for key in sorted(_events))


def _load() -> None:
    # Imported here: the event modules import this one for the decorator.
    import contracts.grid.events
    import contracts.hazards.events
    import contracts.notify.events
    import contracts.patrol.events  # noqa: F401
